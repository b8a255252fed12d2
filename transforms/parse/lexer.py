"""A lexer of Python 3.13 that works on bytes and never stops.

It follows the language reference, section 2 (lexical analysis), with f-strings as PEP 701
has them: the expressions in a replacement field are tokens like all others. What is not
Python becomes an ``ERROR`` token and lexing goes on behind it, so that texts that do not
parse, Python 2 among them, can be measured too. Time and memory are linear in the bytes.
Nesting is counted, not recursed into.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.buffers import Bytes
from transforms.compiled import allocation_free, compiled
from transforms.parse.quoted import (
    BAD,
    CLOSES,
    FINISHES,
    OPENS,
    closes_triple,
    field_text_end,
    string_end,
)
from transforms.parse.tokens import (
    COMMENT,
    CONTINUATION,
    DIGIT,
    FOREIGN,
    KIND,
    LINE_END,
    QUOTE,
    SPACE,
    WORD,
    byte_classes,
    word_table,
)
from transforms.parse.words import (
    FORMATTED,
    OF_BYTES,
    RAW,
    character_width,
    number_end,
    operator_end,
    string_prefix,
    word_end,
    word_kind,
)

Tokens = npt.NDArray[np.int32]
"""int32[tokens, 4]: kind, first byte and the one behind the last in the text, line."""
Numbers = npt.NDArray[np.int64]

MAX_BRACKETS = 200
MAX_INDENTS = 100
"""MAXLEVEL and MAXINDENT of CPython; f-strings and their fields count as brackets here."""

_CLASSES = byte_classes()
_WORDS, _WORD_KINDS = word_table()
_TAB = 8

# What a lexer remembers, besides where it is.
_COUNT, _ROW, _DEPTH, _LEVEL, _FRESH, _START = range(6)
_STATE = 6 + 2 * MAX_INDENTS + 2 * (MAX_BRACKETS + 1)
_COLUMNS = 6
_TABLESS = _COLUMNS + MAX_INDENTS
_MODES = _TABLESS + MAX_INDENTS
_QUOTES = _MODES + MAX_BRACKETS + 1

# What is open: a bracket, a replacement field, the text of an f-string, of a specification.
_ROUND, _SQUARE, _CURLY, _FIELD, _TEXT, _SPECIFICATION = range(1, 7)
_TRIPLE = 1 << 8
_RAW = 1 << 9

_ENDMARK, _ERROR, _NEWLINE = KIND["END"], KIND["ERROR"], KIND["NEWLINE"]
_INDENT, _DEDENT, _NUMBER = KIND["INDENT"], KIND["DEDENT"], KIND["NUMBER"]
_STRING, _BYTES, _FSTART, _FEND = KIND["STRING"], KIND["BYTES"], KIND["FSTART"], KIND["FEND"]
_FOPEN, _FCLOSE, _FCOLON, _BANG = KIND["FOPEN"], KIND["FCLOSE"], KIND["FCOLON"], KIND["BANG"]


@allocation_free
def max_tokens(size: int) -> int:
    """An upper bound for the tokens of a text of so many bytes."""
    # A line of an indented letter has three bytes and, with its dedent, four tokens.
    return size + size // 2 + 8


def lex(text: bytes) -> Tokens:
    """The tokens of a text in UTF-8, int32[tokens, 4]."""
    data = np.frombuffer(text, np.uint8)
    tokens = np.empty((max_tokens(len(text)), 4), np.int32)
    return tokens[: lex_into(data, 0, len(text), tokens)]


@compiled
def lex_into(data: Bytes, start: int, end: int, tokens: Tokens) -> int:
    """Writes the tokens of a text into an array for `max_tokens`; returns their number."""
    state = np.zeros(_STATE, dtype=np.int64)
    state[_FRESH] = 1
    state[_START] = start
    position = start
    if end - start >= 3 and data[start] == 0xEF and data[start + 1] == 0xBB:
        position += 3 if data[start + 2] == 0xBF else 0
    while position < end:
        depth = state[_DEPTH]
        if depth > 0 and state[_MODES + depth] >= _TEXT:
            position = _lex_text(data, position, end, tokens, state)
        elif depth == 0 and state[_FRESH]:
            position = _lex_indentation(data, position, end, tokens, state)
        else:
            position = _lex_token(data, position, end, tokens, state)
    if state[_DEPTH]:
        _emit(tokens, state, _ERROR, end, end)
    if not state[_FRESH]:
        _end_line(tokens, state, end, end)
    for _ in range(state[_LEVEL]):
        _emit(tokens, state, _DEDENT, end, end)
    _emit(tokens, state, _ENDMARK, end, end)
    return int(state[_COUNT])


@allocation_free
def _emit(tokens: Tokens, state: Numbers, kind: int, begin: int, end: int) -> None:
    count = state[_COUNT]
    tokens[count, 0] = kind
    tokens[count, 1] = begin - state[_START]
    tokens[count, 2] = end - state[_START]
    tokens[count, 3] = state[_ROW]
    state[_COUNT] = count + 1


@allocation_free
def _open(state: Numbers, mode: int, quotes: int) -> bool:
    """Opens a bracket or text; False where too many are open."""
    depth = state[_DEPTH] + 1
    if depth > MAX_BRACKETS:
        return False
    state[_DEPTH] = depth
    state[_MODES + depth] = mode
    state[_QUOTES + depth] = quotes
    return True


@allocation_free
def _lex_indentation(data: Bytes, position: int, end: int, tokens: Tokens, state: Numbers) -> int:
    """Reads a line's indentation, or the whole line where it has no token."""
    column = 0
    tabless = 0
    begin = position
    while position < end:
        byte = data[position]
        if byte == 0x20:
            column += 1
            tabless += 1
        elif byte == 0x09:
            column = (column // _TAB + 1) * _TAB
            tabless += 1
        elif byte == 0x0C:
            column = 0
            tabless = 0
        else:
            break
        position += 1
    if position == end:
        return end
    kind = _CLASSES[data[position]]
    if kind == COMMENT:
        return _comment_end(data, position, end)
    if kind == LINE_END:
        state[_ROW] += 1
        return _line_end(data, position, end)
    state[_FRESH] = 0
    _indent(tokens, state, column, tabless, begin, position)
    return position


@allocation_free
def _indent(
    tokens: Tokens, state: Numbers, column: int, tabless: int, begin: int, end: int
) -> None:
    """Compares an indentation with those that are open, by both widths of a tab."""
    level = state[_LEVEL]
    if column > state[_COLUMNS + level]:
        if level + 1 >= MAX_INDENTS or tabless <= state[_TABLESS + level]:
            _emit(tokens, state, _ERROR, begin, end)
            return
        state[_LEVEL] = level + 1
        state[_COLUMNS + level + 1] = column
        state[_TABLESS + level + 1] = tabless
        _emit(tokens, state, _INDENT, begin, end)
        return
    while column < state[_COLUMNS + level]:
        level -= 1
        _emit(tokens, state, _DEDENT, end, end)
    state[_LEVEL] = level
    if column != state[_COLUMNS + level] or tabless != state[_TABLESS + level]:
        _emit(tokens, state, _ERROR, begin, end)


@allocation_free
def _end_line(tokens: Tokens, state: Numbers, begin: int, end: int) -> None:
    """Ends a line of statements, unless a backslash is all that stood on it."""
    last = tokens[state[_COUNT] - 1, 0] if state[_COUNT] else _NEWLINE
    if last not in (_NEWLINE, _INDENT, _DEDENT):
        _emit(tokens, state, _NEWLINE, begin, end)
    state[_FRESH] = 1


@allocation_free
def _comment_end(data: Bytes, position: int, end: int) -> int:
    while position < end and data[position] != 0x0A and data[position] != 0x0D:
        position += 1
    return position


@allocation_free
def _line_end(data: Bytes, position: int, end: int) -> int:
    if data[position] == 0x0D and position + 1 < end and data[position + 1] == 0x0A:
        return position + 2
    return position + 1


@allocation_free
def _count_lines(data: Bytes, begin: int, end: int) -> int:
    lines = 0
    for place in range(begin, end):
        byte = data[place]
        if byte == 0x0A or (byte == 0x0D and (place + 1 == end or data[place + 1] != 0x0A)):
            lines += 1
    return lines


@allocation_free
def _lex_token(data: Bytes, position: int, end: int, tokens: Tokens, state: Numbers) -> int:
    """Reads one token, or space between two."""
    kind = _CLASSES[data[position]]
    if kind == SPACE:
        return position + 1
    if kind in (WORD, FOREIGN):
        return _lex_word(data, position, end, tokens, state)
    if kind == QUOTE:
        return _lex_string(data, position, position, end, 0, tokens, state)
    if kind == LINE_END:
        if not state[_DEPTH]:
            _end_line(tokens, state, position, position + 1)
        state[_ROW] += 1
        return _line_end(data, position, end)
    if kind == COMMENT:
        return _comment_end(data, position, end)
    after = position + 1
    follows = _CLASSES[data[after]] if after < end else np.uint8(0)
    if kind == DIGIT or (data[position] == 0x2E and follows == DIGIT):
        after, good = number_end(data, position, end)
        _emit(tokens, state, _NUMBER if good else _ERROR, position, after)
        return after
    if kind == CONTINUATION:
        if follows != LINE_END or _line_end(data, after, end) == end:
            _emit(tokens, state, _ERROR, position, after)
            return after
        state[_ROW] += 1
        return _line_end(data, after, end)
    if kind == 0:
        _emit(tokens, state, _ERROR, position, after)
        return after
    return _lex_operator(data, position, end, tokens, state)


@allocation_free
def _lex_word(data: Bytes, position: int, end: int, tokens: Tokens, state: Numbers) -> int:
    after = word_end(data, position, end)
    if after == position:
        after = min(end, position + character_width(data[position]))
        _emit(tokens, state, _ERROR, position, after)
        return after
    if after < end and after - position <= 2 and _CLASSES[data[after]] == QUOTE:
        prefix = string_prefix(data, position, after)
        if prefix >= 0:
            return _lex_string(data, position, after, end, prefix, tokens, state)
    kind = word_kind(data, position, after, _WORDS, _WORD_KINDS)
    _emit(tokens, state, kind, position, after)
    return after


@allocation_free
def _lex_string(
    data: Bytes,
    begin: int,
    position: int,
    end: int,
    prefix: int,
    tokens: Tokens,
    state: Numbers,
) -> int:
    """Reads a string whose quotes begin at ``position``, or the opening of an f-string."""
    quote = int(data[position])
    triple = closes_triple(data, position, end, quote)
    position += 3 if triple else 1
    if prefix & FORMATTED:
        quotes = quote | (_TRIPLE if triple else 0) | (_RAW if prefix & RAW else 0)
        opened = _open(state, _TEXT, quotes)
        _emit(tokens, state, _FSTART if opened else _ERROR, begin, position)
        return position
    of_bytes = prefix & OF_BYTES != 0
    position, good = string_end(data, position, end, quote, triple, prefix & RAW != 0, of_bytes)
    kind = (_BYTES if of_bytes else _STRING) if good else _ERROR
    _emit(tokens, state, kind, begin, position)
    state[_ROW] += _count_lines(data, begin, position)
    return position


@allocation_free
def _lex_text(data: Bytes, position: int, end: int, tokens: Tokens, state: Numbers) -> int:
    """Reads text of an f-string up to and with what ends it."""
    depth = state[_DEPTH]
    quotes = state[_QUOTES + depth]
    nested = state[_MODES + depth] == _SPECIFICATION
    quote, triple, raw = quotes & 0xFF, quotes & _TRIPLE != 0, quotes & _RAW != 0
    after, why = field_text_end(data, position, end, quote, triple, raw, nested)
    state[_ROW] += _count_lines(data, position, after)
    if why == OPENS:
        opened = _open(state, _FIELD, quotes)
        _emit(tokens, state, _FOPEN if opened else _ERROR, after, after + 1)
        return after + 1
    if why == CLOSES:
        _emit(tokens, state, _FCLOSE if nested else _ERROR, after, after + 1)
        state[_DEPTH] -= 2 if nested else 0
        return after + 1
    if why == FINISHES and not nested:
        last = after + (3 if triple else 1)
        _emit(tokens, state, _FEND, after, last)
        state[_DEPTH] -= 1
        return last
    _emit(tokens, state, _ERROR, after, after)
    if why == FINISHES:
        state[_DEPTH] -= 2
    elif why != BAD:
        while state[_MODES + state[_DEPTH]] != _TEXT:
            state[_DEPTH] -= 1
        state[_DEPTH] -= 1
    return after


@allocation_free
def _lex_operator(data: Bytes, position: int, end: int, tokens: Tokens, state: Numbers) -> int:
    byte = data[position]
    depth = state[_DEPTH]
    mode = state[_MODES + depth] if depth else 0
    if mode == _FIELD and (byte == 0x3A or byte == 0x21 or byte == 0x7D):
        after = _lex_field(data, position, end, tokens, state)
        if after:
            return after
    kind, after = operator_end(data, position, end)
    opens = _ROUND if byte == 0x28 else _SQUARE if byte == 0x5B else _CURLY if byte == 0x7B else 0
    closes = _ROUND if byte == 0x29 else _SQUARE if byte == 0x5D else _CURLY if byte == 0x7D else 0
    if opens and not _open(state, opens, 0):
        kind = _ERROR
    if closes:
        if mode != closes:
            kind = _ERROR
        if _ROUND <= mode <= _CURLY:
            state[_DEPTH] -= 1
    _emit(tokens, state, kind, position, after)
    return after


@allocation_free
def _lex_field(data: Bytes, position: int, end: int, tokens: Tokens, state: Numbers) -> int:
    """Reads what ends the expression of a replacement field; 0 where it goes on."""
    byte = data[position]
    if byte == 0x3A:
        quotes = state[_QUOTES + state[_DEPTH]]
        opened = _open(state, _SPECIFICATION, quotes)
        _emit(tokens, state, _FCOLON if opened else _ERROR, position, position + 1)
        return position + 1
    if byte == 0x7D:
        _emit(tokens, state, _FCLOSE, position, position + 1)
        state[_DEPTH] -= 1
        return position + 1
    if position + 1 < end and data[position + 1] == 0x3D:
        return 0
    letter = data[position + 1] if position + 1 < end else np.uint8(0)
    good = letter == 0x61 or letter == 0x72 or letter == 0x73  # a, r, s
    good = good and word_end(data, position + 1, end) == position + 2
    _emit(tokens, state, _BANG if good else _ERROR, position, position + 1)
    return position + 1
