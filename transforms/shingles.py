"""Shingles: runs of five consecutive words of a text, as 64-bit hashes.

A word is a maximal run of ``[A-Za-z0-9_]`` and of bytes from 0x80 on. A text with
fewer words than a shingle has is one shingle as a whole; a text without words has
none. A word is hashed eight bytes at a time by a bijection (the 64-bit finalizer of
MurmurHash3), so that different words of at most eight bytes never share a hash; a
shingle's hash is a polynomial in the hashes of its words modulo 2^64.

Text is read in blocks that end between words: one loop finds where words begin and end,
one hashes the words, one combines them. Each stays in the processor's nearest cache, and
the last is plain arithmetic on arrays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.buffers import Bytes, Offsets
from transforms.compiled import allocation_free, compiled
from transforms.interpreted import MULTIPLIER, SHINGLE_WORDS, word_bytes
from transforms.scanning import WIDE, find_edges, load_word

Hashes = npt.NDArray[np.uint64]

_POWERS = np.array([pow(int(MULTIPLIER), n, 1 << 64) for n in range(SHINGLE_WORDS)], np.uint64)
_BLOCK_BYTES = 4_096
_CHUNK = 8
_MAX_INSERTION = 24
_IS_WORD_BYTE = word_bytes()


@allocation_free
def mix(value: np.uint64) -> np.uint64:
    """Spreads every bit of a 64-bit value over all others; a bijection (MurmurHash3)."""
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xFF51AFD7ED558CCD)
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xC4CEB9FE1A85EC53)
    value ^= value >> np.uint64(33)
    return value


def hash_words(data: Bytes, offsets: Offsets) -> tuple[Hashes, Offsets]:
    """The hash of each word of each text.

    Returns:
      ``hashes`` uint64[words] and ``offsets`` int64[texts + 1]: those of text i are
      ``hashes[offsets[i]:offsets[i + 1]]``.
    """
    if offsets.size == 0:
        raise ValueError("offsets need at least one entry")
    return _hash_all_words(data, offsets)


@compiled
def _hash_all_words(data: Bytes, offsets: Offsets) -> tuple[Hashes, Offsets]:
    rows = offsets.size - 1
    edges = np.empty(_BLOCK_BYTES + WIDE, dtype=np.int64)
    # What is not written of it takes no memory.
    words = np.empty((offsets[rows] - offsets[0] + rows) // 2 + 1, dtype=np.uint64)
    ends = np.zeros(rows + 1, dtype=np.int64)
    count = 0
    for row in range(rows):
        position = offsets[row]
        while position < offsets[row + 1]:
            stop = _end_of_block(data, position, offsets[row + 1])
            count += _hash_words(data, position, stop, edges, words[count:])
            position = stop
        ends[row + 1] = count
    return words[:count], ends


@allocation_free
def _end_of_block(data: Bytes, position: int, end: int) -> int:
    """Where a block ends that begins here: between words."""
    stop = min(position + _BLOCK_BYTES, end)
    while stop < end and _IS_WORD_BYTE[data[stop]]:
        stop += 1
    return stop


@allocation_free
def combine_words(words: Hashes, out: Hashes) -> int:
    """Writes the shingle hashes of the text of these words, repeats included.

    ``out`` has room for as many as there are words. Says how many were written.
    """
    made = words.size - SHINGLE_WORDS + 1
    if made > 0:
        _combine(words, made, out)
        return made
    if words.size == 0:
        return 0
    out[0] = 0
    for word in words:
        out[0] = out[0] * MULTIPLIER + word
    return 1


@compiled
def hash_shingles(data: Bytes, start: int, end: int, out: Hashes) -> int:
    """Writes the shingle hashes of one text in order of appearance, repeats included.

    Args:
      data: the bytes that hold the text, from ``start`` to before ``end``.
      out: room for at least ``max_shingles(end - start)`` hashes.

    Returns:
      How many hashes were written.
    """
    size = min(end - start, _BLOCK_BYTES)
    edges = np.empty(size + WIDE, dtype=np.int64)
    # The last words of a block begin shingles that end in the next one.
    words = np.empty(size // 2 + 1 + SHINGLE_WORDS, dtype=np.uint64)
    waiting = 0
    count = 0
    position = start
    while position < end:
        stop = _end_of_block(data, position, end)
        found = waiting + _hash_words(data, position, stop, edges, words[waiting:])
        made = max(found - SHINGLE_WORDS + 1, 0)
        _combine(words, made, out[count:])
        count += made
        waiting = min(found, SHINGLE_WORDS - 1)
        for slot in range(waiting):
            words[slot] = words[found - waiting + slot]
        position = stop
    return count if count else combine_words(words[:waiting], out)


@allocation_free
def _hash_words(data: Bytes, start: int, stop: int, edges: Offsets, out: Hashes) -> int:
    """Writes the hashes of the words from ``start`` to before ``stop``; says how many."""
    found = find_edges(data, start, stop, edges)
    count = (found + 1) // 2
    whole = stop + _CHUNK <= data.size
    for word in range(count):
        first = np.uint64(edges[2 * word])
        left = np.uint64(edges[2 * word + 1]) - first
        value = np.uint64(0)
        while left > np.uint64(_CHUNK):
            value = mix(value ^ load_word(data, first))
            first += np.uint64(_CHUNK)
            left -= np.uint64(_CHUNK)
        if whole:
            unused = np.uint64(64) - np.uint64(8) * left
            last = load_word(data, first) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> unused)
        else:
            last = _load_short(data, first, left)
        out[word] = mix(value ^ last)
    return count


@allocation_free
def _load_short(data: Bytes, at: np.uint64, size: np.uint64) -> np.uint64:
    """As `load_word`, for so many bytes, where the data may end before eight."""
    value = np.uint64(0)
    for place in range(size):
        value |= np.uint64(data[at + place]) << np.uint64(8 * place)
    return value


@allocation_free
def _combine(words: Hashes, count: int, out: Hashes) -> None:
    for first in range(count):
        place = np.uint64(first)
        value = words[place + np.uint64(SHINGLE_WORDS - 1)]
        for slot in range(SHINGLE_WORDS - 1):
            value += words[place + np.uint64(slot)] * _POWERS[SHINGLE_WORDS - 1 - slot]
        out[place] = value


@allocation_free
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
        found = sort_distinct(scratch[:count])
        hashes[total : total + found.size] = found
        total += found.size
        ends[row + 1] = total
    return hashes[:total].copy(), ends


@compiled
def sort_distinct(values: Hashes) -> Hashes:
    """The distinct values in ascending order."""
    ordered = sort_hashes(values)
    count = 0
    for index in range(ordered.size):
        if index == 0 or ordered[index] != ordered[index - 1]:
            ordered[count] = ordered[index]
            count += 1
    return ordered[:count]


@compiled
def sort_hashes(values: Hashes) -> Hashes:
    """The values in ascending order, in linear time where they are spread evenly."""
    bits = 1
    while 1 << bits < values.size:
        bits += 1
    shift = np.uint64(64 - bits)
    ends = np.zeros((1 << bits) + 1, dtype=np.int32)
    for value in values:
        ends[(value >> shift) + np.uint64(1)] += np.int32(1)
    largest = np.int32(0)
    for bucket in range(1, ends.size):
        largest = max(largest, ends[bucket])
        ends[bucket] += ends[bucket - 1]
    ordered = np.empty_like(values)
    for value in values:
        bucket = value >> shift
        ordered[np.uint64(ends[bucket])] = value
        ends[bucket] += np.int32(1)
    if largest > _MAX_INSERTION:
        _sort_large_buckets(ordered, ends)
    for index in range(1, ordered.size):
        value = ordered[index]
        place = index
        while place > 0 and ordered[place - 1] > value:
            ordered[place] = ordered[place - 1]
            place -= 1
        ordered[place] = value
    return ordered


@compiled
def _sort_large_buckets(values: Hashes, ends: npt.NDArray[np.int32]) -> None:
    # Repeats, and texts made to collide, fill single buckets: those must not cost a square.
    start = 0
    for end in ends[:-1]:
        if end - start > _MAX_INSERTION:
            values[start:end] = np.sort(values[start:end])
        start = end


@allocation_free
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


@allocation_free
def jaccard(left: Hashes, right: Hashes) -> float:
    """The Jaccard similarity of two ascending arrays of distinct values; 0 if both are empty."""
    common = count_common(left, right)
    union = left.size + right.size - common
    return common / union if union else 0.0
