"""Where comments, strings and the like end: one function for each kind of token of `tables`.

All take bytes and a position behind the opener, and give the position behind the end. What
opens and never closes is looked for a bounded number of times, so that no text costs more
than linear time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.buffers import Bytes
from transforms.compiled import allocation_free
from transforms.interpreted import word_bytes
from transforms.lexing.tables import (
    AFTER_SPACE,
    CASELESS,
    CLOSER,
    CLOSES,
    COLUMN_ONE,
    CONTINUES,
    FENCE,
    FENCED,
    FLAGS,
    IS_COMMENT,
    KIND,
    LAST,
    LINE_START,
    NESTS,
    NEW_WORD,
    OPENER,
    OPENS,
    STATEMENT,
    THEN,
    TWO_PARTS,
    WHOLE_LINE,
    WHOLE_WORD,
    WORD_FENCE,
    Tokens,
)
from transforms.scanning import next_of

State = npt.NDArray[np.int64]

NOTHING, COMMENT, STRING, UNFINISHED = range(4)

# Places in the state: the string that is gone on with (plus one), open pieces of
# interpolated code, heredocs that begin after this line, searches in vain, bytes that were
# searched in vain for the end of regular expressions, whether what was skipped last has
# line ends, and what it was.
MODE, DEPTH, PENDING, FAILURES, WASTED, LINES, OUTCOME, HEREDOCS = range(8)
MAX_HEREDOCS = 4
FRAMES = HEREDOCS + 3 * MAX_HEREDOCS

MAX_FAILURES = 16
_MAX_REGEX_BYTES = 1_000
_MAX_WASTED_BYTES = 100_000
_MAX_CHARACTER_BYTES = 12
MAX_FENCE_BYTES = 255

NEWLINE, RETURN, BACKSLASH = 0x0A, 0x0D, 0x5C

_WORD, _SPACE, _SEPARATOR, _SIGIL, _LINE_END = 1, 2, 4, 8, 16
_CLASSES = np.zeros(256, dtype=np.uint8)
_CLASSES[word_bytes() == 1] = _WORD
_CLASSES[[*b" \t\f\v"]] = _SPACE
_CLASSES[[*b"\r\n"]] = _SPACE | _LINE_END
_CLASSES[[*b";|(){},"]] = _SEPARATOR
_CLASSES[ord("&")] = _SEPARATOR | _SIGIL
_CLASSES[[*b"$@%>-\\"]] = _SIGIL

# What closes each byte that may stand around a part of s/a/b/ and its like; 0 for others.
_DELIMITERS = np.zeros(256, dtype=np.uint8)
_DELIMITERS[[*b"([{</|!~#"]] = [*b")]}>/|!~#"]


# After these a slash begins a regular expression, though they are words.
_BEFORE_REGEX = np.array(
    [
        int.from_bytes(word, "big")
        for word in (
            *(b"return", b"typeof", b"case", b"in", b"of", b"delete", b"void", b"throw", b"else"),
            *(b"do", b"if", b"unless", b"and", b"or", b"not", b"while", b"until", b"when"),
            *(b"split", b"grep"),
        )
    ],
    dtype=np.int64,
)
_MAX_WORD_BYTES = 7


@allocation_free
def is_word(byte: int) -> bool:
    """Whether a byte is an ASCII letter or digit, an underscore or beyond ASCII."""
    return bool(_CLASSES[byte] & _WORD)


@allocation_free
def is_line_end(byte: int) -> bool:
    """Whether a byte is a line feed or a carriage return."""
    return bool(_CLASSES[byte] & _LINE_END)


@allocation_free
def opens_here(
    data: Bytes, begin: int, position: int, end: int, token: int, tokens: Tokens
) -> bool:
    """Whether a token's opener stands here and what holds of it does."""
    row = tokens[token]
    size = row[OPENS]
    flags = row[FLAGS]
    if position + size > end:
        return False
    for place in range(size):
        byte = data[position + place]
        if flags & CASELESS and 0x41 <= byte <= 0x5A:
            byte |= 0x20
        if byte != row[OPENER + place]:
            return False
    if flags & (LINE_START | COLUMN_ONE | AFTER_SPACE | NEW_WORD) and position > begin:
        before = data[position - 1]
        if flags & NEW_WORD and _CLASSES[before] & _WORD:
            return False
        if flags & AFTER_SPACE and not _CLASSES[before] & (_SPACE | _SEPARATOR):
            return False
        if flags & COLUMN_ONE and not is_line_end(before):
            return False
        if flags & LINE_START:
            place = position - 1
            while place >= begin and (data[place] == 0x20 or data[place] == 0x09):
                place -= 1
            if place >= begin and not is_line_end(data[place]):
                return False
    after = position + size
    if flags & WHOLE_WORD and after < end and _CLASSES[data[after]] & _WORD:
        return False
    return row[KIND] != FENCED or _fence_size(data, after, end, token, tokens) >= 0


