"""pass@k: the share of problems that one of k samples solves.

The unbiased estimator of "Evaluating Large Language Models Trained on Code" (arXiv
2107.03374, section 2.1): of n samples of a problem c pass, and k of the n, drawn without
replacement, hold none of those with probability C(n - c, k) / C(n, k). pass@k is one less
that, averaged over problems. 1 - (1 - c / n)^k would be too low.

The interval is the percentile bootstrap (Efron 1979) over problems: what pass@k could have
been for other problems of the same kind, each with its own samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.draws import draw

Counts = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]
Interval = tuple[float | None, float | None]

LEVEL = 0.95
"""Of the interval."""
RESAMPLES = 10_000
"""So many that each end leaves out 2.5 % of them, give or take 0.3 % (two deviations)."""
_DRAWS_AT_ONCE = 2**20
_NO_INTERVAL: Interval = None, None


@dataclass(frozen=True)
class Estimate:
    """pass@k of all problems, or the problems that have too few samples for it.

    ``value`` is missing where ``short`` names a problem. ``low`` and ``high``, the ends of
    the interval, are missing there too and where there is one problem alone, which says
    nothing of others.
    """

    k: int
    value: float | None
    low: float | None
    high: float | None
    problems: int
    short: tuple[str, ...]


def count_samples(
    problems: Counts, passed: npt.NDArray[np.bool_], count: int
) -> tuple[Counts, Counts]:
    """Samples and samples that pass of each of so many problems: twice int64[count].

    Args:
      problems: int64[samples], the number of each sample's problem.
      passed: bool[samples].
      count: of problems, those without samples among them.
    """
    return np.bincount(problems, minlength=count), np.bincount(problems[passed], minlength=count)


def estimate_pass_at_k(
    tasks: Sequence[str], samples: Counts, correct: Counts, ks: Sequence[int], seed: int
) -> tuple[Estimate, ...]:
    """An estimate for each k, in the order of the ks.

    It depends on no order of the problems, to the last bit.

    Args:
      tasks: the names of the problems.
      samples: int64[problems], how many each one has.
      correct: int64[problems], how many of them pass.
      ks: each at least 1.
      seed: of the bootstrap, whose resamples are the same for all ks.

    Raises:
      ValueError: there is no problem, arrays are not as long as the tasks, more samples of a
        problem pass than there are, or a k is below 1.
    """
    if not len(tasks) == samples.size == correct.size > 0:
        raise ValueError(
            f"pass@k needs problems, each with its counts, got {len(tasks)} names, "
            f"{samples.size} counts of samples and {correct.size} of those that pass"
        )
    _check_counts(samples, correct, 0)
    order = np.lexsort((correct, samples))
    estimated = [k for k in ks if k <= samples.min()]
    shares = [solve_shares(samples[order], correct[order], k) for k in estimated]
    ends = dict(zip(estimated, _resample(shares, len(tasks), seed), strict=True))
    values = {k: float(own.mean()) for k, own in zip(estimated, shares, strict=True)}
    estimates = []
    for k in ks:
        short = tuple(tasks[place] for place in np.flatnonzero(samples < k).tolist())
        low, high = ends.get(k, _NO_INTERVAL)
        estimates.append(Estimate(k, values.get(k), low, high, len(tasks), short))
    return tuple(estimates)


def solve_shares(samples: Counts, correct: Counts, k: int) -> Shares:
    """The probability that one of k samples of a problem passes, float64[problems].

    The quotient of the binomial coefficients is the product of (n - c - j) / (n - j) for j
    below k, no factor of which is above 1: nothing overflows or cancels.

    Args:
      samples: int64[problems], at least k.
      correct: int64[problems], of these samples.
      k: at least 1.

    Raises:
      ValueError: k is below 1, a problem has fewer samples, or more of them pass than it has.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    _check_counts(samples, correct, k)
    wrong = samples - correct
    unsolved = np.ones(samples.size)
    for drawn in range(k):
        # Factors below 0 come after one that is 0.
        unsolved *= (wrong - drawn) / (samples - drawn)
    return 1 - unsolved


def _check_counts(samples: Counts, correct: Counts, least: int) -> None:
    impossible = np.flatnonzero((samples < least) | (correct < 0) | (correct > samples))
    if impossible.size:
        first = impossible[0]
        raise ValueError(
            f"problems must have at least {least} samples, of which none to all pass, "
            f"got {correct[first]} of {samples[first]}"
        )


def _resample(shares: Sequence[Shares], problems: int, seed: int) -> list[Interval]:
    """The ends of the interval of the mean of each of these shares."""
    if problems == 1 or not shares:
        return [_NO_INTERVAL] * len(shares)
    means = np.empty((len(shares), RESAMPLES))
    at_once = max(1, _DRAWS_AT_ONCE // problems)
    for first in range(0, RESAMPLES, at_once):
        until = min(first + at_once, RESAMPLES)
        drawn = _draw_problems(first * problems, until * problems, problems, seed)
        for own, values in zip(means, shares, strict=True):
            own[first:until] = values[drawn].reshape(-1, problems).mean(axis=1)
    tail = (1 - LEVEL) / 2
    lows, highs = np.quantile(means, [tail, 1 - tail], axis=1).tolist()
    return list(zip(lows, highs, strict=True))


def _draw_problems(first: int, until: int, problems: int, seed: int) -> Counts:
    """Problems drawn with replacement; which depends on the place of the draw and the seed."""
    numbers = draw(np.arange(first, until, dtype=np.uint64), seed)
    # Multiplied and shifted: of 2^32 numbers, a problem has at most one more than another.
    return ((numbers >> np.uint64(32)) * np.uint64(problems) >> np.uint64(32)).astype(np.int64)
