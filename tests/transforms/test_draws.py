import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import MASK, slow_mix, thorough
from transforms.draws import draw, draw_stream

STEP = 0x9E3779B97F4A7C15
SEEDS = st.integers(-(2**63), 2**64)


def as_keys(values):
    return np.array(values, dtype=np.uint64)


@thorough
@given(st.integers(0, 20), SEEDS)
def test_a_stream_is_the_slow_one(count, seed):
    state = slow_mix(seed + STEP & MASK)
    expected = [slow_mix(state + (index + 1) * STEP & MASK) for index in range(count)]
    assert draw_stream(count, seed).tolist() == expected


@thorough
@given(st.integers(0, 20), st.integers(0, 50), SEEDS)
def test_a_stream_can_be_drawn_from_any_place_on(count, first, seed):
    whole = draw_stream(first + count, seed)
    assert draw_stream(count, seed, first).tolist() == whole[first:].tolist()


@thorough
@given(st.lists(st.integers(0, MASK), max_size=20), SEEDS)
def test_the_number_of_a_key_is_the_slow_one(keys, seed):
    state = slow_mix(seed + STEP & MASK)
    expected = [slow_mix(slow_mix(key) + state & MASK) for key in keys]
    assert draw(as_keys(keys), seed).tolist() == expected


@pytest.mark.parametrize("keys", [np.arange(20_000), np.arange(20_000) << 32])
def test_numbers_are_even_and_seeds_differ(keys):
    numbers = [draw(as_keys(keys), seed) / 2**64 for seed in (0, 1)]
    for own in numbers:
        # The largest gap to the even distribution is below this all but once in 10^9 times.
        assert np.abs(np.sort(own) - (np.arange(own.size) + 0.5) / own.size).max() < 0.025
    # The correlation of independent numbers has a standard deviation of 1/sqrt(n).
    assert abs(np.corrcoef(*numbers)[0, 1]) < 5 / np.sqrt(keys.size)
