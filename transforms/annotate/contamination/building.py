"""Making the index of some benchmarks: their n-grams, and which of them are evidence.

An n-gram is a window of consecutive words of one of a problem's texts. Not all are
evidence that a document has the problem:

- what more than `BOILERPLATE_TASKS` problems of a benchmark have is the template that
  they are all wrapped in, such as its imports and comments;
- what has fewer than `MIN_TELLING_WORDS` different words that are neither numbers nor a
  single character, nor names that may differ, is a row of numbers or a phrase that much
  code has. Of shorter n-grams than usual, two fifths have to be such words.

Those lengthen a match and do not make one. Texts of fewer words than an n-gram are not
looked for at all: ``return x + y`` is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.annotate.contamination.index import BenchmarkIndex, Tables
from transforms.annotate.contamination.problems import Problem
from transforms.annotate.contamination.windows import hash_windows, same_windows
from transforms.annotate.contamination.words import (
    GAPS_COUNT,
    GAPS_IGNORED,
    GAPS_WITHOUT_SPACE,
    Comparison,
    Flags,
    Integers,
    Words,
    split_words,
)
from transforms.buffers import Offsets
from transforms.shingles import Hashes

BOILERPLATE_TASKS = 10
MIN_TELLING_WORDS = 5

_FILTER_BITS_PER_NGRAM = 32
_MIN_FILTER_WIDTH, _MAX_FILTER_WIDTH = 16, 27


def comparison_of(
    ngram_words: int, *, ignore_whitespace: bool, ignore_identifiers: bool
) -> Comparison:
    """What makes two n-grams equal.

    Where identifiers may differ, gaps count but for their whitespace: without names
    and punctuation all code is the same.
    """
    if not ignore_whitespace:
        gaps = GAPS_COUNT
    else:
        gaps = GAPS_WITHOUT_SPACE if ignore_identifiers else GAPS_IGNORED
    return Comparison(ngram_words, gaps, ignore_identifiers)


def build_index(problems: Iterable[Problem], comparison: Comparison) -> BenchmarkIndex:
    """The index of problems; those of one benchmark stay in their order."""
    ordered = sorted(problems, key=lambda problem: problem.benchmark)
    names = pa.table(
        {
            "benchmark": pa.array([problem.benchmark for problem in ordered], pa.string()),
            "task": pa.array([problem.task for problem in ordered], pa.string()),
        }
    )
    texts = [(task, text) for task, problem in enumerate(ordered) for text in problem.texts]
    text_tasks = np.array([task for task, _ in texts], np.int32)
    ends = np.cumsum([0, *(len(text) for _, text in texts)], dtype=np.int64)
    ends.flags.writeable = False
    data = np.frombuffer(b"".join(text for _, text in texts), np.uint8)
    words = split_words(data, ends, comparison)
    windows = np.maximum(np.diff(words.offsets) - comparison.ngram_words + 1, 0)
    first_words = _first_words(words, windows)
    hashes, places, numbers = np.unique(
        hash_windows(words, comparison)[first_words], return_index=True, return_inverse=True
    )
    firsts = first_words[places]
    pairs = np.unique(np.stack([numbers, np.repeat(text_tasks, windows)], 1), axis=0)
    is_evidence = _is_telling(words, firsts, comparison)
    is_evidence[_boilerplate(pairs, names["benchmark"])] = False
    # Where different n-grams share a hash, they are of no use, nor are texts that have them.
    same = same_windows(words, first_words, words, firsts[numbers], comparison)
    is_evidence[numbers[~same]] = False
    pairs = pairs[is_evidence[pairs[:, 0]]]
    text_offsets = _offsets_of(windows)
    ending_offsets, ending_texts = _endings(text_offsets, numbers, is_evidence, same)
    tables = Tables(
        words=words,
        hashes=hashes,
        firsts=firsts.astype(np.int32),
        filter=_filter_of(hashes),
        tasks_offsets=_offsets_of(np.bincount(pairs[:, 0], minlength=hashes.size)),
        tasks=pairs[:, 1].astype(np.int32),
        task_ngrams=np.bincount(pairs[:, 1], minlength=len(ordered)).astype(np.int32),
        text_offsets=text_offsets,
        text_ngrams=numbers.astype(np.int32),
        text_tasks=text_tasks,
        ending_offsets=ending_offsets,
        ending_texts=ending_texts,
    )
    for array in tables[1:]:
        # As those of a mapped file are: kernels are compiled for one kind of array only.
        array.flags.writeable = False
    return BenchmarkIndex(comparison, names, tables)


def _first_words(words: Words, windows: Offsets) -> Offsets:
    """The first word of each window of each text."""
    before = np.cumsum(windows) - windows
    within = np.arange(int(windows.sum())) - np.repeat(before, windows)
    return np.repeat(words.offsets[:-1], windows) + within


def _offsets_of(counts: npt.NDArray[np.integer[Any]]) -> Integers:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


def _boilerplate(pairs: Offsets, benchmarks: pa.ChunkedArray) -> Offsets:
    """The n-grams that too many tasks of one benchmark have, by pairs of n-gram and task."""
    numbers = benchmarks.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    many = int(numbers.max(initial=0)) + 1
    keys, counts = np.unique(pairs[:, 0] * many + numbers[pairs[:, 1]], return_counts=True)
    found: Offsets = keys[counts > BOILERPLATE_TASKS] // many
    return found


def _sums(flags: Flags, offsets: Integers) -> Offsets:
    """How many flags are set in each range."""
    before = np.concatenate([[0], np.cumsum(flags)])
    counts: Offsets = before[offsets[1:]] - before[offsets[:-1]]
    return counts


def _filter_of(hashes: Hashes) -> npt.NDArray[np.uint8]:
    """A bit for each value of the hashes' top bits, few enough of them set to be of use."""
    width = (hashes.size * _FILTER_BITS_PER_NGRAM).bit_length()
    width = min(max(width, _MIN_FILTER_WIDTH), _MAX_FILTER_WIDTH)
    bits = np.zeros(1 << width, np.uint8)
    bits[(hashes >> np.uint64(64 - width)).astype(np.int64)] = 1
    return np.packbits(bits, bitorder="little")


