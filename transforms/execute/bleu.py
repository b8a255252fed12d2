"""BLEU of samples that pass and of those that fail: whether it tells them apart.

"Evaluating Large Language Models Trained on Code" (arXiv 2107.03374, section 3.3 and figure
8) finds for each problem that the two distributions overlap so much that a higher BLEU does
not mean a better program.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]

BINS = 10
"""Of equal width over BLEU's range of 0 to 100, the last of which holds 100 too."""
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Overlap:
    """How BLEU is distributed over the right and the wrong samples of a problem.

    ``right`` and ``wrong`` count samples by bin. The measures are missing where either has
    none:

    ``at_least`` is the probability that a wrong sample, taken at random, has at least the BLEU
    of a right one (the Mann-Whitney statistic of the two, with ties counted in full): 0 where
    some threshold parts them, about 0.5 where BLEU says nothing, 1 where all are equal.

    ``shared`` is the overlap coefficient of the histograms: what both have in common when
    each is scaled to 1, the sum over the bins of the smaller share. From 0 to 1.
    """

    problem: int
    right: tuple[int, ...]
    wrong: tuple[int, ...]
    at_least: float | None
    shared: float | None


def score_samples(texts: Sequence[str], problems: Counts, references: Sequence[str]) -> Scores:
    """Sentence BLEU of each sample against the reference of its problem, float64[samples].

    From 0 to 100, with exponential smoothing and effective order, so that texts of fewer than
    four words have a score. A word is a name, the digits of a number, or one character of
    punctuation, so that spaces between words do not count; line breaks and indentation do not
    either. No tokenizer of sacrebleu does so for code: "13a" parts ``n - 1`` but not ``n-1``,
    "intl" has the same trouble with ``1, 2``, both break up ``snake_case``, "char" compares
    letters, and "none" takes ``f(n-1)`` for one word. All but the last also keep the texts of
    65,536 calls in memory.

    Takes about half a millisecond for 200 words, and up to 600 bytes of memory for each word
    of the longest text while that is scored.

    Args:
      texts: the samples, of the same part of a program as the references.
      problems: int64[samples], the number of each one's problem in ``references``.
      references: of the problems.
    """
    # It takes 0.1 s to import, which is for those who ask for BLEU alone.
    from sacrebleu.metrics.bleu import BLEU

    bleu = BLEU(tokenize="none", effective_order=True)
    parted = [_part_words(reference) for reference in references]
    scores = np.empty(len(texts))
    for place, (text, problem) in enumerate(zip(texts, problems.tolist(), strict=True)):
        scores[place] = bleu.sentence_score(_part_words(text), [parted[problem]]).score
    # Rounding may take equal texts above it.
    return np.minimum(scores, 100)


def measure_overlaps(
    problems: Counts, passed: npt.NDArray[np.bool_], scores: Scores
) -> tuple[Overlap, ...]:
    """The overlap of right and wrong samples, by ascending number of the problem.

    Args:
      problems: int64[samples], the number of each one's problem.
      passed: bool[samples].
      scores: float64[samples], from 0 to 100.
    """
    overlaps = []
    order = np.argsort(problems, kind="stable")
    distinct, first = np.unique(problems[order], return_index=True)
    for problem, own in zip(distinct.tolist(), np.split(order, first[1:]), strict=True):
        right, wrong = scores[own[passed[own]]], scores[own[~passed[own]]]
        overlaps.append(_measure_overlap(problem, right, wrong))
    return tuple(overlaps)


def _measure_overlap(problem: int, right: Scores, wrong: Scores) -> Overlap:
    bins = [np.histogram(own, BINS, (0, 100))[0] for own in (right, wrong)]
    histograms = [tuple(own.tolist()) for own in bins]
    pairs = right.size * wrong.size
    if not pairs:
        return Overlap(problem, histograms[0], histograms[1], None, None)
    at_least = int(np.searchsorted(np.sort(right), wrong, side="right").sum()) / pairs
    shared = int(np.minimum(bins[0] * wrong.size, bins[1] * right.size).sum()) / pairs
    return Overlap(problem, histograms[0], histograms[1], at_least, shared)


def _part_words(text: str) -> str:
    return " ".join(_WORD.findall(text))
