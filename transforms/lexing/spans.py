"""The comments and strings of a text, one after another, by the tables of `tables`.

One pass, no parser: what is code is not looked at further. Everything that opens and never
closes is looked for a bounded number of times, so that no text costs more than linear time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.buffers import Bytes
from transforms.compiled import allocation_free, compiled
from transforms.lexing.heredocs import skip_heredoc, skip_heredocs
from transforms.lexing.skips import (
    BACKSLASH,
    COMMENT,
    DEPTH,
    FRAMES,
    LINES,
    MODE,
    NEWLINE,
    NOTHING,
    OUTCOME,
    PENDING,
    RETURN,
    STRING,
    UNFINISHED,
    State,
    closes_here,
    is_line_end,
    is_word,
    opens_here,
    skip_block,
    skip_character,
    skip_delimited,
    skip_fenced,
    skip_line,
    skip_regex,
)
from transforms.lexing.tables import (
    BACKSLASH_PAREN,
    BLOCK,
    BRACES,
    BRACKET,
    CHARACTER,
    CLOSER,
    CLOSES,
    DELIMITED,
    DOLLAR_BOTH,
    DOLLAR_BRACE,
    DOLLAR_PAREN,
    ESCAPE,
    ESCAPES,
    FENCED,
    FLAGS,
    FORMATTED,
    HASH_BRACE,
    HEREDOC,
    INTERPOLATES,
    IS_TEXT,
    KIND,
    LINE,
    MANY_OPENERS,
    MULTILINE,
    OPENS,
    QUOTED,
    REGEX,
    Firsts,
    Openers,
    Tokens,
)
from transforms.scanning import next_of

# Of each piece of interpolated code: its string, brackets open in it, the byte that ends
# it, whether it is in the format after the colon.
_TOKEN, _COUNT, _END, _FORMAT, _FRAME_SIZE = range(5)
_MAX_FRAMES = 24
_STATE_SIZE = FRAMES + _MAX_FRAMES * _FRAME_SIZE

# The first byte of what begins code in a string, by the style of that.
_INTERPOLATION_OPENERS = np.zeros(BRACES + 1, dtype=np.uint8)
_INTERPOLATION_OPENERS[[DOLLAR_BRACE, DOLLAR_PAREN, DOLLAR_BOTH]] = ord("$")
_INTERPOLATION_OPENERS[[HASH_BRACE, BACKSLASH_PAREN, BRACES]] = [*b"#\\{"]

# The mode in which the heredocs of the line before begin.
_AT_HEREDOCS = -1


@compiled
def new_state() -> State:
    """What `next_span` remembers of a text, to be made ready by `begin_text`."""
    return np.zeros(_STATE_SIZE, dtype=np.int64)


@allocation_free
def begin_text(state: State, start: int) -> None:
    """Forgets the text before; ``start`` is the row of the text before all code, or -1."""
    state[:FRAMES] = 0
    state[MODE] = start + 1


@allocation_free
def next_span(
    data: Bytes,
    begin: int,
    position: int,
    end: int,
    syntax: int,
    tokens: Tokens,
    firsts: Firsts,
    openers: Openers,
    state: State,
) -> tuple[int, int, int]:
    """The next comment, or string with line ends, of ``data[begin:end]`` from a position on.

    Returns its start, its end and what it is; ``NOTHING`` at the end of the text.
    """
    while position < end:
        start = position
        if state[MODE] == _AT_HEREDOCS:
            state[MODE] = 0
            state[LINES] = 0
            position = skip_heredocs(data, position, end, state)
            if state[LINES]:
                return start, position, STRING
            continue
        if state[MODE] > 0:
            token = state[MODE] - 1
            style = BRACES if tokens[token, FLAGS] & FORMATTED else tokens[token, INTERPOLATES]
            position = _skip_quoted(data, position, end, token, tokens, style, state)
        else:
            row = 2 * syntax + (state[DEPTH] > 0 or state[PENDING] > 0)
            first = firsts[row]
            position = _next_opener(data, position, end, first, openers[row])
            if position == end:
                break
            start = position
            token = first[data[position]] - 1
            while tokens[token, KIND] and not opens_here(data, begin, position, end, token, tokens):
                token += 1
            position = _skip(data, begin, position, end, token, tokens, state)
        if state[OUTCOME] == COMMENT:
            return start, position, COMMENT
        if tokens[token, FLAGS] & IS_TEXT:
            continue
        if state[OUTCOME] == UNFINISHED:
            return start, position, UNFINISHED
        if state[LINES]:
            return start, position, STRING
    return end, end, NOTHING


@allocation_free
def _next_opener(
    data: Bytes, position: int, end: int, first: npt.NDArray[np.int16], openers: Bytes
) -> int:
    """The next byte that a token may begin with, or the end."""
    if openers[0] <= 4:
        few = (openers[1], openers[2], openers[3], openers[4])
        return next_of(data, position, end, few)
    if openers[0] <= MANY_OPENERS:
        more = (openers[5], openers[6], openers[7], openers[8])
        return next_of(data, position, end, (openers[1], openers[2], openers[3], openers[4], *more))
    while position < end and first[data[position]] == 0:
        position += 1
    return position


@allocation_free
def _skip(
    data: Bytes,
    begin: int,
    position: int,
    end: int,
    token: int,
    tokens: Tokens,
    state: State,
) -> int:
    """The end of what a token opens, at least one byte on."""
    kind = tokens[token, KIND]
    after = position + tokens[token, OPENS]
    state[LINES] = 0
    state[OUTCOME] = NOTHING
    if kind == LINE:
        state[OUTCOME] = COMMENT
        return skip_line(data, after, end, tokens[token, FLAGS])
    if kind == QUOTED:
        interpolates = tokens[token, INTERPOLATES]
        if tokens[token, FLAGS] & FORMATTED and _is_formatted(data, begin, position):
            interpolates = BRACES
        return _skip_quoted(data, after, end, token, tokens, interpolates, state)
    if kind == BRACKET:
        return _skip_bracket(data, position, end, tokens, state)
    if kind == BLOCK:
        return skip_block(data, after, end, token, tokens, state)
    if kind == CHARACTER:
        return skip_character(data, after, end)
    if kind == FENCED:
        return skip_fenced(data, after, end, token, tokens, state)
    if kind == REGEX:
        return skip_regex(data, begin, position, end, state)
    if kind == DELIMITED:
        opener = tokens[token, OPENS]
        return skip_delimited(data, begin, after, end, opener, tokens[token, FLAGS], state)
    if kind == HEREDOC:
        return skip_heredoc(data, after, end, tokens[token, FLAGS], state)
    if kind == ESCAPE and tokens[token, OPENS] == 1 and after < end:
        return int(after + (not is_line_end(data[after])))
    return int(max(after, position + 1))


@allocation_free
def _is_formatted(data: Bytes, begin: int, position: int) -> bool:
    """Whether the quote here follows a prefix of Python's with an f or a t."""
    found = False
    place = position - 1
    while place >= begin and place > position - 4 and is_word(data[place]):
        letter = data[place] | 0x20
        if letter == 0x66 or letter == 0x74:
            found = True
        elif letter != 0x72:
            return False
        place -= 1
    return found and place > position - 4


