import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import MASK, slow_mix, thorough
from transforms.execute.pass_at_k import (
    RESAMPLES,
    Estimate,
    count_samples,
    estimate_pass_at_k,
    solve_shares,
)

STEP = 0x9E3779B97F4A7C15
COUNTS = st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
"""Samples of a problem and how many of them pass."""


def estimate(counts, ks, seed=0):
    samples, correct = np.array(counts, np.int64).reshape(-1, 2).T
    tasks = [f"task/{number}" for number in range(len(counts))]
    return estimate_pass_at_k(tasks, samples, correct, ks, seed)


def share(n, c, k):
    return solve_shares(np.array([n]), np.array([c]), k).item()


def exact_share(n, c, k):
    return float(1 - Fraction(math.comb(n - c, k), math.comb(n, k)))


@pytest.mark.parametrize("n", range(1, 9))
def test_a_share_is_that_of_the_subsets_which_hold_a_sample_that_passes(n):
    for c, k in itertools.product(range(n + 1), range(1, n + 1)):
        passed = [number < c for number in range(n)]
        subsets = list(itertools.combinations(passed, k))
        assert share(n, c, k) == pytest.approx(sum(map(any, subsets)) / len(subsets), rel=1e-12)


@thorough
@given(st.lists(COUNTS, min_size=1, max_size=9), st.integers(1, 40))
def test_shares_are_those_of_the_published_product(counts, k):
    counts = [(n + k, c) for n, c in counts]
    # Codex paper, figure 3: numpy.prod, and 1 where fewer than k samples are wrong.
    published = [
        1.0 if n - c < k else 1.0 - np.prod(1.0 - k / np.arange(n - c + 1, n + 1))
        for n, c in counts
    ]
    shares = solve_shares(*np.array(counts).T, k)
    assert shares == pytest.approx(published, abs=1e-12)


@pytest.mark.parametrize(
    ("n", "c", "k"), [(200, 1, 100), (200, 199, 100), (10_000, 3, 5_000), (10_000, 9_000, 1_000)]
)
def test_many_samples_neither_overflow_nor_lose_digits(n, c, k):
    assert share(n, c, k) == pytest.approx(exact_share(n, c, k), rel=1e-11)


@thorough
@given(COUNTS)
def test_one_sample_passes_as_often_as_all_do(counts):
    n, c = counts
    assert share(n, c, 1) == pytest.approx(c / n)


@thorough
@given(COUNTS, st.data())
def test_the_biased_estimator_is_lower_wherever_there_is_a_choice(counts, data):
    n, c = counts
    k = data.draw(st.integers(1, n))
    biased = 1 - (1 - c / n) ** k
    # Closer to 1, floats do not tell them apart.
    if 0 < c < n and k > 1 and biased < 1 - 1e-9:
        assert share(n, c, k) > biased
    else:
        assert share(n, c, k) == pytest.approx(biased)


def test_the_estimator_is_unbiased_and_the_other_is_not():
    n, k, chance = 10, 4, 0.15
    # All that a problem solved by each sample with this chance may give, by its probability.
    outcomes = [math.comb(n, c) * chance**c * (1 - chance) ** (n - c) for c in range(n + 1)]
    truth = 1 - (1 - chance) ** k
    expected = sum(p * share(n, c, k) for c, p in enumerate(outcomes))
    biased = sum(p * (1 - (1 - c / n) ** k) for c, p in enumerate(outcomes))
    assert expected == pytest.approx(truth)
    assert biased < truth - 0.02


def test_the_value_is_the_mean_over_problems_and_not_over_samples():
    first, second = estimate([(2, 1), (10, 1)], [1, 2])
    assert first.value == pytest.approx((0.5 + 0.1) / 2)
    assert second.value == pytest.approx((1 + 0.2) / 2)


