"""Repeated n-grams of words: how much of a text they make up.

Gopher's signals (arXiv 2112.11446, table A1), which OpenCoder's filters apply to code. A
word is a maximal run of ``[A-Za-z0-9_]`` and of bytes from 0x80 on, in lower case; its
length is counted in code points. Where the papers take punctuation out of a text and
split it at white space, so that ``a.b`` is one word, words end at punctuation here.

N-grams are compared by 64-bit hashes, each made from that of the n-gram that is one word
shorter. Two of a million n-grams of a text share a hash with a probability of 3e-8.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from schemas.redundancy import REPEATED_SIZES, TOP_SIZES
from transforms.buffers import Bytes, Offsets
from transforms.compiled import allocation_free, compiled
from transforms.interpreted import MULTIPLIER, word_bytes
from transforms.shingles import Hashes, mix

Shares = npt.NDArray[np.float64]
_Numbers = npt.NDArray[np.int64]

_LARGEST_TOP, _LARGEST = max(TOP_SIZES), max(REPEATED_SIZES)
_SMALLEST = min(TOP_SIZES)
_COLUMNS = len(TOP_SIZES) + len(REPEATED_SIZES)
_MAX_PROBES = 64
"""Places of the table that are tried. N-grams beyond count as occurring once, so that
hashes made to collide cost no more than others."""

_IS_WORD_BYTE = word_bytes()


@compiled
def repeated_shares(data: Bytes, offsets: Offsets) -> Shares:
    """float64[texts, sizes]: shares of the characters of words, 0 where there are no words.

    The first columns are for `TOP_SIZES`: the n-gram that occurs most often, and at least
    twice, times its occurrences, at most 1; of several the one that comes first. The
    others are for `REPEATED_SIZES`: what is in any n-gram that occurs twice or more, each
    character counted once.
    """
    rows = offsets.size - 1
    shares = np.zeros((rows, _COLUMNS), dtype=np.float64)
    longest = 0
    for row in range(rows):
        longest = max(longest, offsets[row + 1] - offsets[row])
    hashes = np.empty(longest // 2 + 1, dtype=np.uint64)
    lengths = np.empty(longest // 2 + 1, dtype=np.int64)
    for row in range(rows):
        words = _find_words(data, offsets[row], offsets[row + 1], hashes, lengths)
        if words >= _SMALLEST:
            _measure(hashes[:words], lengths[:words], shares[row])
    return shares


@allocation_free
def _find_words(data: Bytes, start: int, end: int, hashes: Hashes, lengths: _Numbers) -> int:
    """Writes the hash and the length of each word; gives their number."""
    count = 0
    place = start
    while place < end:
        if not _IS_WORD_BYTE[data[place]]:
            place += 1
            continue
        value = np.uint64(0)
        length = 0
        while place < end and _IS_WORD_BYTE[data[place]]:
            byte = data[place]
            if 65 <= byte <= 90:
                byte += np.uint8(32)
            value = (value ^ np.uint64(byte)) * MULTIPLIER
            value ^= value >> np.uint64(29)
            # Bytes that go on with a code point begin with the bits 10.
            length += (byte & 0xC0) != 0x80
            place += 1
        hashes[count] = mix(value)
        lengths[count] = length
        count += 1
    return count


@compiled
def _measure(words: Hashes, lengths: _Numbers, shares: Shares) -> None:
    total = lengths.sum()
    if total == 0:
        return
    size = 16
    while size < 2 * words.size:
        size *= 2
    table = np.empty(size, dtype=np.int64)
    firsts = np.empty(words.size, dtype=np.int64)
    counts = np.empty(words.size, dtype=np.int64)
    ngrams = words.copy()
    for n in range(_SMALLEST, min(_LARGEST, words.size) + 1):
        column = n - _SMALLEST
        for first in range(words.size - n + 1):
            ngrams[first] = mix(ngrams[first] * MULTIPLIER + words[first + n - 1])
        last = words.size - n + 1
        _count(ngrams[:last], table, firsts, counts)
        if n <= _LARGEST_TOP:
            shares[column] = min(_top_characters(last, n, lengths, counts) / total, 1.0)
        else:
            shares[column] = _repeated_characters(last, n, lengths, firsts, counts) / total


@allocation_free
def _count(ngrams: Hashes, table: _Numbers, firsts: _Numbers, counts: _Numbers) -> None:
    """Where each n-gram occurs first, and how often it does, at that place."""
    table[:] = -1
    mask = np.uint64(table.size - 1)
    for place in range(ngrams.size):
        slot = ngrams[place] & mask
        firsts[place] = place
        counts[place] = 1
        for _ in range(_MAX_PROBES):
            other = table[slot]
            if other < 0:
                table[slot] = place
                break
            if ngrams[other] == ngrams[place]:
                firsts[place] = other
                counts[other] += 1
                break
            slot = (slot + np.uint64(1)) & mask


@compiled
def _top_characters(last: int, n: int, lengths: _Numbers, counts: _Numbers) -> int:
    best = 0
    for place in range(last):
        if counts[place] > counts[best]:
            best = place
    if counts[best] < 2:
        return 0
    characters: int = counts[best] * lengths[best : best + n].sum()
    return characters


@allocation_free
def _repeated_characters(
    last: int, n: int, lengths: _Numbers, firsts: _Numbers, counts: _Numbers
) -> int:
    characters = 0
    covered = 0
    for place in range(last):
        if counts[firsts[place]] > 1:
            for word in range(max(place, covered), place + n):
                characters += lengths[word]
            covered = place + n
    return characters
