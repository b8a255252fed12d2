import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.train.order import permute
from tests.transforms.builders import MASK, brief, thorough

SEEDS = st.integers(-(2**63), 2**64)


def epoch(count, seed, number=0):
    return permute(np.arange(number * count, (number + 1) * count), count, seed)


def slow_mix(value):
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = (value ^ value >> 33) * factor & MASK
    return value ^ value >> 33


def slow_place(place, count, seed):
    """The row at one place, in integers that do not wrap around by themselves."""
    epoch, value = divmod(place, count)
    key = slow_mix(slow_mix(seed & MASK) + epoch * 0x9E3779B97F4A7C15 & MASK)
    bits = max(2, (count - 1).bit_length())
    while True:
        low = bits // 2
        left, right, widths = value >> low, value % 2**low, (bits - low, low)
        for number in range(1, 9):
            hashed = (right + key + number * 0x9E3779B97F4A7C15) * 0xFF51AFD7ED558CCD & MASK
            hashed = (hashed ^ hashed >> 32) * 0xC4CEB9FE1A85EC53 & MASK
            left, right = right, left ^ hashed >> 64 - widths[0]
            widths = widths[::-1]
        value = left << low | right
        if value < count:
            return value


@thorough
@given(st.integers(1, 2**50), SEEDS, st.lists(st.integers(0, 2**62), max_size=20))
def test_rows_are_those_of_a_slow_cipher_place_by_place(count, seed, places):
    found = permute(np.array(places, dtype=np.int64), count, seed)
    assert found.tolist() == [slow_place(place, count, seed) for place in places]


@thorough
@given(st.integers(1, 600) | st.sampled_from([2**10 - 1, 2**10, 2**10 + 1]), SEEDS)
def test_every_epoch_is_a_permutation(count, seed):
    for number in (0, 1, 2**40):
        assert sorted(epoch(count, seed, number).tolist()) == list(range(count))


@brief
@given(st.integers(1, 2**50), st.integers(0, 2**64 - 1))
def test_seeds_that_are_equal_modulo_two_to_the_64th_give_the_same(count, seed):
    places = np.arange(20)
    assert permute(places, count, seed).tolist() == permute(places, count, seed - 2**64).tolist()


def test_the_order_never_changes():
    # A training run that is resumed with a newer version goes on with the rows that it has
    # not seen yet; whoever repeats a published run gets its batches.
    assert permute(np.arange(20), 10, 0).tolist() == [
        5,
        1,
        0,
        7,
        4,
        9,
        2,
        6,
        8,
        3,
        3,
        2,
        1,
        7,
        4,
        9,
        5,
        6,
        8,
        0,
    ]
    assert permute(np.arange(5), 3_000_000_000, -1).tolist() == [
        587532279,
        922384270,
        1880774529,
        667988144,
        899237761,
    ]


def test_epochs_and_seeds_are_different_orders_without_a_trace_of_the_rows():
    count = 2000
    orders = [epoch(count, 1, number) for number in range(3)]
    orders += [epoch(count, seed) for seed in range(2, 4)]
    for one, other in itertools.combinations([np.arange(count), *orders], 2):
        assert np.mean(one == other) < 0.01
        # The correlation of independent orders has a standard deviation of 1/sqrt(n).
        assert abs(np.corrcoef(one, other)[0, 1]) < 5 / np.sqrt(count)


@pytest.mark.parametrize("count", [3, 10, 100])
def test_rows_and_their_neighbors_are_equally_likely(count):
    epochs = 40_000 // count
    orders = permute(np.arange(count * epochs), count, 5).reshape(epochs, count)
    steps = (orders[:, 1] - orders[:, 0]) % count
    firsts = np.bincount(orders[:, 0], minlength=count)
    nexts = np.bincount(steps, minlength=count)[1:]
    for found in (firsts, nexts):
        expected = epochs / found.size
        chi_squared = np.sum((found - expected) ** 2 / expected)
        freedom = found.size - 1
        assert abs(chi_squared - freedom) < 5 * np.sqrt(2 * freedom)
