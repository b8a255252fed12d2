"""String literals: how much of a text they are, and how much in them is long.

OpenCoder (arXiv 2411.04905, appendix A) takes long strings and long words in strings for a
lack of logic. Its definition, which this follows, is the same for all languages: what
stands between two equal quotes on a line or between two triple quotes, comments aside. A
triple-quoted string that begins its line is a docstring, which counts as a comment there.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from transforms.buffers import Bytes, Offsets
from transforms.codepoints import count_code_points
from transforms.compiled import allocation_free, compiled
from transforms.interpreted import word_bytes
from transforms.lexing.tables import SYNTAXES, comment_openers
from transforms.scanning import next_of


class Strings(IntEnum):
    """The columns of what `measure_strings` returns."""

    CHARACTERS = 0
    """Code points in strings, quotes aside."""
    LONG_WORD_CHARACTERS = 1
    """Code points in strings that are in words of more than 20 but no addresses; a word is
    all between white space."""
    LONG_LINES = 2
    """Lines of strings of more than 20 words; here runs of letters and digits, and runs of
    other signs, are words each."""


LONG_WORD = 20
"""Code points of the longest word that is not long."""
LONG_LINE = 20
"""Words of the longest line of a string that is not long."""

_HASH, _SLASHES, _BLOCKS, _DASHES = (1 << bit for bit in range(4))
_MARKS = {b"#": _HASH, b"//": _SLASHES, b"/*": _BLOCKS, b"--": _DASHES}
# In assembly the signs depend on the assembler, and # is a number's.
_WITHOUT_MARKS = ("assembly",)

_NEWLINE, _BACKSLASH = 0x0A, 0x5C
_DOUBLE, _SINGLE = 0x22, 0x27
_OTHER, _QUOTE, _NUMBER_SIGN, _SLASH, _DASH = range(5)


def _make_classes() -> npt.NDArray[np.uint8]:
    """What each byte may begin, for all sets of marks."""
    table = np.zeros((16, 256), dtype=np.uint8)
    table[:, [_DOUBLE, _SINGLE]] = _QUOTE
    for marks in range(16):
        if marks & _HASH:
            table[marks, ord("#")] = _NUMBER_SIGN
        if marks & (_SLASHES | _BLOCKS):
            table[marks, ord("/")] = _SLASH
        if marks & _DASHES:
            table[marks, ord("-")] = _DASH
    return table


_CLASSES = _make_classes()


def _make_signs() -> npt.NDArray[np.uint8]:
    """The bytes that comments begin with, a quote where there are none, for all sets of marks."""
    table = np.full((16, 3), _SINGLE, dtype=np.uint8)
    for marks, signs in enumerate(table):
        for place, sign in enumerate((ord("#"), ord("/"), ord("-"))):
            if _CLASSES[marks, sign] != _OTHER:
                signs[place] = sign
    return table


def _make_kinds() -> npt.NDArray[np.uint8]:
    """0 for white space, 1 for bytes of words, 2 for other signs."""
    table = np.full(256, 2, dtype=np.uint8)
    table[list(b" \t\n\v\f\r")] = 0
    table[word_bytes() == 1] = 1
    return table


_SIGNS = _make_signs()
_KINDS = _make_kinds()


def _make_marks() -> npt.NDArray[np.uint8]:
    """The marks of each comment syntax; those that are not among the four do not count."""
    marks = np.zeros(max(SYNTAXES.values()) + 1, dtype=np.uint8)
    for language, syntax in SYNTAXES.items():
        if language not in _WITHOUT_MARKS:
            for opener in comment_openers(language):
                marks[syntax] |= _MARKS.get(opener, 0)
    return marks


_MARKS_OF = _make_marks()


def comment_marks(syntaxes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Which signs begin a comment in each syntax of `comments.comment_syntaxes`."""
    return _MARKS_OF[syntaxes]