@thorough
@given(st.lists(COUNTS, min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_estimates_depend_on_no_order_of_the_problems(counts, random):
    moved = random.sample(counts, len(counts))
    least = min(n for n, _ in counts)
    assert estimate(moved, [1, least]) == estimate(counts, [1, least])


def test_names_the_problems_that_have_too_few_samples_and_estimates_nothing():
    one, three, nine = estimate([(5, 1), (2, 0), (9, 4), (0, 0)][:3], [1, 3, 9])
    assert one.short == ()
    assert one.value is not None
    assert three == Estimate(3, None, None, None, 3, ("task/1",))
    assert nine == Estimate(9, None, None, None, 3, ("task/0", "task/1"))


def test_a_problem_without_samples_is_short_for_every_k():
    assert [own.short for own in estimate([(0, 0), (5, 1)], [1, 5])] == [("task/0",)] * 2


def test_estimates_stand_in_the_order_of_the_ks():
    assert [own.k for own in estimate([(5, 2), (6, 1)], [5, 1, 100, 2])] == [5, 1, 100, 2]


@pytest.mark.parametrize("problems", [2, 7, 164])
@pytest.mark.parametrize(("passed", "value"), [(0, 0), (10, 1)])
def test_all_or_none_right_leave_no_width(problems, passed, value):
    for own in estimate([(10, passed)] * problems, [1, 10]):
        assert (own.value, own.low, own.high) == (value, value, value)


def test_one_problem_has_a_value_but_no_interval():
    assert estimate([(4, 1)], [1]) == (Estimate(1, 0.25, None, None, 1, ()),)


def test_the_interval_is_that_of_all_resamples():
    # Of 5 problems drawn from 5, 0 to 5 are the one that is solved: a binomial of 1/5, of which
    # 0 has 33 %, at most 2 has 94.2 % and at most 3 has 99.3 %.
    (own,) = estimate([(1, 0)] * 4 + [(1, 1)], [1])
    assert (own.value, own.low, own.high) == pytest.approx((0.2, 0, 0.6))


def test_the_interval_of_many_problems_is_nearly_the_normal_one():
    counts = [(20, number % 21) for number in range(400)]
    (own,) = estimate(counts, [1])
    shares = np.array([c / n for n, c in counts])
    half = 1.96 * shares.std() / math.sqrt(shares.size)
    assert own.value - own.low == pytest.approx(half, rel=0.05)
    assert own.high - own.value == pytest.approx(half, rel=0.05)


def test_most_intervals_hold_the_truth():
    generator = np.random.default_rng(5)
    # A uniform chance c of a sample: pass@k is 1 - E (1 - c)^k = k / (k + 1).
    held = np.zeros(2, int)
    for seed in range(100):
        correct = generator.binomial(20, generator.random(60))
        for place, own in enumerate(estimate([(20, c) for c in correct], [1, 5], seed)):
            held[place] += own.low <= own.k / (own.k + 1) <= own.high
    # Of 95 expected, with a deviation of 2.2; the percentile bootstrap is a little narrow.
    assert (held >= 87).all(), held
    assert (held < 100).all(), held


def test_intervals_follow_from_the_seed():
    counts = [(20, number) for number in range(20)]
    assert estimate(counts, [1, 5], seed=3) == estimate(counts, [1, 5], seed=3)
    assert estimate(counts, [1], seed=3) != estimate(counts, [1], seed=4)
    # With others or alone, a k has one estimate.
    assert estimate(counts, [1, 5])[1:] == estimate(counts, [5])


def test_resamples_drawn_in_blocks_are_those_drawn_at_once(monkeypatch):
    counts = [(20, number) for number in range(20)]
    whole = estimate(counts, [1, 5])
    monkeypatch.setattr("transforms.execute.pass_at_k._DRAWS_AT_ONCE", 333)
    assert estimate(counts, [1, 5]) == whole


@pytest.mark.parametrize("seed", [0, 9])
def test_an_interval_is_that_of_slow_resampling(seed):
    problems, state = 3, slow_mix(seed + STEP & MASK)
    numbers = (slow_mix(slow_mix(key) + state & MASK) for key in range(RESAMPLES * problems))
    drawn = [(number >> 32) * problems >> 32 for number in numbers]
    shares = [1 / 7, 3 / 7, 6 / 7]
    means = [
        sum(shares[place] for place in drawn[first : first + problems]) / problems
        for first in range(0, len(drawn), problems)
    ]
    (own,) = estimate([(7, 3), (7, 6), (7, 1)], [1], seed)
    assert (own.low, own.high) == pytest.approx(np.percentile(means, [2.5, 97.5]))


def test_intervals_never_change():
    # Two scores of the same samples must be the same.
    (own,) = estimate([(20, number) for number in range(20)], [1])
    assert (own.value, own.low, own.high) == pytest.approx((0.475, 0.35, 0.6025), rel=1e-12)


def test_counts_samples_of_each_problem_also_of_those_without():
    problems, passed = np.array([2, 0, 2, 2]), np.array([True, False, False, True])
    samples, correct = count_samples(problems, passed, 4)
    assert (samples.tolist(), correct.tolist()) == ([1, 0, 3, 0], [0, 0, 2, 0])
    assert samples.dtype == correct.dtype == np.int64


@pytest.mark.parametrize("k", [0, -1])
def test_refuses_a_k_below_one(k):
    with pytest.raises(ValueError, match=f"k must be at least 1, got {k}"):
        estimate([(3, 1), (3, 2)], [1, k])


@pytest.mark.parametrize("ks", [[1], [100]])
@pytest.mark.parametrize(("n", "c"), [(3, 4), (3, -1), (-1, -1)])
def test_refuses_counts_that_no_samples_have(n, c, ks):
    message = f"at least . samples, of which none to all pass, got {c} of {n}"
    with pytest.raises(ValueError, match=message):
        estimate([(3, 3), (n, c)], ks)


def test_refuses_shares_of_more_samples_than_there_are():
    with pytest.raises(ValueError, match=r"at least 4 samples, .* got 1 of 3"):
        share(3, 1, 4)


@pytest.mark.parametrize("sizes", [(0, 0, 0), (2, 3, 3), (3, 3, 2)])
def test_refuses_problems_without_names_or_counts(sizes):
    names, samples, correct = sizes
    message = f"got {names} names, {samples} counts of samples and {correct} of those that pass"
    arrays = np.ones(samples, np.int64), np.ones(correct, np.int64)
    with pytest.raises(ValueError, match=message):
        estimate_pass_at_k(["a"] * names, *arrays, [1], 0)