@allocation_free
def _interpolation(data: Bytes, position: int, end: int, style: int) -> int:
    """How many bytes begin interpolated code here, the last of them its bracket; or 0."""
    byte = data[position]
    if style == BRACES:
        return 1 if byte == 0x7B else 0
    if position + 1 >= end:
        return 0
    bracket = data[position + 1]
    if style == HASH_BRACE:
        return 2 if byte == 0x23 and bracket == 0x7B else 0
    if style == BACKSLASH_PAREN:
        return 2 if byte == BACKSLASH and bracket == 0x28 else 0
    braced = bracket == 0x7B and style != DOLLAR_PAREN
    parenthesized = bracket == 0x28 and style != DOLLAR_BRACE
    return 2 if byte == 0x24 and (braced or parenthesized) else 0


@allocation_free
def _skip_quoted(
    data: Bytes,
    position: int,
    end: int,
    token: int,
    tokens: Tokens,
    interpolates: int,
    state: State,
) -> int:
    """The end of a string, or of its part up to code, or of the line that it cannot leave."""
    flags = tokens[token, FLAGS]
    escape = tokens[token, ESCAPES]
    closes = tokens[token, CLOSER]
    depth = state[DEPTH]
    frame = FRAMES + (depth - 1) * _FRAME_SIZE
    in_format = state[MODE] > 0 and depth > 0 and state[frame + _FORMAT] > 0
    state[LINES] = 0
    state[OUTCOME] = NOTHING
    state[MODE] = 0
    close = np.uint8(closes)
    stops = (
        close,
        np.uint8(NEWLINE),
        np.uint8(RETURN),
        np.uint8(escape) if escape > 0 else close,
        np.uint8(_INTERPOLATION_OPENERS[interpolates]) if interpolates > 0 else close,
        np.uint8(0x7D) if in_format else close,
    )
    while True:
        position = next_of(data, position, end, stops)
        if position == end:
            break
        byte = data[position]
        if byte == closes and closes_here(data, position, end, token, tokens):
            state[DEPTH] -= in_format
            return int(position + tokens[token, CLOSES])
        if is_line_end(byte):
            if not flags & MULTILINE:
                state[DEPTH] -= in_format
                return position
            state[LINES] = 1
        elif in_format and byte == 0x7D:
            state[DEPTH] -= 1
            state[MODE] = token + 1
            return position + 1
        elif interpolates > 0 and _interpolation(data, position, end, interpolates) > 0:
            opening = _interpolation(data, position, end, interpolates)
            bracket = data[position + opening - 1]
            doubled = position + 1 < end and data[position + 1] == bracket
            if interpolates == BRACES and doubled and not in_format:
                position += 1
            elif depth < _MAX_FRAMES:
                _push(state, token, bracket)
                return position + opening
        elif escape > 0 and byte == escape:
            formatted = flags & FORMATTED > 0 and interpolates > 0
            position += _escaped(data, position, end, formatted, state)
        position += 1
    state[OUTCOME] = UNFINISHED if flags & MULTILINE else NOTHING
    return end