@allocation_free
def closes_here(data: Bytes, position: int, end: int, token: int, tokens: Tokens) -> bool:
    """Whether what closes a token stands here."""
    size = tokens[token, CLOSES]
    if position + size > end:
        return False
    place = 0
    while place < size and data[position + place] == tokens[token, CLOSER + place]:
        place += 1
    return bool(place == size)


@allocation_free
def skip_line(data: Bytes, position: int, end: int, flags: int) -> int:
    """The end of a comment that a line's end closes, without that."""
    mark = np.uint8(0x3F) if flags & STATEMENT else np.uint8(NEWLINE)
    stops = (np.uint8(NEWLINE), np.uint8(RETURN), mark)
    while True:
        position = next_of(data, position, end, stops)
        if position == end:
            break
        byte = data[position]
        if is_line_end(byte):
            if not (flags & CONTINUES and data[position - 1] == BACKSLASH):
                break
            if byte == RETURN and position + 1 < end and data[position + 1] == NEWLINE:
                position += 1
        elif flags & STATEMENT and byte == 0x3F and data[min(position + 1, end - 1)] == 0x3E:
            break
        position += 1
    return position


@allocation_free
def skip_block(
    data: Bytes, position: int, end: int, token: int, tokens: Tokens, state: State
) -> int:
    """The end of a comment; of its opener where nothing closes it."""
    after = position
    if state[FAILURES] >= MAX_FAILURES:
        return after
    opens = tokens[token, OPENER]
    closes = tokens[token, CLOSER]
    nests = tokens[token, FLAGS] & NESTS
    stops = (np.uint8(closes), np.uint8(opens if nests else closes))
    depth = 1
    while True:
        position = next_of(data, position, end, stops)
        if position == end:
            break
        byte = data[position]
        if byte == closes and closes_here(data, position, end, token, tokens):
            position += tokens[token, CLOSES]
            depth -= 1
            if depth == 0:
                state[OUTCOME] = COMMENT
                if tokens[token, FLAGS] & WHOLE_LINE:
                    return skip_line(data, position, end, 0)
                return position
        elif nests and byte == opens and opens_here(data, position, position, end, token, tokens):
            position += tokens[token, OPENS]
            depth += 1
        else:
            position += 1
    state[FAILURES] += 1
    return after


@allocation_free
def skip_character(data: Bytes, position: int, end: int) -> int:
    """The end of a character between quotes; of the quote alone where there is none."""
    if position >= end:
        return position
    last = min(end, position + _MAX_CHARACTER_BYTES)
    if data[position] == BACKSLASH:
        place = position + 2
        while place < last and data[place] != 0x27 and not _CLASSES[data[place]] & _SPACE:
            place += 1
        return place + 1 if place < last and data[place] == 0x27 else position
    place = position + 1
    while place < last and data[place] & 0xC0 == 0x80:
        place += 1
    return place + 1 if place < last and data[place] == 0x27 else position


@allocation_free
def _fence_size(data: Bytes, position: int, end: int, token: int, tokens: Tokens) -> int:
    """Bytes of the fence here, -1 where it or what has to follow it is not whole."""
    fence = tokens[token, FENCE]
    then = tokens[token, THEN]
    last = min(end, position + MAX_FENCE_BYTES)
    place = position
    while place < last and (
        data[place] == fence or (fence == WORD_FENCE and _CLASSES[data[place]] & _WORD)
    ):
        place += 1
    bare = tokens[token, OPENS] == 0 or then == 0
    if (bare and place == position) or (then and (place == end or data[place] != then)):
        return -1
    return place - position


