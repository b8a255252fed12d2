import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import MASK, thorough
from transforms.shard.split import choose_validation, hash_repository

HASHES = st.lists(st.integers(0, MASK) | st.sampled_from([0, 1, MASK]), max_size=20)
FRACTIONS = st.sampled_from([0.001, 0.01, 0.1, 0.5, 0.999])


def validating(hashes, fraction):
    """The hashes on the side of validation."""
    chosen = choose_validation(np.array(hashes, dtype=np.uint64), fraction)
    assert chosen.shape == (len(hashes),)
    for value in set(hashes):
        sides = {bool(side) for side, own in zip(chosen, hashes, strict=True) if own == value}
        assert len(sides) == 1, "a repository is on both sides"
    return {value for value, side in zip(hashes, chosen, strict=True) if side}


@thorough
@given(HASHES, FRACTIONS)
def test_a_repository_is_on_one_side_by_its_hash(hashes, fraction):
    limit = int(fraction * 2**64)
    expected = {value for value in hashes if value < limit} | {min(hashes, default=0)}
    expected -= {max(hashes, default=0)}
    assert validating(hashes, fraction) == (expected if len(set(hashes)) > 1 else set())


@thorough
@given(HASHES, HASHES, FRACTIONS)
def test_more_repositories_move_no_other_but_those_of_the_outermost_hashes(hashes, more, fraction):
    before, after = validating(hashes, fraction), validating(hashes + more, fraction)
    moved = before ^ (after & set(hashes))
    assert moved <= {min(hashes, default=0), max(hashes, default=0)}


def test_one_repository_trains_and_of_two_one_validates():
    assert validating([5], 0.999) == set()
    assert validating([5, 5, 5], 0.999) == set()
    assert validating([MASK, MASK - 1], 0.001) == {MASK - 1}
    assert validating([], 0.5) == set()


def test_a_fraction_of_nothing_validates_nothing():
    assert validating([0, 1, MASK], 0) == set()


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5])
def test_refuses_a_fraction_that_leaves_nothing_to_train_on(fraction):
    message = f"validation fraction must be at least 0 and below 1, got {fraction}"
    with pytest.raises(ValueError, match=message):
        choose_validation(np.zeros(1, np.uint64), fraction)


def test_the_hash_of_a_repository_never_changes():
    # What validates in one run must validate in every other: else models are
    # evaluated on what they were trained on.
    assert hash_repository("pypi/boltons", 0) == 5096813991984009540
    assert hash_repository("git/example.org/caf\u00e9", 7) == 4243300748165674573


def test_the_fraction_is_kept_in_expectation_and_seeds_choose_differently():
    names = [f"pypi/project-{number}" for number in range(2000)]
    sides = []
    for seed in (0, 1):
        hashes = np.array([hash_repository(name, seed) for name in names], dtype=np.uint64)
        sides.append(choose_validation(hashes, 0.1))
        assert abs(sides[-1].mean() - 0.1) < 5 * np.sqrt(0.1 * 0.9 / 2000)
    assert not np.array_equal(*sides)


def test_at_least_one_repository_trains():
    hashes = np.array([3, 1, 1, 2], dtype=np.uint64)
    assert choose_validation(hashes, 0.99).tolist() == [False, True, True, True]
