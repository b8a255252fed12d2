"""Kernels that find the end of a name, number or operator of Python (reference, section 2)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.buffers import Bytes
from transforms.compiled import allocation_free
from transforms.parse.tokens import (
    DIGIT,
    FOREIGN,
    KIND,
    MAX_WORD_BYTES,
    NOT_IN_NAMES,
    WORD,
    WORD_HASH,
    byte_classes,
    operator_table,
)

RAW, OF_BYTES, FORMATTED = 1, 2, 4
"""What the prefix of a string says, as bits."""

_CLASSES = byte_classes()
_OPERATORS = operator_table()
_NAME, _BINARY, _COMPARE = KIND["NAME"], KIND["BINARY"], KIND["COMPARE"]
_AUGMENT, _WALRUS, _ARROW, _ELLIPSIS = KIND["AUGMENT"], KIND[":="], KIND["->"], KIND["..."]
_POWER, _ERROR = KIND["**"], KIND["ERROR"]


@allocation_free
def word_end(data: Bytes, position: int, end: int) -> int:
    """Where a name ends; its beginning where a character that no name has stands there."""
    while position < end:
        kind = _CLASSES[data[position]]
        if kind in (WORD, DIGIT):
            position += 1
        elif kind == FOREIGN:
            width = character_width(data[position])
            if position + width > end or not _is_letter(data, position, width):
                return position
            position += width
        else:
            return position
    return position


@allocation_free
def character_width(first: int) -> int:
    """The bytes of a character of UTF-8 by its first."""
    if first >= 0xF0:
        return 4
    if first >= 0xE0:
        return 3
    return 2 if first >= 0xC0 else 1


@allocation_free
def _is_letter(data: Bytes, position: int, width: int) -> bool:
    code = np.int64(data[position]) & (0xFF >> (width + 1))
    for place in range(position + 1, position + width):
        code = code << 6 | np.int64(data[place]) & 0x3F
    for row in range(NOT_IN_NAMES.shape[0]):
        if code <= NOT_IN_NAMES[row, 1]:
            return bool(code < NOT_IN_NAMES[row, 0])
    return True


@allocation_free
def word_kind(
    data: Bytes,
    begin: int,
    end: int,
    words: npt.NDArray[np.uint64],
    kinds: npt.NDArray[np.uint8],
) -> int:
    """The kind of a keyword, or that of names."""
    if end - begin > MAX_WORD_BYTES or end - begin < 2:
        return _NAME
    packed = np.uint64(0)
    for place in range(end - 1, begin - 1, -1):
        packed = packed << np.uint64(8) | np.uint64(data[place])
    slot = packed * np.uint64(WORD_HASH) >> np.uint64(56)
    while words[slot] != 0:
        if words[slot] == packed:
            return int(kinds[slot])
        slot = slot + np.uint64(1) & np.uint64(0xFF)
    return _NAME


@allocation_free
def string_prefix(data: Bytes, begin: int, end: int) -> int:
    """What a name before a quote says of the string, as bits; -1 where it is no prefix."""
    flags = 0
    for place in range(begin, end):
        letter = data[place] | 0x20
        flag = 8
        if letter == 0x72:  # r
            flag = RAW
        elif letter == 0x62:  # b
            flag = OF_BYTES
        elif letter == 0x66:  # f
            flag = FORMATTED
        elif letter != 0x75 or end - begin > 1:  # u stands alone
            return -1
        if flags & flag:
            return -1
        flags |= flag
    if flags & OF_BYTES and flags & FORMATTED:
        return -1
    return flags & 7


@allocation_free
def number_end(data: Bytes, position: int, end: int) -> tuple[int, bool]:
    """Where a number ends, and whether it is well formed."""
    good = True
    base = 10
    first = position
    if data[position] == 0x30 and position + 1 < end:
        letter = data[position + 1] | 0x20
        base = 16 if letter == 0x78 else 8 if letter == 0x6F else 2 if letter == 0x62 else 10
    if base != 10:
        position, good = _digits_end(data, position + 2, end, base, True)
        return position, good and _may_follow(data, position, end)
    if data[position] != 0x2E:
        position, good = _digits_end(data, position, end, 10, False)
    whole = position
    if position < end and data[position] == 0x2E:
        position += 1
        if position < end and _CLASSES[data[position]] == DIGIT:
            position, decimal = _digits_end(data, position, end, 10, False)
            good = good and decimal
    if position + 1 < end and data[position] | 0x20 == 0x65:  # e
        sign = 1 if data[position + 1] == 0x2B or data[position + 1] == 0x2D else 0
        if position + 1 + sign < end and _CLASSES[data[position + 1 + sign]] == DIGIT:
            position, decimal = _digits_end(data, position + 1 + sign, end, 10, False)
            good = good and decimal
    if position < end and data[position] | 0x20 == 0x6A:  # j
        position += 1
    if position == whole and data[first] == 0x30:
        for place in range(first, whole):
            good = good and (data[place] == 0x30 or data[place] == 0x5F)
    return position, good and _may_follow(data, position, end)


@allocation_free
def _digits_end(
    data: Bytes, position: int, end: int, base: int, underscored: bool
) -> tuple[int, bool]:
    """Where digits with single underscores between them end; some may begin with one."""
    digit = underscored
    begun = False
    while position < end:
        byte = data[position]
        value = int(byte) - 0x30
        if base == 16 and value > 9:
            value = int(byte | 0x20) - 0x61 + 10
            value = value if value > 9 else 16
        if byte == 0x5F:
            if not digit:
                return position, False
            digit = False
        elif 0 <= value < base:
            digit = True
            begun = True
        else:
            break
        position += 1
    return position, digit and begun


@allocation_free
def _may_follow(data: Bytes, position: int, end: int) -> bool:
    """Whether a number may end here: before a keyword it needs no space."""
    if position >= end:
        return True
    kind = _CLASSES[data[position]]
    if kind in (DIGIT, FOREIGN):
        return False
    if kind != WORD:
        return True
    one = data[position]
    two = data[position + 1] if position + 1 < end else np.uint8(0)
    return bool(
        (one == 0x61 and two == 0x6E)  # an(d)
        or (one == 0x65 and two == 0x6C)  # el(se)
        or (one == 0x66 and two == 0x6F)  # fo(r)
        or (one == 0x69 and (two == 0x66 or two == 0x6E or two == 0x73))  # if, in, is
        or (one == 0x6F and two == 0x72)  # or
        or (one == 0x6E and two == 0x6F)  # no(t)
    )


@allocation_free
def operator_end(data: Bytes, position: int, end: int) -> tuple[int, int]:
    """The kind of an operator and where it ends."""
    one = data[position]
    two = data[position + 1] if position + 1 < end else np.uint8(0)
    three = data[position + 2] if position + 2 < end else np.uint8(0)
    if one == 0x2E and two == 0x2E and three == 0x2E:
        return _ELLIPSIS, position + 3
    if one == 0x2D and two == 0x3E:
        return _ARROW, position + 2
    if one == two and (one == 0x2A or one == 0x2F or one == 0x3C or one == 0x3E):
        if three == 0x3D:
            return _AUGMENT, position + 3
        return _POWER if one == 0x2A else _BINARY, position + 2
    if two == 0x3D:
        if one == 0x3D or one == 0x21 or one == 0x3C or one == 0x3E:
            return _COMPARE, position + 2
        if one == 0x3A:
            return _WALRUS, position + 2
        kind = _OPERATORS[one]
        if one == 0x26 or one == 0x25 or one == 0x5E or one == 0x7C or one == 0x40:
            return _AUGMENT, position + 2
        if one == 0x2A or one == 0x2F or one == 0x2B or one == 0x2D:
            return _AUGMENT, position + 2
        return int(kind), position + 1
    return int(_OPERATORS[one]), position + 1
