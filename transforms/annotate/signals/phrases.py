"""Lines that hold telling phrases: assertions, open tasks, output, filler text.

Phrases are looked for by four of their letters, in blocks; only a block that has such
four is read byte by byte.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from transforms.annotate.signals.blocks import LOOKAHEAD, WIDTH, fill_tail
from transforms.buffers import Bytes, Offsets
from transforms.compiled import allocation_free, compiled
from transforms.lexing.skips import is_word


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
# The compiler makes vectors of comparisons with constants only.
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7 = (
    tuple(np.uint8(letter) for letter in text[at : at + 4]) for text, at, _, _ in _PHRASES
)


def count_phrases(data: Bytes, offsets: Offsets) -> npt.NDArray[np.int64]:
    """int64[texts, len(Phrase)]: the lines of each text that hold each phrase."""
    return _count_phrases(data, offsets, _TEXTS, _FACTS)


@compiled
def _count_phrases(
    data: Bytes, offsets: Offsets, texts: npt.NDArray[np.uint8], facts: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    rows = offsets.size - 1
    counts = np.zeros((rows, _COLUMNS), dtype=np.int64)
    tail = np.zeros(WIDTH + LOOKAHEAD, dtype=np.uint8)
    hits = np.zeros(WIDTH, dtype=np.uint8)
    # Of each phrase, where the line on which it was counted last begins.
    counted = np.empty(_COLUMNS, dtype=np.int64)
    place = np.empty(5, dtype=np.int64)
    for row in range(rows):
        start, stop = offsets[row], offsets[row + 1]
        text = data[start:stop]
        counted[:] = -1
        place[:] = 0
        for start in range(0, text.size, WIDTH):
            if start + WIDTH + LOOKAHEAD <= text.size:
                _find_letters(text[start : start + WIDTH + LOOKAHEAD], hits)
            else:
                fill_tail(tail, text, start, min(start + WIDTH + LOOKAHEAD, text.size))
                _find_letters(tail, hits)
            if _any(hits):
                for at in range(WIDTH):
                    if hits[at]:
                        _find_line(text, start + at, place)
                        _count_at(text, start + at, texts, facts, counts[row], counted, place)
    return counts


@allocation_free
def _find_letters(block: Bytes, hits: Bytes) -> None:
    for at in range(WIDTH):
        one = block[at] | _CASE
        two = block[at + 1] | _CASE
        three = block[at + 2] | _CASE
        four = block[at + 3] | _CASE
        hits[at] = (
            _equal(one, two, three, four, _L0)
            | _equal(one, two, three, four, _L1)
            | _equal(one, two, three, four, _L2)
            | _equal(one, two, three, four, _L3)
            | _equal(one, two, three, four, _L4)
            | _equal(one, two, three, four, _L5)
            | _equal(one, two, three, four, _L6)
            | _equal(one, two, three, four, _L7)
        )


@allocation_free
def _equal(
    one: np.uint8, two: np.uint8, three: np.uint8, four: np.uint8, letters: tuple[np.uint8, ...]
) -> np.uint8:
    return (
        np.uint8(one == letters[0])
        & np.uint8(two == letters[1])
        & np.uint8(three == letters[2])
        & np.uint8(four == letters[3])
    )


@allocation_free
def _any(hits: Bytes) -> bool:
    found = np.uint8(0)
    for hit in hits:
        found |= hit
    return bool(found != 0)


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