def _endings(
    text_offsets: Integers, text_ngrams: Offsets, is_evidence: Flags, is_usable: Flags
) -> tuple[Integers, Integers]:
    """The texts by their last n-gram, longest first, but for those without evidence."""
    sizes = np.diff(text_offsets)
    evidence = _sums(is_evidence[text_ngrams], text_offsets)
    texts = np.flatnonzero((evidence > 0) & (_sums(~is_usable, text_offsets) == 0))
    last = text_ngrams[text_offsets[texts + 1] - 1]
    order = np.lexsort((texts, -sizes[texts], last))
    counts = np.bincount(last, minlength=is_evidence.size)
    return _offsets_of(counts), texts[order].astype(np.int32)


def _is_telling(words: Words, firsts: Offsets, comparison: Comparison) -> Flags:
    """Which n-grams have enough different words that tell something."""
    least = min(MIN_TELLING_WORDS, 2 * comparison.ngram_words // 5)
    starts, ends = words.edges[::2], words.edges[1::2]
    is_number = (words.data[starts] >= ord("0")) & (words.data[starts] <= ord("9"))
    tells = (ends - starts >= 2) & ~is_number
    if comparison.renaming:
        tells &= words.backs < 0
    windows = firsts[:, None] + np.arange(comparison.ngram_words)
    # Words that tell nothing count as one word, which is taken off again.
    different = np.sort(np.where(tells[windows], words.hashes[windows], np.uint64(0)), axis=1)
    counts = 1 + (np.diff(different, axis=1) != 0).sum(axis=1) - (different[:, 0] == 0)
    found: Flags = counts >= least
    return found
