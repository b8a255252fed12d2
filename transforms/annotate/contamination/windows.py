"""Windows of consecutive words: as 64-bit hashes, and compared byte by byte.

Equal windows have equal hashes; the reverse is for `same_windows` to say. Where names
may differ, a name stands for how many words ago it stood last in the same window (Baker's
encoding of parameterized strings, 1993), so that windows are equal if and only if a
one-to-one renaming makes them so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.annotate.contamination.words import (
    GAPS_IGNORED,
    GAPS_WITHOUT_SPACE,
    IS_SPACE,
    Comparison,
    Flags,
    Integers,
    Words,
)
from transforms.buffers import Bytes, Offsets
from transforms.compiled import allocation_free, compiled
from transforms.shingles import Hashes, mix

# Odd multipliers with well-spread bits: splitmix64's two, and PCG's.
_WORD = np.uint64(0x9E3779B97F4A7C15)
_GAP = np.uint64(0xBF58476D1CE4E5B9)
_NAME = np.uint64(0xDA942042E4DD58B5)


def hash_windows(words: Words, comparison: Comparison) -> Hashes:
    """The hash of the window that begins with each word; 0 where its text ends before it."""
    size = comparison.ngram_words
    hashes = np.zeros(words.hashes.size, np.uint64)
    if comparison.renaming:
        _hash_renamed(words.offsets, words.hashes, words.gaps, words.backs, size, hashes)
    else:
        _hash_windows(words.offsets, words.hashes, words.gaps, size, hashes)
    return hashes


@allocation_free
def _hash_windows(offsets: Offsets, hashes: Hashes, gaps: Hashes, size: int, out: Hashes) -> None:
    power = np.uint64(1)
    for _ in range(size - 1):
        power *= _WORD
    for text in range(offsets.size - 1):
        value = np.uint64(0)
        for word in range(offsets[text], offsets[text + 1]):
            value = value * _WORD + hashes[word]
            if gaps.size:
                value += gaps[word] * _GAP
            first = word - size + 1
            if first >= offsets[text]:
                if gaps.size:
                    # The gap before its first word is not part of a window.
                    value -= gaps[first] * _GAP * power
                out[first] = mix(value)
                value -= hashes[first] * power


@allocation_free
def _hash_renamed(
    offsets: Offsets, hashes: Hashes, gaps: Hashes, backs: Integers, size: int, out: Hashes
) -> None:
    for text in range(offsets.size - 1):
        for first in range(offsets[text], offsets[text + 1] - size + 1):
            value = np.uint64(0)
            for word in range(first, first + size):
                part = hashes[word]
                if backs[word] >= 0:
                    # What stood before the window does not count.
                    back = backs[word] if backs[word] <= word - first else 0
                    part = _NAME + np.uint64(back)
                if word > first:
                    part += gaps[word] * _GAP
                value = value * _WORD + part
            out[first] = mix(value)


@compiled
def have_windows(
    words: Hashes,
    offsets: Offsets,
    size: int,
    bits: npt.NDArray[np.uint8],
    ngrams: Hashes,
    tasks_offsets: Integers,
) -> Flags:
    """Which texts have a window of some n-grams that are evidence, by the hashes of words alone.

    Args:
      words: uint64[words], with ``offsets`` what `shingles.hash_words` gives.
      offsets: int64[texts + 1].
      size: words of a window.
      bits: the filter of an index.
      ngrams: uint64[n-grams], ascending, those that it was made of.
      tasks_offsets: of the index; an n-gram without tasks is no evidence.
    """
    shift = filter_shift(bits)
    power = np.uint64(1)
    for _ in range(size - 1):
        power *= _WORD
    found = np.zeros(offsets.size - 1, np.bool_)
    for text in range(found.size):
        value = np.uint64(0)
        for word in range(offsets[text], min(offsets[text] + size - 1, offsets[text + 1])):
            value = value * _WORD + words[word]
        for word in range(offsets[text] + size - 1, offsets[text + 1]):
            value = value * _WORD + words[word]
            window = mix(value)
            value -= words[word - size + 1] * power
            if passes_filter(window, bits, shift):
                place = np.searchsorted(ngrams, window)
                known = place < ngrams.size and ngrams[place] == window
                if known and tasks_offsets[place + 1] > tasks_offsets[place]:
                    found[text] = True
                    break
    return found


@allocation_free
def filter_shift(bits: npt.NDArray[np.uint8]) -> np.uint64:
    """By how much a hash is shifted to its place in a filter."""
    shift = np.uint64(64)
    size = bits.size * 8
    while size > 1:
        size //= 2
        shift -= np.uint64(1)
    return shift


@allocation_free
def passes_filter(value: np.uint64, bits: npt.NDArray[np.uint8], shift: np.uint64) -> bool:
    """Whether a hash may be among those that a filter was made of."""
    top = value >> shift
    return bool((bits[top >> np.uint64(3)] >> (top & np.uint64(7))) & 1)


def same_windows(
    left: Words, lefts: Offsets, right: Words, rights: Offsets, comparison: Comparison
) -> Flags:
    """Whether windows, by their first words, are equal to others, by their bytes."""
    size = comparison.ngram_words
    same: Flags
    if comparison.renaming:
        backs = left.backs, right.backs
        same = _same_renamed(
            left.data, left.edges, lefts, right.data, right.edges, rights, size, *backs
        )
    else:
        same = _same_words(left.data, left.edges, lefts, right.data, right.edges, rights, size)
    if comparison.gaps != GAPS_IGNORED:
        skipped = IS_SPACE if comparison.gaps == GAPS_WITHOUT_SPACE else np.full(256, False)
        same &= _same_gaps(
            left.data, left.edges, lefts, right.data, right.edges, rights, size, skipped
        )
    return same


@compiled
def _same_words(
    left_data: Bytes,
    left_edges: Offsets,
    lefts: Offsets,
    right_data: Bytes,
    right_edges: Offsets,
    rights: Offsets,
    size: int,
) -> Flags:
    same = np.ones(lefts.size, np.bool_)
    for pair in range(lefts.size):
        for place in range(size):
            i, j = lefts[pair] + place, rights[pair] + place
            if not _same_word(left_data, left_edges, i, right_data, right_edges, j):
                same[pair] = False
                break
    return same


@compiled
def _same_renamed(
    left_data: Bytes,
    left_edges: Offsets,
    lefts: Offsets,
    right_data: Bytes,
    right_edges: Offsets,
    rights: Offsets,
    size: int,
    left_backs: Integers,
    right_backs: Integers,
) -> Flags:
    same = np.ones(lefts.size, np.bool_)
    for pair in range(lefts.size):
        for place in range(size):
            i, j = lefts[pair] + place, rights[pair] + place
            if (left_backs[i] >= 0) != (right_backs[j] >= 0):
                same[pair] = False
            elif left_backs[i] < 0:
                same[pair] &= _same_word(left_data, left_edges, i, right_data, right_edges, j)
            else:
                for back in range(1, place + 1):
                    here = left_backs[i - back] >= 0 and _same_word(
                        left_data, left_edges, i, left_data, left_edges, i - back
                    )
                    there = right_backs[j - back] >= 0 and _same_word(
                        right_data, right_edges, j, right_data, right_edges, j - back
                    )
                    same[pair] &= here == there
    return same


@allocation_free
def _same_word(
    left_data: Bytes, left_edges: Offsets, i: int, right_data: Bytes, right_edges: Offsets, j: int
) -> bool:
    start, other = left_edges[2 * i], right_edges[2 * j]
    size = left_edges[2 * i + 1] - start
    if size != right_edges[2 * j + 1] - other:
        return False
    same = 0
    while same < size and left_data[start + same] == right_data[other + same]:
        same += 1
    return bool(same == size)


@compiled
def _same_gaps(
    left_data: Bytes,
    left_edges: Offsets,
    lefts: Offsets,
    right_data: Bytes,
    right_edges: Offsets,
    rights: Offsets,
    size: int,
    is_skipped: Flags,
) -> Flags:
    same = np.ones(lefts.size, np.bool_)
    for pair in range(lefts.size):
        for place in range(size - 1):
            left, right = 2 * (lefts[pair] + place) + 1, 2 * (rights[pair] + place) + 1
            i, i_end = left_edges[left], left_edges[left + 1]
            j, j_end = right_edges[right], right_edges[right + 1]
            while True:
                while i < i_end and is_skipped[left_data[i]]:
                    i += 1
                while j < j_end and is_skipped[right_data[j]]:
                    j += 1
                if i == i_end or j == j_end or left_data[i] != right_data[j]:
                    break
                i += 1
                j += 1
            if i < i_end or j < j_end:
                same[pair] = False
                break
    return same
