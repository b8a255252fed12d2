"""Texts as words, read in the way in which they are to be compared.

A word is what `transforms.shingles` calls one. What stands between two words, their
gap, counts as `Comparison` says. Where identifiers may be renamed, a text is read as
Python: a word outside of strings and comments that is neither a number nor of the
language's vocabulary is a name.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms import interpreted
from transforms.annotate.contamination.vocabulary import VOCABULARY
from transforms.buffers import Bytes, Offsets
from transforms.compiled import allocation_free, compiled
from transforms.scanning import WIDE, find_edges
from transforms.shingles import Hashes, hash_words

GAPS_IGNORED = 0
GAPS_WITHOUT_SPACE = 1
GAPS_COUNT = 2

Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int32]

# Odd, with well-spread bits: Knuth's MMIX generator.
_BYTE = np.uint64(6364136223846793005)

SPACES = b" \t\n\r\f\v"
_HASH_SIGN, _BACKSLASH, _LINE_FEED = ord("#"), ord("\\"), ord("\n")
_DOUBLE, _SINGLE = ord('"'), ord("'")


class Comparison(NamedTuple):
    """What makes two windows equal.

    ``gaps`` says whether gaps are ignored, have to be equal without their whitespace,
    or have to be equal; ``renaming`` whether names may differ.
    """

    ngram_words: int
    gaps: int
    renaming: bool


class Words(NamedTuple):
    """The words of some texts in ``data``, one text after the other. Not to be written.

    Those of text i are ``offsets[i]`` to before ``offsets[i + 1]``. Word w is from
    ``edges[2 * w]`` to before ``edges[2 * w + 1]`` and has ``hashes[w]``; ``gaps[w]`` is a
    hash of what stands before it in its text. ``backs[w]`` is -1 for what is no name; for
    a name how many words ago it stood last, 0 where that is further than an n-gram goes.
    ``gaps`` and ``backs`` are empty where a comparison does not need them.
    """

    data: Bytes
    offsets: Offsets
    edges: Offsets
    hashes: Hashes
    gaps: Hashes
    backs: Integers


def _bytes_table(characters: bytes) -> Flags:
    table = np.zeros(256, dtype=np.bool_)
    table[list(characters)] = True
    return table


IS_SPACE = _bytes_table(SPACES)
_IS_DIGIT = _bytes_table(b"0123456789")
_IS_PREFIX = _bytes_table(b"rRbBfFuU")


def split_words(data: Bytes, offsets: Offsets, comparison: Comparison) -> Words:
    """The words of texts that are ``data[offsets[i]:offsets[i + 1]]``."""
    hashes, word_offsets = hash_words(data, offsets)
    edges = _find_edges(data, offsets, hashes.size)
    gaps, backs = np.empty(0, np.uint64), np.empty(0, np.int32)
    if comparison.gaps != GAPS_IGNORED:
        is_counted = np.full(256, True) if comparison.gaps == GAPS_COUNT else ~IS_SPACE
        gaps = _hash_gaps(data, offsets, word_offsets, edges, is_counted)
    if comparison.renaming:
        backs = _find_names(data, offsets, word_offsets, edges, hashes)
        _look_back(word_offsets, hashes, comparison.ngram_words, backs)
    words = Words(data, word_offsets, edges, hashes, gaps, backs)
    for array in words[1:]:
        # As those of a mapped file are: kernels are compiled for one kind of array only.
        array.flags.writeable = False
    return words


@compiled
def _find_edges(data: Bytes, offsets: Offsets, words: int) -> Offsets:
    edges = np.empty(2 * words + WIDE, np.int64)
    found = 0
    for text in range(offsets.size - 1):
        found += find_edges(data, offsets[text], offsets[text + 1], edges[found:])
        # Where the text ends with its last word, that end is not counted.
        found += found % 2
    return edges[:found]


@compiled
def _hash_gaps(
    data: Bytes, offsets: Offsets, word_offsets: Offsets, edges: Offsets, is_counted: Flags
) -> Hashes:
    gaps = np.empty(edges.size // 2, np.uint64)
    for text in range(offsets.size - 1):
        before = offsets[text]
        for word in range(word_offsets[text], word_offsets[text + 1]):
            value = np.uint64(0)
            for position in range(before, edges[2 * word]):
                if is_counted[data[position]]:
                    value = value * _BYTE + np.uint64(data[position]) + np.uint64(1)
            gaps[word] = value
            before = edges[2 * word + 1]
    return gaps


def _vocabulary_table() -> Hashes:
    """The hashes of the vocabulary in a hash table with open addressing."""
    table = np.zeros(1 << (64 - int(_FIXED_SHIFT)), np.uint64)
    for value in interpreted.hash_words(" ".join(sorted(VOCABULARY)).encode()).tolist():
        slot = value >> int(_FIXED_SHIFT)
        while table[slot]:
            slot = (slot + 1) % table.size
        table[slot] = value
    return table


_FIXED_SHIFT = np.uint64(64 - 11)
_FIXED = _vocabulary_table()


@compiled
def _find_names(
    data: Bytes, offsets: Offsets, word_offsets: Offsets, edges: Offsets, hashes: Hashes
) -> Integers:
    """0 for words that are names of Python, as far as one pass can tell, -1 for others."""
    backs = np.full(hashes.size, -1, np.int32)
    for text in range(offsets.size - 1):
        position = offsets[text]
        end = offsets[text + 1]
        word = word_offsets[text]
        while position < end:
            if word < word_offsets[text + 1] and position == edges[2 * word]:
                position = edges[2 * word + 1]
                if _is_name(data, edges[2 * word], position, end, hashes[word]):
                    backs[word] = 0
                word += 1
                continue
            if data[position] == _HASH_SIGN:
                position = _end_of_comment(data, position, end)
            elif data[position] == _DOUBLE or data[position] == _SINGLE:
                position = _end_of_string(data, position, end)
            else:
                position += 1
            while word < word_offsets[text + 1] and edges[2 * word] < position:
                word += 1
    return backs


@allocation_free
def _is_name(data: Bytes, first: int, after: int, end: int, value: np.uint64) -> bool:
    """Whether a word of code is neither a number, a string's prefix nor of the vocabulary."""
    if _IS_DIGIT[data[first]]:
        return False
    is_prefix = after - first <= 2 and _IS_PREFIX[data[first]]
    if is_prefix and after < end and data[after] in (_DOUBLE, _SINGLE):
        return False
    slot = value >> _FIXED_SHIFT
    while _FIXED[slot] != 0 and _FIXED[slot] != value:
        slot = (slot + np.uint64(1)) % np.uint64(_FIXED.size)
    return bool(_FIXED[slot] != value)


@allocation_free
def _look_back(word_offsets: Offsets, hashes: Hashes, ngram_words: int, backs: Integers) -> None:
    for text in range(word_offsets.size - 1):
        for word in range(word_offsets[text], word_offsets[text + 1]):
            if backs[word] < 0:
                continue
            for back in range(1, min(ngram_words, word - word_offsets[text] + 1)):
                if backs[word - back] >= 0 and hashes[word - back] == hashes[word]:
                    backs[word] = back
                    break


@allocation_free
def _end_of_comment(data: Bytes, position: int, end: int) -> int:
    while position < end and data[position] != _LINE_FEED:
        position += 1
    return position


@allocation_free
def _end_of_string(data: Bytes, position: int, end: int) -> int:
    """Where a string ends that begins here; one of a single line ends with it at the latest."""
    quote = data[position]
    length = 1
    if position + 2 < end and data[position + 1] == quote and data[position + 2] == quote:
        length = 3
    position += length
    closing = 0
    while position < end and closing < length:
        byte = data[position]
        if length == 1 and byte == _LINE_FEED:
            return position
        closing = closing + 1 if byte == quote else 0
        position += 2 if byte == _BACKSLASH else 1
    return min(position, end)
