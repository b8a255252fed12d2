"""Temperatures: pass@k of samples by the temperature they were drawn at, and the best for each k.

As in figure 5 of "Evaluating Large Language Models Trained on Code" (arXiv 2107.03374): few
samples are best drawn at a low temperature, many at a high one, which makes them differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.execute.pass_at_k import Counts, Estimate, count_samples, estimate_pass_at_k


@dataclass(frozen=True)
class Group:
    """The estimates of the samples of one temperature, or of those without, in the order of ks.

    They are over all problems: one without samples at this temperature is short for every k.
    """

    temperature: float | None
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True)
class Best:
    """The temperature with the highest pass@k; the lowest of those that are equal."""

    k: int
    temperature: float
    value: float


@dataclass(frozen=True)
class Sweep:
    """Groups by ascending temperature, those without it last; and their upper hull.

    The hull has one entry for each k that has an estimate at any temperature, in the order of
    the ks. It is chosen by the very samples that it is estimated from, and so too high where
    temperatures are close.
    """

    groups: tuple[Group, ...]
    hull: tuple[Best, ...]


def sweep_temperatures(
    tasks: Sequence[str],
    problems: Counts,
    passed: npt.NDArray[np.bool_],
    temperatures: npt.NDArray[np.float64],
    ks: Sequence[int],
    seed: int,
) -> Sweep:
    """pass@k by temperature and k.

    Samples without temperature are a group of their own, which has no place in the hull: the
    best of known temperatures is not one that nobody knows.

    Args:
      tasks: the names of the problems.
      problems: int64[samples], the number of each one's problem in ``tasks``.
      passed: bool[samples].
      temperatures: float64[samples], NaN for a sample without.
      ks: each at least 1.
      seed: of the intervals.

    Raises:
      ValueError: a temperature is negative or infinite, or as `estimate_pass_at_k`.
    """
    known = temperatures[~np.isnan(temperatures)]
    if known.min(initial=0) < 0 or np.isinf(known).any():
        raise ValueError(
            f"temperatures must be at least 0 and finite, got {known.min()} to {known.max()}"
        )
    groups = []
    # NaNs are one value, and the last.
    for temperature in np.unique(temperatures).tolist():
        without = np.isnan(temperature)
        own = np.isnan(temperatures) if without else temperatures == temperature
        counts = count_samples(problems[own], passed[own], len(tasks))
        estimates = estimate_pass_at_k(tasks, *counts, ks, seed)
        groups.append(Group(None if without else temperature, estimates))
    return Sweep(tuple(groups), _find_hull(groups, ks))


def _find_hull(groups: Sequence[Group], ks: Sequence[int]) -> tuple[Best, ...]:
    hull = []
    for k in ks:
        candidates = [
            Best(k, group.temperature, estimate.value)
            for group in groups
            for estimate in group.estimates
            if estimate.k == k and estimate.value is not None and group.temperature is not None
        ]
        if candidates:
            # The first of equal ones, and groups ascend.
            hull.append(max(candidates, key=lambda best: best.value))
    return tuple(hull)
