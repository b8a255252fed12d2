import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.deduplicate.sketches import (
    MISTAKES,
    count_unequal,
    most_unequal,
    sketch_signatures,
)


def bits_of(value):
    return (value * 0x9E3779B97F4A7C15 & 2**64 - 1) >> 62


@thorough
@given(st.integers(1, 70), st.data())
def test_counts_the_values_whose_bits_differ(permutations, data):
    values = st.lists(st.integers(0, 2**32 - 1), min_size=permutations, max_size=permutations)
    left, right = data.draw(values), data.draw(values)
    sketches = sketch_signatures(np.array([left, right], dtype=np.uint32))
    assert sketches.shape == (2, -(-permutations // 32))
    pairs = zip(left, right, strict=True)
    expected = sum(bits_of(one) != bits_of(other) for one, other in pairs)
    assert count_unequal(*sketches) == expected
    assert count_unequal(sketches[0], sketches[0]) == 0


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.85])
def test_pairs_at_the_threshold_differ_as_often_as_the_bound_says(threshold):
    random = np.random.default_rng(3)
    same = random.random((20_000, 256)) < threshold
    left = random.integers(0, 2**32, same.shape, np.uint32)
    right = np.where(same, left, random.integers(0, 2**32, same.shape, np.uint32))
    pairs = zip(sketch_signatures(left), sketch_signatures(right), strict=True)
    unequal = np.array([count_unequal(*pair) for pair in pairs])
    assert unequal.mean() == pytest.approx(256 * (1 - threshold) * 0.75, rel=0.01)
    assert unequal.max() <= most_unequal(threshold, 256)


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.7, 0.95])
@pytest.mark.parametrize("permutations", [16, 256, 1024])
def test_the_bound_refuses_as_few_as_it_promises_and_no_fewer(threshold, permutations):
    bound = most_unequal(threshold, permutations)
    unequal = 1 - threshold - (1 - threshold) / 4
    # The binomial distribution, summed from its end by logarithms of factorials.
    logs = np.cumsum(np.log(np.arange(1, permutations + 1)))
    factorial = np.concatenate(([0], logs))
    counts = np.arange(permutations + 1)
    chances = factorial[-1] - factorial[counts] - factorial[::-1][counts]
    chances += counts * np.log(unequal) + (permutations - counts) * np.log(1 - unequal)
    above = np.cumsum(np.exp(chances)[::-1])[::-1]
    assert above[bound] > MISTAKES
    assert bound == permutations or above[bound + 1] <= MISTAKES


def test_only_equal_sketches_may_be_of_equal_sets():
    assert most_unequal(1.0, 256) == 0
