"""Characters, words and lines of UTF-8 texts.

Characters and words are counted in blocks, without a branch a byte; lines are then read
one by one.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from transforms.buffers import Bytes, Offsets
from transforms.compiled import allocation_free, compiled
from transforms.scanning import (
    WIDE,
    Lanes,
    before_end,
    bits_where,
    count_bits,
    load_word,
    lowest_bit,
)
from transforms.shingles import mix

Counts = npt.NDArray[np.int64]


class Count(IntEnum):
    """The columns of what `count_texts` returns."""

    CHARACTERS = 0
    """Code points."""
    LETTERS = 1
    """ASCII letters and code points beyond ASCII."""
    DIGITS = 2
    """ASCII digits."""
    SPACES = 3
    """ASCII white space."""
    RETURNS = 4
    """Carriage returns."""
    REPLACEMENTS = 5
    """U+FFFD, which stands for what could not be decoded."""
    WORDS = 6
    """Maximal runs of letters and digits."""
    LINES = 7
    """Lines; one ends at a line feed or at the end of the text."""
    LINE_FEEDS = 8
    """Line feeds."""
    BLANK_LINES = 9
    """Lines of white space only."""
    LONGEST_LINE = 10
    """Code points of the longest line, line feeds and carriage returns aside."""
    REPEATED_LINES = 11
    """Lines of at least three bytes whose text, white space at its ends aside, is
    that of another line of the text too."""
    LITERAL_LINES = 12
    """Lines that begin and end as a literal or a bracket does, such as ``'a': 1,``."""
    DIRECTIVE_LINES = 13
    """Lines whose first character is ``#``."""


_COLUMNS = len(Count)
# Plain integers compile in a fraction of the time that members of an enumeration take.
_CHARACTERS = int(Count.CHARACTERS)
_LETTERS = int(Count.LETTERS)
_DIGITS = int(Count.DIGITS)
_SPACES = int(Count.SPACES)
_RETURNS = int(Count.RETURNS)
_REPLACEMENTS = int(Count.REPLACEMENTS)
_WORDS = int(Count.WORDS)
_LINES = int(Count.LINES)
_LINE_FEEDS = int(Count.LINE_FEEDS)
_BLANK_LINES = int(Count.BLANK_LINES)
_LONGEST_LINE = int(Count.LONGEST_LINE)
_REPEATED_LINES = int(Count.REPEATED_LINES)
_LITERAL_LINES = int(Count.LITERAL_LINES)
_DIRECTIVE_LINES = int(Count.DIRECTIVE_LINES)
_NEWLINE = ord("\n")
_CARRIAGE_RETURN = ord("\r")
_HASH = ord("#")
_MARK_LEAD = 0xEF

_MIN_REPEATED_BYTES = 3
"""A bracket with a comma repeats in any text."""
_MAX_PROBES = 64
"""Places of the table of lines that are tried. Lines beyond count as not repeated, so
that lines made to collide cost no more than others."""
_ONE = np.uint64(1)

_OPENING, _CLOSING = np.uint8(0), np.uint8(1)
"""The bits of an edge."""


def _make_edges() -> npt.NDArray[np.uint8]:
    table = np.zeros(256, dtype=np.uint8)
    for byte in b"\"'0123456789-[]{}()":
        table[byte] |= 1 << _OPENING
    for byte in b"\"',0123456789[]{}()":
        table[byte] |= 1 << _CLOSING
    return table


_EDGES = _make_edges()


def count_texts(data: Bytes, offsets: Offsets) -> Counts:
    """int64[texts, len(Count)]: how much of each `Count` there is in each UTF-8 text."""
    if offsets.size == 0:
        raise ValueError("offsets need at least one entry")
    return _count_texts(data, offsets, _EDGES)


