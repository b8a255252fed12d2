from transforms.deduplicate.budget import Budget


def test_a_budget_says_how_often_something_is_divided():
    assert Budget(8_000, 100).ranges(10) == 1
    assert Budget(8_000, 100).ranges(11) == 2
    assert Budget(8_000, 0).ranges(11) == 1