def measure_strings(
    data: Bytes, offsets: Offsets, marks: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    """int64[texts, len(Strings)]: how much of each `Strings` there is in each text.

    Args:
      data: uint8[n], the texts as UTF-8.
      offsets: int64[texts + 1], where each text begins and ends.
      marks: uint8[texts], what `comment_marks` says.
    """
    if marks.size != offsets.size - 1:
        raise ValueError(f"got {marks.size} marks and {offsets.size - 1} texts")
    return _measure_strings(data, offsets, marks, _CLASSES, _KINDS)


@compiled
def _measure_strings(
    data: Bytes,
    offsets: Offsets,
    marks: npt.NDArray[np.uint8],
    classes: npt.NDArray[np.uint8],
    kinds: npt.NDArray[np.uint8],
) -> npt.NDArray[np.int64]:
    rows = offsets.size - 1
    found = np.zeros((rows, 3), dtype=np.int64)
    # Up to where it is known that nothing closes: a string in either quote, a long string
    # in either, a comment. No such end is looked for twice.
    failed = np.empty(5, dtype=np.int64)
    for row in range(rows):
        text = data[offsets[row] : offsets[row + 1]]
        begins = classes[marks[row]]
        signs = _SIGNS[marks[row]]
        openers = (np.uint8(_DOUBLE), np.uint8(_SINGLE), signs[0], signs[1], signs[2])
        failed[:] = 0
        at = 0
        while True:
            at = next_of(text, at, text.size, openers)
            if at >= text.size:
                break
            kind = begins[text[at]]
            if kind == _QUOTE:
                at = _skip_string(text, at, kinds, failed, found[row])
            else:
                at = _skip_comment(text, at, kind, marks[row], failed)
    return found


@allocation_free
def _skip_comment(
    text: Bytes, at: int, kind: np.uint8, marks: np.uint8, failed: npt.NDArray[np.int64]
) -> int:
    """Where a comment ends that begins here, or the next byte if none does."""
    following = text[at + 1] if at + 1 < text.size else np.uint8(0)
    if kind == _SLASH and marks & _BLOCKS and following == 0x2A and at >= failed[4]:
        stars = (np.uint8(0x2A),)
        end = next_of(text, at + 2, text.size - 1, stars)
        while end + 1 < text.size and text[end + 1] != 0x2F:
            end = next_of(text, end + 1, text.size - 1, stars)
        if end + 1 < text.size:
            return end + 2
        failed[4] = text.size
        return at + 2
    if (
        kind == _NUMBER_SIGN
        or (kind == _SLASH and marks & _SLASHES and following == 0x2F)
        or (kind == _DASH and following == 0x2D)
    ):
        return next_of(text, at, text.size, (np.uint8(_NEWLINE),))
    return at + 1


@allocation_free
def _skip_string(
    text: Bytes,
    at: int,
    kinds: npt.NDArray[np.uint8],
    failed: npt.NDArray[np.int64],
    found: npt.NDArray[np.int64],
) -> int:
    """Where a string ends that begins here, or the next byte if none does."""
    quote = text[at]
    single = np.int64(quote == _SINGLE)
    triple = at + 2 < text.size and text[at + 1] == quote and text[at + 2] == quote
    if triple and at >= failed[2 + single]:
        last = text.size - 2
        end = next_of(text, at + 3, last, (quote, np.uint8(_BACKSLASH)))
        while end < last and not (
            text[end] == quote and text[end + 1] == quote and text[end + 2] == quote
        ):
            end += 2 if text[end] == _BACKSLASH else 1
            end = next_of(text, end, last, (quote, np.uint8(_BACKSLASH)))
        if end + 2 < text.size:
            if not _begins_line(text, at):
                _measure_string(text, at + 3, end, kinds, found)
            return end + 3
        failed[2 + single] = text.size
    if at < failed[single]:
        return at + 1
    stops = (quote, np.uint8(_NEWLINE), np.uint8(_BACKSLASH))
    end = next_of(text, at + 1, text.size, stops)
    while end < text.size and text[end] == _BACKSLASH:
        end = next_of(text, end + 2, text.size, stops)
    if end < text.size and text[end] == quote:
        _measure_string(text, at + 1, end, kinds, found)
        return end + 1
    failed[single] = end
    return at + 1


@allocation_free
def _begins_line(text: Bytes, at: int) -> bool:
    while at > 0 and (text[at - 1] == 0x20 or text[at - 1] == 0x09):
        at -= 1
    return at == 0 or text[at - 1] == _NEWLINE


@allocation_free
def _measure_string(
    text: Bytes,
    start: int,
    end: int,
    kinds: npt.NDArray[np.uint8],
    found: npt.NDArray[np.int64],
) -> None:
    if end - start <= min(LONG_WORD, LONG_LINE):
        found[0] += count_code_points(text, start, end)
        return
    characters = 0
    word = 0
    words = 0
    address = False
    before = np.uint8(0)
    for at in range(start, end):
        byte = text[at]
        kind = kinds[byte]
        counts = byte & 0xC0 != 0x80
        characters += counts
        words += kind != 0 and kind != before
        before = kind
        if kind:
            word += counts
            address |= byte == 0x3A and at + 2 < end and text[at + 1] == 0x2F == text[at + 2]
        else:
            found[1] += word if word > LONG_WORD and not address else 0
            word = 0
            address = False
            if byte == _NEWLINE:
                found[2] += words > LONG_LINE
                words = 0
    found[0] += characters
    found[1] += word if word > LONG_WORD and not address else 0
    found[2] += words > LONG_LINE
