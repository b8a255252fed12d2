"""Lines that hold telling phrases: assertions, open tasks, output, filler text.

Phrases are looked for by four of their letters, in blocks; only where such four stand are
they compared byte by byte.
"""

from __future__ import annotations

import functools
import operator
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from transforms.buffers import Bytes, Offsets
from transforms.compiled import allocation_free, compiled
from transforms.lexing.skips import is_word
from transforms.scanning import WIDE, Further, Lanes, before_end, bits_where, lowest_bit


class Phrase(IntEnum):
    """The columns of what `count_phrases` returns."""

    ASSERT = 0
    """Lines with ``assert``, also within a word, in any case."""
    TODO = 1
    """Lines with the word ``todo`` or ``fixme``, or ``your code here``, in any case, after a
    sign that begins a comment."""
    OUTPUT = 2
    """Lines with ``print``, ``console.`` or ``cout``, in any case."""
    LOREM_IPSUM = 3
    """Lines with ``lorem ipsum``, in any case."""


_COLUMNS = len(Phrase)
_ASSERT, _TODO, _OUTPUT, _LOREM_IPSUM = (int(phrase) for phrase in Phrase)
_NEWLINE = ord("\n")

_PHRASES = (
    (b"assert", 2, _ASSERT, False),
    (b"todo", 0, _TODO, True),
    (b"fixme", 1, _TODO, True),
    (b"your code here", 7, _TODO, True),
    (b"print", 0, _OUTPUT, False),
    (b"console.", 3, _OUTPUT, False),
    (b"cout", 0, _OUTPUT, False),
    (b"lorem ipsum", 7, _LOREM_IPSUM, False),
)
"""Phrases in lower case, where in each its four telling letters are, its column, and whether
it must be words of a comment."""

_LONGEST = max(len(text) for text, _, _, _ in _PHRASES)
_TEXTS = np.zeros((len(_PHRASES), _LONGEST), dtype=np.uint8)
for _index, (_text, _, _, _) in enumerate(_PHRASES):
    _TEXTS[_index, : len(_text)] = list(_text)
_FACTS = np.array(
    [(len(text), at, column, comment) for text, at, column, comment in _PHRASES], dtype=np.int64
)

_CASE = np.uint8(0x20)
_TELLING = 4


def _may_have_phrase(further: Further) -> Lanes:
    """Where four letters stand that tell of a phrase, in any case."""
    bytes_ = [further(place).lower() for place in range(_TELLING)]
    return functools.reduce(
        operator.or_,
        (
            functools.reduce(
                operator.and_,
                (byte.equal(letter) for byte, letter in zip(bytes_, text[at:], strict=False)),
            )
            for text, at, _, _ in _PHRASES
        ),
    )


_phrase_bits = bits_where(_may_have_phrase)


def count_phrases(data: Bytes, offsets: Offsets) -> npt.NDArray[np.int64]:
    """int64[texts, len(Phrase)]: the lines of each text that hold each phrase."""
    return _count_phrases(data, offsets, _TEXTS, _FACTS)


@compiled
def _count_phrases(
    data: Bytes, offsets: Offsets, texts: npt.NDArray[np.uint8], facts: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    rows = offsets.size - 1
    counts = np.zeros((rows, _COLUMNS), dtype=np.int64)
    # Of each phrase, where the line on which it was counted last begins.
    counted = np.empty(_COLUMNS, dtype=np.int64)
    place = np.empty(5, dtype=np.int64)
    for row in range(rows):
        text = data[offsets[row] : offsets[row + 1]]
        counted[:] = -1
        place[:] = 0
        for block in range(0, text.size, WIDE):
            hits = _hits_of_block(data, offsets[row] + block, offsets[row + 1])
            while hits:
                at = block + lowest_bit(hits)
                hits &= hits - np.uint64(1)
                _find_line(text, at, place)
                _count_at(text, at, texts, facts, counts[row], counted, place)
    return counts


@allocation_free
def _hits_of_block(data: Bytes, block: int, end: int) -> np.uint64:
    """The places of a block before an end at which a phrase's letters may be, as bits."""
    hits = ~np.uint64(0)
    if block + WIDE + _TELLING <= data.size:
        hits = _phrase_bits(data, block)
    return before_end(hits, block, end)


# What is known of the line of the place at which a text was looked at last: that place, where
# its line begins, up to where it was searched for a sign that begins a comment, whether there
# is one, and whether there was white space only. No byte is read again for each hit of a line.
_LAST, _LINE, _SEARCHED, _SIGN, _INDENTED = range(5)


@allocation_free
def _find_line(text: Bytes, at: int, place: npt.NDArray[np.int64]) -> None:
    begin = at
    while begin > place[_LAST] and text[begin - 1] != _NEWLINE:
        begin -= 1
    if begin > place[_LAST] or begin == 0:
        place[_LINE] = begin
        place[_SEARCHED] = begin
        place[_SIGN] = 0
        place[_INDENTED] = 1
    place[_LAST] = at


@allocation_free
def _count_at(
    text: Bytes,
    at: int,
    texts: npt.NDArray[np.uint8],
    facts: npt.NDArray[np.int64],
    count: npt.NDArray[np.int64],
    counted: npt.NDArray[np.int64],
    place: npt.NDArray[np.int64],
) -> None:
    """Counts the phrases whose four letters are at a place, if all of the phrase is."""
    for phrase in range(texts.shape[0]):
        length, before, column, comment = facts[phrase]
        start = at - before
        if counted[column] == place[_LINE] or start < 0 or start + length > text.size:
            continue
        equal = True
        for letter in range(length):
            equal &= _lower(text[start + letter]) == texts[phrase, letter]
        if equal and (not comment or _is_comment(text, start, start + length, place)):
            counted[column] = place[_LINE]
            count[column] += 1


@allocation_free
def _lower(byte: np.uint8) -> np.uint8:
    return byte | _CASE if 0x41 <= byte <= 0x5A else byte


@allocation_free
def _is_comment(text: Bytes, start: int, stop: int, place: npt.NDArray[np.int64]) -> bool:
    """Whether whole words stand after a sign that begins a comment, on the same line."""
    if start > 0 and is_word(text[start - 1]):
        return False
    if stop < text.size and is_word(text[stop]):
        return False
    for at in range(place[_SEARCHED], start):
        byte, following = text[at], text[at + 1]
        place[_SIGN] |= (
            (byte == 0x23 or byte == 0x25)  # # and %
            or (place[_INDENTED] == 1 and (byte == 0x2A or byte == 0x3B))  # * and ;
            or (byte == 0x2F and (following == 0x2F or following == 0x2A))  # // and /*
            or (byte == 0x2D and following == 0x2D)  # --
            or (byte == 0x3C and following == 0x21)  # <!
        )
        place[_INDENTED] &= byte == 0x20 or byte == 0x09
    place[_SEARCHED] = max(place[_SEARCHED], start)
    return bool(place[_SIGN] == 1)
