"""Ranking: which of a problem's samples to hand over where only one may be.

As in "Evaluating Large Language Models Trained on Code" (arXiv 2107.03374, section 3.3 and
figure 7): by the mean or the sum of the log-probabilities of a sample's tokens, or by the
score of its back-translation (section 5), compared with a sample taken at random and with
an oracle that knows the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Verdicts = npt.NDArray[np.bool_]

RANDOM = "random"
SUM_LOGPROB = "sum_logprob"
MEAN_LOGPROB = "mean_logprob"
BACK_TRANSLATION = "back_translation"
ORACLE = "oracle"
RANKINGS = (RANDOM, SUM_LOGPROB, MEAN_LOGPROB, BACK_TRANSLATION, ORACLE)

LOGPROB_MISSING = "logprob_missing"
TOKENS_MISSING = "tokens_missing"
BACK_TRANSLATION_MISSING = "back_translation_missing"
REASONS = (LOGPROB_MISSING, TOKENS_MISSING, BACK_TRANSLATION_MISSING)


@dataclass(frozen=True)
class Samples:
    """All samples, in the order of their file.

    problems: int64[samples], the number of each one's problem, in any order.
    passed: bool[samples].
    logprobs: float64[samples], the sum over the tokens; NaN where it is missing.
    tokens: int64[samples], how many that sum has; below 1 where they are missing.
    back_translations: float64[samples], better ones are higher; NaN where they are missing.
    """

    problems: Counts
    passed: Verdicts
    logprobs: Scores
    tokens: Counts
    back_translations: Scores

    def __post_init__(self) -> None:
        sizes = [column.size for column in vars(self).values()]
        if not sizes[0] or len(set(sizes)) > 1:
            raise ValueError(f"columns must be of one length above 0, got {sizes}")


@dataclass(frozen=True)
class Ranking:
    """The share of problems whose chosen sample passes, or the reason why none is chosen."""

    name: str
    share: float | None
    reason: str | None


def compare_rankings(samples: Samples) -> tuple[Ranking, ...]:
    """All rankings in the order of `RANKINGS`, over the problems that have samples.

    One that lacks an input of any sample is not guessed from the others: it has a reason of
    `REASONS` and no share. ``random`` is what a uniform choice gives in expectation; ``oracle``
    takes a sample that passes where there is one.
    """
    _, problems = np.unique(samples.problems, return_inverse=True)
    right = np.bincount(problems, samples.passed)
    exact = {RANDOM: right / np.bincount(problems), ORACLE: right > 0}
    rankings = []
    for name in RANKINGS:
        reason = _find_missing(samples, name)
        share = None
        if reason is None:
            chosen = exact[name] if name in exact else _choose_verdicts(samples, name)
            share = float(chosen.mean())
        rankings.append(Ranking(name, share, reason))
    return tuple(rankings)


def choose_samples(problems: Counts, scores: Scores) -> Counts:
    """The place of each problem's best sample, by ascending number of the problem.

    Of samples with equal scores the first in the file is chosen.

    Args:
      problems: int64[samples], the number of each one's problem.
      scores: float64[samples], none of them NaN; may be infinite.
    """
    order = np.lexsort((-scores, problems))
    _, first = np.unique(problems[order], return_index=True)
    return order[first]


def _choose_verdicts(samples: Samples, name: str) -> Verdicts:
    if name == BACK_TRANSLATION:
        scores = samples.back_translations
    elif name == MEAN_LOGPROB:
        scores = samples.logprobs / samples.tokens
    else:
        scores = samples.logprobs
    return samples.passed[choose_samples(samples.problems, scores)]


def _find_missing(samples: Samples, name: str) -> str | None:
    """The first input of a ranking that a sample lacks."""
    if name in (SUM_LOGPROB, MEAN_LOGPROB) and np.isnan(samples.logprobs).any():
        return LOGPROB_MISSING
    if name == MEAN_LOGPROB and samples.tokens.min() < 1:
        return TOKENS_MISSING
    if name == BACK_TRANSLATION and np.isnan(samples.back_translations).any():
        return BACK_TRANSLATION_MISSING
    return None