@compiled
def _count_texts(data: Bytes, offsets: Offsets, edges: npt.NDArray[np.uint8]) -> Counts:
    rows = offsets.size - 1
    counts = np.zeros((rows, _COLUMNS), dtype=np.int64)
    longest = 0
    for row in range(rows):
        longest = max(longest, offsets[row + 1] - offsets[row])
    # What is not written of it takes no memory.
    hashes = np.empty(longest, dtype=np.uint64)
    tail = np.zeros(WIDE, dtype=np.uint8)
    for row in range(rows):
        start, stop, count = offsets[row], offsets[row + 1], counts[row]
        _count_characters(data, start, stop, tail, count)
        _count_lines(data, start, stop, edges, hashes, count)
        count[_REPEATED_LINES] = _count_repeated(hashes[: count[_LINES]])
        if count[_REPLACEMENTS]:
            count[_REPLACEMENTS] = _count_replacements(data, start, stop)
    return counts


@allocation_free
def _count_lines(
    data: Bytes,
    start: int,
    stop: int,
    edges: npt.NDArray[np.uint8],
    hashes: npt.NDArray[np.uint64],
    count: npt.NDArray[np.int64],
) -> None:
    """Counts all of lines but the repeated ones, which the hashes of lines tell."""
    narrow = count[_CHARACTERS] == stop - start and count[_RETURNS] == 0
    lines = ended = blank = directives = literals = longest = 0
    block = start
    bits = _newline_bits(data, block, stop)
    while start < stop:
        while bits == 0 and block + WIDE < stop:
            block += WIDE
            bits = _newline_bits(data, block, stop)
        ended += bits != 0
        end = block + lowest_bit(bits) if bits else stop
        bits &= bits - _ONE if bits else bits
        if end - start > longest:
            longest = max(longest, end - start if narrow else _count_wide(data, start, end))
        following = end + 1
        start = _skip_spaces(data, start, end)
        while end > start and _is_space(data[end - 1]):
            end -= 1
        hashes[lines] = 0
        if start == end:
            blank += 1
        else:
            directives += data[start] == _HASH
            literals += edges[data[start]] & edges[data[end - 1]] >> _CLOSING & np.uint8(1)
            hashes[lines] = _hash_bytes(data, start, end)
        lines += 1
        start = following
    count[_LINES] = lines
    count[_LINE_FEEDS] = ended
    count[_BLANK_LINES] = blank
    count[_LONGEST_LINE] = longest
    count[_LITERAL_LINES] = literals
    count[_DIRECTIVE_LINES] = directives


_newlines = bits_where(lambda further: further(0).equal(_NEWLINE))
_spaces = bits_where(lambda further: further(0).equal(0x20) | further(0).between(9, 13))


@allocation_free
def _newline_bits(data: Bytes, position: int, end: int) -> np.uint64:
    """Where lines end among the `WIDE` bytes from a position to before an end."""
    if position + WIDE <= data.size:
        return before_end(_newlines(data, position), position, end)
    bits = np.uint64(0)
    for place in range(position, end):
        bits |= np.uint64(data[place] == _NEWLINE) << np.uint64(place - position)
    return bits


@allocation_free
def _skip_spaces(data: Bytes, start: int, end: int) -> int:
    """The first byte that is no white space, or the end."""
    while start < end and start + WIDE <= data.size:
        spaces = lowest_bit(~_spaces(data, start))
        start += spaces
        if spaces < WIDE:
            return min(start, end)
    while start < end and _is_space(data[start]):
        start += 1
    return min(start, end)


def _is_letter(byte: Lanes) -> Lanes:
    """Whether each is an ASCII letter or begins a code point beyond ASCII."""
    return byte.lower().between(ord("a"), ord("z")) | byte.between(0xC0, 0xFF)


def _is_digit(byte: Lanes) -> Lanes:
    return byte.between(ord("0"), ord("9"))


def _is_alphanumeric(byte: Lanes) -> Lanes:
    # All bytes beyond ASCII, so that a word does not end inside of a code point.
    return byte.lower().between(ord("a"), ord("z")) | _is_digit(byte) | byte.between(0x80, 0xFF)


