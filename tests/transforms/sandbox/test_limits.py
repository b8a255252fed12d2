import math
from dataclasses import fields

import pytest

from transforms.sandbox.limits import Limits, Tier

NUMBERS = [field.name for field in fields(Limits) if field.name != "forks"]


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", NUMBERS)
def test_every_limit_is_a_number_above_zero(name, value):
    with pytest.raises(ValueError, match=rf"{name} must be above 0, got {value}"):
        Limits(**{name: value})


def test_a_run_may_take_no_less_time_than_cpu_time():
    assert Limits(cpu_seconds=2, wall_seconds=2).wall_seconds == 2
    with pytest.raises(ValueError, match=r"wall_seconds must be at least cpu_seconds \(2\), got 1"):
        Limits(cpu_seconds=2, wall_seconds=1)


def test_processes_are_not_allowed_unless_somebody_says_so():
    assert not Limits().forks
    assert Limits(forks=True).forks


def test_tiers_have_the_names_that_results_give():
    assert [tier.value for tier in Tier] == ["A", "B", "unsafe"]