@allocation_free
def skip_fenced(
    data: Bytes, position: int, end: int, token: int, tokens: Tokens, state: State
) -> int:
    """The end of a string whose two ends have the same fence."""
    row = tokens[token]
    fence = position
    size = _fence_size(data, position, end, token, tokens)
    last = row[LAST]
    position += size + (row[THEN] != 0)
    state[OUTCOME] = COMMENT if row[FLAGS] & IS_COMMENT else NOTHING
    while position < end:
        byte = data[position]
        if is_line_end(byte):
            state[LINES] = 1
        if byte == row[CLOSER] and closes_here(data, position, end, token, tokens):
            place = position + row[CLOSES]
            match = 0
            while match < size and place < end and data[place] == data[fence + match]:
                place += 1
                match += 1
            if match == size and (last == 0 or (place < end and data[place] == last)):
                return int(place + (last != 0))
        position += 1
    state[OUTCOME] = UNFINISHED
    return end


@allocation_free
def skip_regex(data: Bytes, begin: int, position: int, end: int, state: State) -> int:
    """The end of a regular expression; one byte on where the slash divides."""
    after = position + 1
    wasted = state[WASTED] > _MAX_WASTED_BYTES
    if wasted or not _may_begin_regex(data, begin, position, end):
        return after
    in_class = False
    last = min(end, after + _MAX_REGEX_BYTES)
    place = after
    while place < last:
        byte = data[place]
        if is_line_end(byte):
            break
        if byte == BACKSLASH:
            place += 1
        elif byte == 0x5B:
            in_class = True
        elif byte == 0x5D:
            in_class = False
        elif byte == 0x2F and not in_class:
            return place + 1
        place += 1
    state[WASTED] += place - after
    return after


@allocation_free
def _may_begin_regex(data: Bytes, begin: int, position: int, end: int) -> bool:
    """Whether what stands before a slash makes it a regular expression's, not a division's."""
    place = position - 1
    while place >= begin and _CLASSES[data[place]] & _SPACE:
        place -= 1
    if place < begin:
        return True
    before = data[place]
    if not _CLASSES[before] & _WORD:
        # Brackets and quotes end values; the slash of </tag> is no operator.
        quoted = before == 0x22 or before == 0x27 or before == 0x60
        closed = before == 0x29 or before == 0x5D or before == 0x7D
        return not (quoted or closed or (before == 0x3C and place == position - 1))
    packed = 0
    size = 0
    while place >= begin and _CLASSES[data[place]] & _WORD and size <= _MAX_WORD_BYTES:
        packed |= int(data[place]) << (8 * size)
        size += 1
        place -= 1
    known = 0
    while known < _BEFORE_REGEX.size and _BEFORE_REGEX[known] != packed:
        known += 1
    return size <= _MAX_WORD_BYTES and known < _BEFORE_REGEX.size


@allocation_free
def skip_delimited(
    data: Bytes, begin: int, position: int, end: int, opener: int, flags: int, state: State
) -> int:
    """The end of q(...), s/a/b/ and their like; of the opener where they are none."""
    start = position - opener
    if position >= end or state[FAILURES] >= MAX_FAILURES:
        return position
    if start > begin and _CLASSES[data[start - 1]] & _SIGIL:
        return position
    place = _skip_part(data, position, end, state)
    if place >= 0 and flags & TWO_PARTS:
        opens = data[position]
        if _DELIMITERS[opens] == opens:
            place = _skip_part(data, place - 1, end, state)
        else:
            while place < end and _CLASSES[data[place]] & _SPACE:
                place += 1
            place = _skip_part(data, place, end, state)
    if place >= 0:
        return place
    state[LINES] = 0
    return position


@allocation_free
def _skip_part(data: Bytes, position: int, end: int, state: State) -> int:
    """The end of what stands between a delimiter and what closes it, or -1."""
    if position >= end:
        return -1
    opens = data[position]
    closes = _DELIMITERS[opens]
    if closes == 0:
        return -1
    depth = 1
    place = position + 1
    while place < end:
        byte = data[place]
        if byte == BACKSLASH:
            place += 1
        elif byte == closes:
            depth -= 1
            if depth == 0:
                return place + 1
        elif byte == opens:
            depth += 1
        elif is_line_end(byte):
            state[LINES] = 1
        place += 1
    state[FAILURES] += 1
    return -1
