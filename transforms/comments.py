"""Comments of source text: how much of it they are, and the text without them.

What a comment is follows each language's own rules as far as bytes tell (`lexing`).
Docstrings are strings and no comments.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import Bytes, Offsets
from transforms.codepoints import count_code_points
from transforms.compiled import allocation_free, compiled
from transforms.lexing.skips import COMMENT, NEWLINE, RETURN, UNFINISHED, is_line_end
from transforms.lexing.spans import begin_text, new_state, next_span
from transforms.lexing.tables import SYNTAXES, Firsts, Openers, Starts, Tokens, lexer_tables

Syntaxes = npt.NDArray[np.uint8]
Cursor = npt.NDArray[np.int64]

# Places in a cursor: where in the output the line begins, where what is kept of it ends,
# where it is written on, and whether a comment was left out just before.
_LINE, _KEPT, _FILLED, _JOINS = range(4)

_OTHER, _WORD, _OPERATOR, _SPACE = range(4)
_CLASSES = np.zeros(256, dtype=np.uint8)
_CLASSES[[*b"0123456789_$\"'`ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"]] = _WORD
_CLASSES[0x80:] = _WORD
_CLASSES[[*b"+-*/%<>=&|^!~?:.@#\\"]] = _OPERATOR
_CLASSES[[*b" \t\f\v"]] = _SPACE


def comment_syntaxes(languages: pa.Array) -> Syntaxes:
    """The id of the comment syntax of each language; 0 where there is none or none is known."""
    encoded = languages.dictionary_encode()
    ids = [SYNTAXES.get(name, 0) for name in encoded.dictionary.to_pylist()]
    places = pc.fill_null(encoded.indices, len(ids)).to_numpy(zero_copy_only=False)
    found: Syntaxes = np.array([*ids, 0], dtype=np.uint8)[places]
    return found


def count_comment_characters(
    data: Bytes, offsets: Offsets, syntaxes: Syntaxes
) -> npt.NDArray[np.int64]:
    """Code points of each UTF-8 text that are in comments, their markers included.

    Args:
      data: uint8[n], the texts.
      offsets: int64[texts + 1], where each text begins and ends.
      syntaxes: uint8[texts], of `comment_syntaxes`.
    """
    syntaxes = _checked(data, offsets, syntaxes)
    return _count_comments(data, offsets, syntaxes, *lexer_tables())


def normalize_texts(data: Bytes, offsets: Offsets, syntaxes: Syntaxes) -> tuple[Bytes, Offsets]:
    """Texts without comments, white space at the end of lines and blank lines.

    All line ends become line feeds, and the last line has one. Lines inside of strings stay
    as they are but for that. Texts that differ in anything else stay different: where a
    comment stands between two tokens that would else become one, a space remains. A text
    without a syntax is taken to have neither comments nor strings.

    Args:
      data: uint8[n], the texts.
      offsets: int64[texts + 1], where each text begins and ends.
      syntaxes: uint8[texts], of `comment_syntaxes`.

    Returns:
      ``data`` and ``offsets`` of the same shape for the texts that remain.
    """
    syntaxes = _checked(data, offsets, syntaxes)
    normalized, ends, used = _normalize(data, offsets, syntaxes, *lexer_tables())
    return normalized[:used], ends


def _checked(data: Bytes, offsets: Offsets, syntaxes: Syntaxes) -> Syntaxes:
    if syntaxes.size != offsets.size - 1:
        raise ValueError(f"got {offsets.size - 1} texts and {syntaxes.size} syntaxes")
    notebooks = np.flatnonzero((syntaxes == SYNTAXES["jupyter-notebook"]) & (np.diff(offsets) > 0))
    if notebooks.size == 0:
        return syntaxes
    # A script that begins with another mark than Python's is in another language.
    others = notebooks[data[offsets[notebooks]] != ord("#")]
    checked = syntaxes.copy()
    checked[others] = 0
    return checked


@compiled
def _count_comments(
    data: Bytes,
    offsets: Offsets,
    syntaxes: Syntaxes,
    tokens: Tokens,
    firsts: Firsts,
    openers: Openers,
    starts: Starts,
) -> npt.NDArray[np.int64]:
    counts = np.zeros(syntaxes.size, dtype=np.int64)
    state = new_state()
    for row in range(syntaxes.size):
        if syntaxes[row] == 0:
            continue
        begin, end = offsets[row], offsets[row + 1]
        position = _after_shebang(data, begin, end)
        characters = count_code_points(data, begin, position)
        begin_text(state, starts[syntaxes[row]])
        while position < end:
            start, position, kind = next_span(
                data, begin, position, end, syntaxes[row], tokens, firsts, openers, state
            )
            if kind == COMMENT:
                characters += count_code_points(data, start, position)
        counts[row] = characters
    return counts


@allocation_free
def _after_shebang(data: Bytes, begin: int, end: int) -> int:
    """The end of a first line that names an interpreter, which no language reads."""
    if begin + 2 >= end or data[begin] != 0x23 or data[begin + 1] != 0x21:
        return begin
    place = begin + 2
    while place < end and data[place] == 0x20:
        place += 1
    if place == end or data[place] != 0x2F:
        return begin
    while place < end and not is_line_end(data[place]):
        place += 1
    return place


@compiled
def _normalize(
    data: Bytes,
    offsets: Offsets,
    syntaxes: Syntaxes,
    tokens: Tokens,
    firsts: Firsts,
    openers: Openers,
    starts: Starts,
) -> tuple[Bytes, Offsets, int]:
    rows = syntaxes.size
    # A text may gain the end of its last line, and no more than that.
    out = np.empty(offsets[rows] - offsets[0] + rows, dtype=np.uint8)
    ends = np.zeros(rows + 1, dtype=np.int64)
    state = new_state()
    cursor = np.zeros(4, dtype=np.int64)
    for row in range(rows):
        begin, end = offsets[row], offsets[row + 1]
        syntax = syntaxes[row]
        position = _after_shebang(data, begin, end) if syntax else begin
        begin_text(state, starts[syntax])
        cursor[_JOINS] = 0
        kind = 0
        while position < end:
            start, stop, kind = end, end, 0
            if syntax:
                start, stop, kind = next_span(
                    data, begin, position, end, syntax, tokens, firsts, openers, state
                )
            _copy_code(data, position, start, out, cursor)
            if kind == COMMENT:
                cursor[_JOINS] = 1
            elif kind:
                _copy_string(data, start, stop, out, cursor)
            position = stop
        if kind != UNFINISHED:
            _end_line(out, cursor)
        ends[row + 1] = cursor[_KEPT]
        cursor[_LINE] = cursor[_FILLED] = cursor[_KEPT]
    return out, ends, cursor[_KEPT]


@allocation_free
def _end_line(out: Bytes, cursor: Cursor) -> None:
    """Ends the line behind what is kept of it; a line of which nothing is kept is gone."""
    kept = cursor[_KEPT]
    if kept > cursor[_LINE]:
        out[kept] = NEWLINE
        kept += 1
    cursor[_LINE] = cursor[_KEPT] = cursor[_FILLED] = kept
    cursor[_JOINS] = 0


@allocation_free
def _separate(byte: int, out: Bytes, cursor: Cursor) -> None:
    """Writes a space in the place of a comment where tokens would become one without it."""
    cursor[_JOINS] = 0
    filled = cursor[_FILLED]
    if filled == cursor[_KEPT] and filled > cursor[_LINE]:
        before = _CLASSES[out[filled - 1]]
        if before == _CLASSES[byte] != _OTHER:
            out[filled] = 0x20
            cursor[_FILLED] += 1


@allocation_free
def _copy_code(data: Bytes, position: int, end: int, out: Bytes, cursor: Cursor) -> None:
    """Copies code by lines. The two bytes of CR LF end one line, and then a blank one."""
    if position < end and cursor[_JOINS]:
        _separate(data[position], out, cursor)
    filled, kept = cursor[_FILLED], cursor[_KEPT]
    for place in range(position, end):
        byte = data[place]
        if is_line_end(byte):
            cursor[_KEPT] = kept
            _end_line(out, cursor)
            filled = kept = cursor[_KEPT]
            continue
        out[filled] = byte
        filled += 1
        if _CLASSES[byte] != _SPACE:
            kept = filled
    cursor[_FILLED], cursor[_KEPT] = filled, kept


@allocation_free
def _copy_string(data: Bytes, position: int, end: int, out: Bytes, cursor: Cursor) -> None:
    """Copies a string as it is but for its line ends."""
    if cursor[_JOINS]:
        _separate(data[position], out, cursor)
    filled = cursor[_FILLED]
    for place in range(position, end):
        byte = data[place]
        if byte == NEWLINE and place > position and data[place - 1] == RETURN:
            continue
        out[filled] = NEWLINE if byte == RETURN else byte
        filled += 1
    cursor[_FILLED] = cursor[_KEPT] = filled
