"""Shingles: runs of five consecutive words of a text, as 64-bit hashes.

A word is a maximal run of ``[A-Za-z0-9_]`` and of bytes from 0x80 on. A text with
fewer words than a shingle has is one shingle as a whole; a text without words has
none. A word's hash is a polynomial in its bytes modulo 2^64, a shingle's a polynomial
in the finalized hashes of its words, finalized again (the 64-bit finalizer of
MurmurHash3), so that equal words give equal shingles wherever they stand.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.buffers import Bytes, Offsets
from transforms.compiled import compiled

SHINGLE_WORDS = 5

Hashes = npt.NDArray[np.uint64]

# Odd multipliers with well-spread bits: those of splitmix64 and of Knuth's MMIX generator.
_BYTE_MULTIPLIER = np.uint64(6364136223846793005)
_WORD_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MAX_INSERTION = 24


def _word_bytes() -> npt.NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[0x80:] = True
    table[ord("_")] = True
    for first, last in ("09", "AZ", "az"):
        table[ord(first) : ord(last) + 1] = True
    return table


IS_WORD_BYTE = _word_bytes()


@compiled
def mix(value: np.uint64) -> np.uint64:
    """Spreads every bit of a 64-bit value over all others; a bijection (MurmurHash3)."""
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xFF51AFD7ED558CCD)
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xC4CEB9FE1A85EC53)
    value ^= value >> np.uint64(33)
    return value


@compiled
def hash_shingles(data: Bytes, start: int, end: int, out: Hashes) -> int:
    """Writes the shingle hashes of one text in order of appearance, repeats included.

    Args:
      data: the bytes that hold the text, from ``start`` to before ``end``.
      out: room for at least ``max_shingles(end - start)`` hashes.

    Returns:
      How many hashes were written.
    """
    recent = np.zeros(SHINGLE_WORDS, dtype=np.uint64)
    words = 0
    count = 0
    position = start
    while position < end:
        if not IS_WORD_BYTE[data[position]]:
            position += 1
            continue
        word = np.uint64(0)
        while position < end and IS_WORD_BYTE[data[position]]:
            word = word * _BYTE_MULTIPLIER + np.uint64(data[position]) + np.uint64(1)
            position += 1
        for slot in range(SHINGLE_WORDS - 1):
            recent[slot] = recent[slot + 1]
        recent[SHINGLE_WORDS - 1] = mix(word)
        words += 1
        if words >= SHINGLE_WORDS:
            out[count] = _combine(recent, 0)
            count += 1
    if 0 < words < SHINGLE_WORDS:
        out[0] = _combine(recent, SHINGLE_WORDS - words)
        count = 1
    return count


@compiled
def _combine(words: Hashes, first: int) -> np.uint64:
    value = np.uint64(0)
    for slot in range(first, SHINGLE_WORDS):
        value = value * _WORD_MULTIPLIER + words[slot]
    return mix(value)


@compiled
def max_shingles(size: int) -> int:
    """The most shingles that a text of so many bytes can have."""
    return (size + 1) // 2 + 1


def distinct_shingles(data: Bytes, offsets: Offsets) -> tuple[Hashes, Offsets]:
    """The sorted distinct shingle hashes of each text.

    Returns:
      ``hashes`` uint64[n] and ``offsets`` int64[texts + 1]: those of text i are
      ``hashes[offsets[i]:offsets[i + 1]]``, ascending.
    """
    if offsets.size == 0:
        raise ValueError("offsets need at least one entry")
    return _distinct_shingles(data, offsets)


@compiled
def _distinct_shingles(data: Bytes, offsets: Offsets) -> tuple[Hashes, Offsets]:
    rows = offsets.size - 1
    longest = 0
    room = 0
    for row in range(rows):
        size = max_shingles(offsets[row + 1] - offsets[row])
        longest = max(longest, size)
        room += size
    scratch = np.empty(longest, dtype=np.uint64)
    hashes = np.empty(room, dtype=np.uint64)
    ends = np.zeros(rows + 1, dtype=np.int64)
    total = 0
    for row in range(rows):
        count = hash_shingles(data, offsets[row], offsets[row + 1], scratch)
        ordered = sort_hashes(scratch[:count])
        for index in range(count):
            if index == 0 or ordered[index] != ordered[index - 1]:
                hashes[total] = ordered[index]
                total += 1
        ends[row + 1] = total
    return hashes[:total].copy(), ends


@compiled
def sort_hashes(values: Hashes) -> Hashes:
    """The values in ascending order, in linear time where they are spread evenly."""
    bits = 0
    while values.size >> bits > 2:
        bits += 1
    if bits == 0:
        return np.sort(values)
    shift = np.uint64(64 - bits)
    ends = np.zeros((1 << bits) + 1, dtype=np.int64)
    for value in values:
        ends[(value >> shift) + np.uint64(1)] += 1
    for bucket in range(1, ends.size):
        ends[bucket] += ends[bucket - 1]
    starts = ends[:-1].copy()
    ordered = np.empty_like(values)
    for value in values:
        bucket = value >> shift
        ordered[starts[bucket]] = value
        starts[bucket] += 1
    for bucket in range(ends.size - 1):
        _sort_bucket(ordered[ends[bucket] : ends[bucket + 1]])
    return ordered


@compiled
def _sort_bucket(values: Hashes) -> None:
    # Repeats, and texts made to collide, fill single buckets: those must not cost a square.
    if values.size > _MAX_INSERTION:
        values[:] = np.sort(values)
        return
    for index in range(1, values.size):
        value = values[index]
        place = index
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value


@compiled
def count_common(left: Hashes, right: Hashes) -> int:
    """How many values two ascending arrays of distinct values have in common."""
    common = 0
    i = 0
    j = 0
    while i < left.size and j < right.size:
        if left[i] == right[j]:
            common += 1
            i += 1
            j += 1
        elif left[i] < right[j]:
            i += 1
        else:
            j += 1
    return common


@compiled
def jaccard(left: Hashes, right: Hashes) -> float:
    """The Jaccard similarity of two ascending arrays of distinct values; 0 if both are empty."""
    common = count_common(left, right)
    union = left.size + right.size - common
    return common / union if union else 0.0