_beginnings = bits_where(lambda further: ~further(0).between(0x80, 0xBF))
_letters = bits_where(lambda further: _is_letter(further(0)))
_digits = bits_where(lambda further: _is_digit(further(0)))
_returns = bits_where(lambda further: further(0).equal(_CARRIAGE_RETURN))
_mark_leads = bits_where(lambda further: further(0).equal(_MARK_LEAD))
_alphanumerics = bits_where(lambda further: _is_alphanumeric(further(0)))


@allocation_free
def _count_characters(
    data: Bytes, start: int, stop: int, tail: Bytes, count: npt.NDArray[np.int64]
) -> None:
    before = np.uint64(0)
    while start < stop and start + WIDE <= data.size:
        before = _count_block(data, start, min(stop - start, WIDE), before, count)
        start += WIDE
    if start < stop:
        for at in range(start, stop):
            tail[at - start] = data[at]
        _count_block(tail, 0, stop - start, before, count)


@allocation_free
def _count_block(
    data: Bytes, at: int, size: int, before: np.uint64, count: npt.NDArray[np.int64]
) -> np.uint64:
    """Counts so many bytes at a place; takes and gives whether a word goes on, as a bit."""
    ours = before_end(~np.uint64(0), 0, size)
    words = _alphanumerics(data, at) & ours
    count[_CHARACTERS] += count_bits(_beginnings(data, at) & ours)
    count[_LETTERS] += count_bits(_letters(data, at) & ours)
    count[_DIGITS] += count_bits(_digits(data, at) & ours)
    count[_SPACES] += count_bits(_spaces(data, at) & ours)
    count[_RETURNS] += count_bits(_returns(data, at) & ours)
    count[_REPLACEMENTS] += count_bits(_mark_leads(data, at) & ours)
    count[_WORDS] += count_bits(words & ~(words << _ONE | before))
    goes_on: np.uint64 = words >> np.uint64(WIDE - 1)
    return goes_on


@allocation_free
def _count_wide(data: Bytes, start: int, end: int) -> int:
    """Code points of a line other than carriage returns."""
    length = end - start
    for at in range(start, end):
        length -= data[at] & 0xC0 == 0x80 or data[at] == _CARRIAGE_RETURN
    return length


@allocation_free
def _is_space(byte: np.uint8) -> bool:
    return bool(byte == 32 or 9 <= byte <= 13)


@allocation_free
def _hash_bytes(data: Bytes, start: int, end: int) -> np.uint64:
    """A hash of some bytes with its lowest bit set, 0 for those that may repeat freely."""
    value = mix(np.uint64(end - start))
    if end - start < 8:
        if end - start < _MIN_REPEATED_BYTES:
            return np.uint64(0)
        word = np.uint64(0)
        for at in range(start, end):
            word = word << np.uint64(8) | np.uint64(data[at])
        return mix(value ^ word) | _ONE
    for at in range(start, end - 8, 8):
        value = mix(value ^ load_word(data, np.uint64(at)))
    return mix(value ^ load_word(data, np.uint64(end - 8))) | _ONE


@compiled
def _count_repeated(hashes: npt.NDArray[np.uint64]) -> int:
    size = 16
    while size < 2 * hashes.size:
        size *= 2
    # In the table the lowest bit says that the line came only once so far.
    table = np.zeros(size, dtype=np.uint64)
    repeated = 0
    for value in hashes:
        if value == 0:
            continue
        place = np.int64(value >> np.uint64(20)) & (size - 1)
        for _ in range(_MAX_PROBES):
            found = table[place]
            if found == 0:
                table[place] = value
                break
            if found | _ONE == value:
                repeated += 2 if found & _ONE else 1
                table[place] = value ^ _ONE
                break
            place = (place + 1) & (size - 1)
    return repeated


@allocation_free
def _count_replacements(data: Bytes, start: int, stop: int) -> int:
    found = 0
    for at in range(start, stop - 2):
        found += data[at] == _MARK_LEAD and data[at + 1] == 0xBF and data[at + 2] == 0xBD
    return found
