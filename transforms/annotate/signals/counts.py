"""Characters, words and lines of UTF-8 texts.

Characters and words are counted in blocks, without a branch a byte; lines are then read
one by one.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from transforms.annotate.signals.blocks import MAX_BLOCKS, WIDTH, fill_tail
from transforms.buffers import Bytes, Offsets
from transforms.compiled import allocation_free, compiled
from transforms.scanning import WIDE, before_end, bits_where, load_word, lowest_bit

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
_LANES = int(Count.WORDS) + 1
# Plain integers compile in a fraction of the time that members of an enumeration take.
_CHARACTERS = int(Count.CHARACTERS)
_RETURNS = int(Count.RETURNS)
_REPLACEMENTS = int(Count.REPLACEMENTS)
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
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
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
    lanes = np.zeros(_LANES * WIDTH, dtype=np.uint8)
    tail = np.zeros(WIDTH + 1, dtype=np.uint8)
    for row in range(rows):
        start, stop, count = offsets[row], offsets[row + 1], counts[row]
        _count_characters(data, start, stop, lanes, tail, count)
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


@allocation_free
def _count_characters(
    data: Bytes, start: int, stop: int, lanes: Bytes, tail: Bytes, count: npt.NDArray[np.int64]
) -> None:
    # A block is counted together with the byte after it, where a word may go on.
    while start + WIDTH < stop:
        blocks = min(MAX_BLOCKS, (stop - start - 1) // WIDTH)
        lanes[:] = 0
        for _ in range(blocks):
            _add_block(data[start : start + WIDTH], data[start + 1 : start + WIDTH + 1], lanes)
            start += WIDTH
        _add_lanes(lanes, count)
    lanes[:] = 0
    fill_tail(tail, data, start, stop)
    _add_block(tail[:WIDTH], tail[1:], lanes)
    _add_lanes(lanes, count)
    count[_CHARACTERS] -= WIDTH - (stop - start)


@allocation_free
def _add_block(block: Bytes, following: Bytes, lanes: Bytes) -> None:
    # All lanes are in one array, so that the compiler sees that they do not overlap.
    for at in range(WIDTH):
        byte = block[at]
        digit = np.uint8(np.uint8(byte - np.uint8(0x30)) < np.uint8(10))
        space = np.uint8(np.uint8(byte - np.uint8(9)) < np.uint8(5))
        word_ends = _is_word(byte) & (np.uint8(1) - _is_word(following[at]))
        lanes[at] += np.uint8((byte & np.uint8(0xC0)) != np.uint8(0x80))
        lanes[WIDTH + at] += _is_letter(byte)
        lanes[2 * WIDTH + at] += digit
        lanes[3 * WIDTH + at] += space | np.uint8(byte == np.uint8(0x20))
        lanes[4 * WIDTH + at] += np.uint8(byte == np.uint8(_CARRIAGE_RETURN))
        lanes[5 * WIDTH + at] += np.uint8(byte == np.uint8(_MARK_LEAD))
        lanes[6 * WIDTH + at] += word_ends


@allocation_free
def _add_lanes(lanes: Bytes, count: npt.NDArray[np.int64]) -> None:
    for lane in range(_LANES):
        for at in range(WIDTH):
            count[lane] += lanes[lane * WIDTH + at]


@allocation_free
def _is_letter(byte: np.uint8) -> np.uint8:
    lower = np.uint8((byte | np.uint8(0x20)) - np.uint8(0x61))
    return np.uint8(lower < np.uint8(26)) | np.uint8(byte >= np.uint8(0xC0))


@allocation_free
def _is_word(byte: np.uint8) -> np.uint8:
    # All bytes beyond ASCII, so that a word does not end inside of a code point.
    digit = np.uint8(np.uint8(byte - np.uint8(0x30)) < np.uint8(10))
    return _is_letter(byte) | digit | np.uint8(byte >= np.uint8(0x80))


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
    value = np.uint64(end - start)
    if end - start < 8:
        if end - start < _MIN_REPEATED_BYTES:
            return np.uint64(0)
        word = np.uint64(0)
        for at in range(start, end):
            word = word << np.uint64(8) | np.uint64(data[at])
        value = (value ^ word) * _MULTIPLIER
        return value ^ value >> _SHIFT | _ONE
    for at in range(start, end - 8, 8):
        value = (value ^ load_word(data, np.uint64(at))) * _MULTIPLIER
        value ^= value >> _SHIFT
    value = (value ^ load_word(data, np.uint64(end - 8))) * _MULTIPLIER
    return value ^ value >> _SHIFT | _ONE


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
