import pytest

from tests.transforms.collect.functions import function, rules
from transforms.collect.pass_rates import PassRates
from transforms.collect.rows import task_id

RULES = rules(min_complexity=2, max_complexity=4)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"complexity": 2}, None),
        ({"complexity": 4, "body_lines": 10}, None),
        ({"complexity": 1}, "too_simple"),
        ({"complexity": 5}, "too_complex"),
        ({"complexity": 3, "body_lines": 11}, "body_too_long"),
        ({"complexity": 3, "prompt": 101 * " "}, "prompt_too_long"),
        ({"complexity": 3, "line_coverage": 0.4}, "covers_little"),
        ({"complexity": 3, "mutants": 4, "mutants_killed": 1}, "passes_mutants"),
        ({"complexity": 3, "mutants": 2, "mutants_killed": 0}, None),
        ({"complexity": 3, "benchmark": "HumanEval/1 (same_words)"}, "contaminated"),
        ({"complexity": None, "body_lines": None, "reason": "closure"}, "not_verified"),
    ],
)
def test_says_what_is_wrong_with_a_function(changes, reason):
    assert RULES.rejection(function("f", **changes)) == reason


def test_refuses_bounds_that_nothing_is_between():
    with pytest.raises(ValueError, match=r"min_complexity must be at most max_complexity \(1\)"):
        rules(min_complexity=2, max_complexity=1)


@pytest.mark.parametrize(
    ("rate", "reason"),
    [(0.1, "too_hard"), (0.2, None), (0.8, None), (0.9, "too_easy"), (None, None)],
)
def test_pass_rates_of_a_model_choose_among_sampled_problems(rate, reason):
    one = function("f")
    rates = {} if rate is None else {task_id(one): rate}
    chosen = rules(pass_rates=PassRates(rates, 0.2, 0.8))
    assert chosen.rejection(one) == reason
