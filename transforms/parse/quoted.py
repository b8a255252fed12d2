"""Kernels that find the end of string literals of Python and check their escapes."""

from __future__ import annotations

import numpy as np

from transforms.buffers import Bytes
from transforms.compiled import allocation_free

OPENS, CLOSES, FINISHES, BREAKS, BAD = range(5)
"""What ends a stretch of text in an f-string: a field, the end of one, the closing quotes,
the end of the line or text, a bad escape."""

_NEWLINE, _RETURN, _BACKSLASH = ord("\n"), ord("\r"), ord("\\")
_OPEN, _CLOSE = ord("{"), ord("}")
_MAX_CODE_POINT = 0x10FFFF


@allocation_free
def string_end(
    data: Bytes, position: int, end: int, quote: int, triple: bool, raw: bool, of_bytes: bool
) -> tuple[int, bool]:
    """Where a string ends whose quotes have been opened, and whether it is well formed.

    One that is not closed ends with its line, or with the text if its quotes are triple.
    """
    good = True
    while position < end:
        byte = data[position]
        if byte == quote:
            if not triple:
                return position + 1, good
            if closes_triple(data, position, end, quote):
                return position + 3, good
            position += 1
        elif byte == _BACKSLASH:
            position, escaped = escape_end(data, position, end, raw, of_bytes)
            good = good and escaped
        elif byte in (_NEWLINE, _RETURN) and not triple:
            return position, False
        else:
            if byte == 0 or (of_bytes and byte >= 0x80):
                good = False
            position += 1
    return end, False


@allocation_free
def closes_triple(data: Bytes, position: int, end: int, quote: int) -> bool:
    """Whether three quotes stand here."""
    return bool(position + 2 < end and data[position + 1] == quote and data[position + 2] == quote)


@allocation_free
def escape_end(data: Bytes, position: int, end: int, raw: bool, of_bytes: bool) -> tuple[int, bool]:
    """Where what a backslash begins ends, and whether it is an escape that Python decodes.

    Names of characters are not looked up: which there are depends on Python's version.
    """
    if position + 1 >= end:
        return end, False
    letter = data[position + 1]
    if letter == _RETURN and position + 2 < end and data[position + 2] == _NEWLINE:
        return position + 3, True
    if raw:
        return position + 2, not (of_bytes and letter >= 0x80)
    digits = 0
    if letter == 0x78:  # x
        digits = 2
    elif not of_bytes and letter == 0x75:  # u
        digits = 4
    elif not of_bytes and letter == 0x55:  # U
        digits = 8
    elif not of_bytes and letter == 0x4E:  # N
        return _name_end(data, position + 2, end)
    elif of_bytes and letter >= 0x80:
        return position + 2, False
    value = 0
    for place in range(position + 2, position + 2 + digits):
        digit = _hexadecimal(data[place]) if place < end else -1
        if digit < 0:
            return position + 2, False
        value = value * 16 + digit
    return position + 2 + digits, value <= _MAX_CODE_POINT


@allocation_free
def _hexadecimal(byte: int) -> int:
    digit = np.int64(byte) - 0x30
    letter = np.int64(byte | 0x20) - 0x61
    if 0 <= digit < 10:
        return int(digit)
    return int(letter) + 10 if 0 <= letter < 6 else -1


@allocation_free
def _name_end(data: Bytes, position: int, end: int) -> tuple[int, bool]:
    """Where the name of a character in braces ends."""
    if position >= end or data[position] != _OPEN:
        return position, False
    place = position + 1
    while place < end:
        letter = (data[place] | 0x20) - 0x61
        named = 0 <= letter < 26 or 0x30 <= data[place] <= 0x39
        if not named and data[place] != 0x20 and data[place] != 0x2D:
            break
        place += 1
    closed = place < end and data[place] == _CLOSE and place > position + 1
    return (place + 1, True) if closed else (position, False)


@allocation_free
def field_text_end(
    data: Bytes, position: int, end: int, quote: int, triple: bool, raw: bool, nested: bool
) -> tuple[int, int]:
    """Where text of an f-string stops, and for what.

    ``nested`` text is a format specification: one closing brace ends it.
    """
    while position < end:
        byte = data[position]
        if byte == quote:
            if not triple or closes_triple(data, position, end, quote):
                return position, FINISHES
            position += 1
        elif byte == _BACKSLASH:
            follows = data[position + 1] if position + 1 < end else np.uint8(0)
            if follows in (_OPEN, _CLOSE):
                position += 1
                continue
            position, good = escape_end(data, position, end, raw, False)
            if not good:
                return position, BAD
        elif byte in (_OPEN, _CLOSE):
            twice = position + 1 < end and data[position + 1] == byte
            if not twice or nested:
                return position, OPENS if byte == _OPEN else CLOSES
            position += 2
        elif byte in (_NEWLINE, _RETURN) and not triple:
            return position, BREAKS
        elif byte == 0:
            return position + 1, BAD
        else:
            position += 1
    return end, BREAKS
