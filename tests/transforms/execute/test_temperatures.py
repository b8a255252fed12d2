import math

import numpy as np
import pytest

from transforms.execute.pass_at_k import estimate_pass_at_k
from transforms.execute.temperatures import Best, sweep_temperatures

NAN = math.nan
TASKS = ["a", "b"]


def samples_of(temperature, *correct, samples=4):
    """Samples as temperature, problem and verdict: how many are right for each problem."""
    return [
        (temperature, problem, number < right)
        for problem, right in enumerate(correct)
        for number in range(samples)
    ]


def sweep(samples, ks, seed=0):
    columns = [list(column) for column in zip(*samples, strict=True)] if samples else [[], [], []]
    temperatures, problems, passed = columns
    arrays = np.array(problems, np.int64), np.array(passed, np.bool_), np.array(temperatures, float)
    return sweep_temperatures(TASKS, *arrays, ks, seed)


COLD = samples_of(0.2, 4, 0)
HOT = samples_of(0.8, 1, 1)


def test_each_temperature_has_the_estimates_of_its_samples_alone():
    found = sweep(HOT[:3] + COLD + HOT[3:], [1, 4], seed=7)
    assert [group.temperature for group in found.groups] == [0.2, 0.8]
    for group, correct in zip(found.groups, ([4, 0], [1, 1]), strict=True):
        alone = estimate_pass_at_k(TASKS, np.array([4, 4]), np.array(correct), [1, 4], 7)
        assert group.estimates == alone


def test_the_hull_has_the_best_temperature_for_each_k():
    assert sweep(HOT + COLD, [4, 1, 2]).hull == (
        Best(4, 0.8, 1.0),
        Best(1, 0.2, 0.5),
        Best(2, 0.2, 0.5),
    )


def test_of_equal_temperatures_the_lowest_is_best():
    found = sweep(samples_of(0.6, 2, 1) + samples_of(0.4, 1, 2) + samples_of(0.2, 1, 1), [1])
    assert found.hull == (Best(1, 0.4, 0.375),)


def test_a_temperature_that_solves_nothing_may_be_the_best():
    assert sweep(samples_of(1.0, 0, 0), [1]).hull == (Best(1, 1.0, 0.0),)


def test_samples_without_temperature_are_the_last_group_and_no_part_of_the_hull():
    found = sweep(samples_of(NAN, 4, 4) + COLD, [1])
    assert [group.temperature for group in found.groups] == [0.2, None]
    assert [group.estimates[0].value for group in found.groups] == [0.5, 1.0]
    assert found.hull == (Best(1, 0.2, 0.5),)


def test_without_any_temperature_there_is_one_group_and_no_hull():
    found = sweep(samples_of(NAN, 1, 2), [1, 2])
    assert [group.temperature for group in found.groups] == [None]
    assert [own.k for own in found.groups[0].estimates] == [1, 2]
    assert found.hull == ()


def test_a_problem_without_samples_at_a_temperature_is_short_there():
    found = sweep(samples_of(0.2, 4) + HOT, [1])
    assert found.groups[0].estimates[0].short == ("b",)
    # However well it does on the others.
    assert found.hull == (Best(1, 0.8, 0.25),)


def test_the_hull_leaves_out_a_k_that_no_temperature_has_samples_for():
    found = sweep(COLD + samples_of(0.8, 1, 1, samples=2), [1, 4, 5])
    assert [(best.k, best.temperature) for best in found.hull] == [(1, 0.2), (4, 0.2)]


def test_no_samples_have_no_groups():
    found = sweep([], [1])
    assert (found.groups, found.hull) == ((), ())


@pytest.mark.parametrize("temperature", [-0.1, math.inf])
def test_refuses_what_is_no_temperature(temperature):
    with pytest.raises(ValueError, match="temperatures must be at least 0 and finite, got"):
        sweep(COLD + samples_of(temperature, 1, 1), [1])