@allocation_free
def _escaped(data: Bytes, position: int, end: int, formatted: bool, state: State) -> int:
    """How many bytes after a backslash it takes the meaning from."""
    if position + 1 >= end:
        return 0
    byte = data[position + 1]
    if formatted and (byte == 0x7B or byte == 0x7D):
        return 0
    if formatted and byte == 0x4E and position + 2 < end and data[position + 2] == 0x7B:
        return 2
    if is_line_end(byte):
        state[LINES] = 1
        if byte == RETURN and position + 2 < end and data[position + 2] == NEWLINE:
            return 2
    return 1


@allocation_free
def _push(state: State, token: int, bracket: int) -> None:
    frame = FRAMES + state[DEPTH] * _FRAME_SIZE
    state[frame + _TOKEN] = token
    state[frame + _COUNT] = 0
    state[frame + _END] = 0x7D if bracket == 0x7B else 0x29
    state[frame + _FORMAT] = 0
    state[DEPTH] += 1


@allocation_free
def _skip_bracket(data: Bytes, position: int, end: int, tokens: Tokens, state: State) -> int:
    """One byte on; the end of interpolated code goes back into its string."""
    byte = data[position]
    if is_line_end(byte):
        if byte == RETURN and position + 1 < end and data[position + 1] == NEWLINE:
            position += 1
        if state[PENDING] > 0:
            state[MODE] = _AT_HEREDOCS
        return position + 1
    if state[DEPTH] == 0:
        return position + 1
    frame = FRAMES + (state[DEPTH] - 1) * _FRAME_SIZE
    token = state[frame + _TOKEN]
    closes = state[frame + _END]
    formatted = tokens[token, FLAGS] & FORMATTED
    count = state[frame + _COUNT]
    if byte == 0x3A:
        if formatted and count == 0:
            state[frame + _FORMAT] = 1
            state[MODE] = token + 1
    elif byte == closes and count == 0:
        state[DEPTH] -= 1
        state[MODE] = token + 1
    elif byte == 0x7B or byte == 0x28 or byte == 0x5B:
        opens = 0x7B if closes == 0x7D else 0x28
        state[frame + _COUNT] += 1 if formatted or byte == opens else 0
    elif formatted or byte == closes:
        state[frame + _COUNT] = max(0, count - 1)
    return position + 1
