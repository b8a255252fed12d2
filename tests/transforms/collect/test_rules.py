import pytest

from tests.transforms.collect.functions import function
from transforms.collect.rules import Difficulty

DIFFICULTY = Difficulty(max_body_lines=10, min_complexity=2, max_complexity=4)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"complexity": 2}, None),
        ({"complexity": 4, "body_lines": 10}, None),
        ({"complexity": 1}, "too_simple"),
        ({"complexity": 5}, "too_complex"),
        ({"complexity": 3, "body_lines": 11}, "body_too_long"),
        ({"complexity": None, "body_lines": None, "reason": "closure"}, "not_verified"),
    ],
)
def test_says_what_is_wrong_with_a_function(changes, reason):
    assert DIFFICULTY.rejection(function("f", **changes)) == reason


def test_refuses_bounds_that_nothing_is_between():
    with pytest.raises(ValueError, match=r"min_complexity must be at most max_complexity \(1\)"):
        Difficulty(10, 2, 1)
