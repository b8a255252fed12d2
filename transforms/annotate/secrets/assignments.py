"""Values that are assigned to names such as ``api_key``, and whether they look random.

All kernels here look at a bounded number of bytes and return an empty extent for nothing.
"""

from __future__ import annotations

import numpy as np

from transforms.annotate.secrets.characters import (
    ALNUM,
    JOINT,
    KIND,
    LOWER,
    NAME,
    NUMBER,
    OTHER,
    QUOTE,
    TOKEN,
    UPPER,
    flags_of,
)
from transforms.buffers import Bytes
from transforms.compiled import allocation_free, compiled

MIN_VALUE_BYTES = 16
MAX_VALUE_BYTES = 512
MAX_NAME_BYTES = 64
MAX_TYPE_BYTES = 40
MAX_BLANKS = 16
MIN_DISTINCT = 8
"""Distinct bytes of a random value: 16 hexadecimal digits have fewer once in 500."""
MIN_CHANGES = 0.22
"""Share of neighbors of which one is a letter and the other a digit, or that go from lower to
upper case. Random base 62 has .44, hexadecimal .47, base 32 .30; words in any case have
.17 or less."""
MIN_CHANGES_WITHOUT_DIGITS = 0.33
MIN_CHANGES_PUNCTUATED = 0.4
MAX_STEPS = 0.25
"""Share of neighbors that repeat or count up, as in 12345678 and xxxx; random ones: .08."""

_SCHEMES = np.array([list(b"bearer "), list(b" basic "), list(b" token ")], np.uint8)

_BLANK = flags_of(" \t")
_TYPE = ALNUM | flags_of("_.|[] ?")
_TERMINATOR = flags_of(" \t\r\n\"'`,;&)}]<")
_PUNCTUATION = flags_of("!@#$%^&*?()|")
_COLON, _BRACKET, _COMMA, _SPACE, _EQUALS, _MORE = (ord(c) for c in ":], =>")
_VALUE = np.frombuffer(b"value=", np.uint8).copy()
_PREFIX = flags_of("bBrRuUfF@")


@allocation_free
def name_start(data: Bytes, begin: int, stop: int) -> int:
    """Where the name begins that ends at ``stop``."""
    start = stop
    while start > begin and stop - start < MAX_NAME_BYTES and NAME[data[start - 1]]:
        start -= 1
    return start


@allocation_free
def named_value(data: Bytes, end: int, name_end: int) -> tuple[int, int]:
    """The random-looking value that is given to a name which ends at ``name_end``.

    What is read: ``name = value``, ``name: value``, ``name: type = value``, ``name := value``,
    ``name => value``, ``name "value"``, ``<name>value<``, and with the name in quotes also
    ``"name", "value"`` and ``"name" value="value"``; values with quotes and without.
    """
    first = _value_place(data, end, name_end)
    if first == name_end:
        return name_end, name_end
    start, stop = _value_at(data, end, first)
    if start == stop and data[first - 1] == _COLON:
        # A type may stand between the colon and an equals sign.
        place = first
        while place < end and place - first < MAX_TYPE_BYTES and _TYPE[data[place]]:
            place += 1
        if place < end and data[place] == _EQUALS:
            start, stop = _value_at(data, end, place + 1)
    if start < stop and looks_random(data, start, stop):
        return start, stop
    return name_end, name_end


@allocation_free
def _value_place(data: Bytes, end: int, name_end: int) -> int:
    """The place after what gives a value to a name: ``name_end`` where nothing does."""
    place = name_end
    quoted = place < end and QUOTE[data[place]]
    if quoted:
        place += 1
        if place < end and data[place] == _BRACKET:
            place += 1
    first = place
    place = _after_blanks(data, end, place)
    if place >= end:
        return name_end
    byte = data[place]
    follows = data[place + 1] if place + 1 < end else np.uint8(0)
    if byte == _COLON:
        return place + 2 if follows == _EQUALS else place + 1
    if byte == _EQUALS:
        return name_end if follows == _EQUALS else place + 1 + (follows == _MORE)
    if byte == _MORE and place == name_end:
        return place + 1
    if quoted and byte == _COMMA:
        place = _after_blanks(data, end, place + 1)
        return place if place < end and QUOTE[data[place]] else name_end
    if not quoted:
        return place if place > first and QUOTE[byte] else name_end
    if place > first and place + 6 < end:
        for index in range(6):
            if data[place + index] != _VALUE[index]:
                return name_end
        return place + 6
    return name_end


@allocation_free
def _after_blanks(data: Bytes, end: int, place: int) -> int:
    first = place
    while place < end and place - first < MAX_BLANKS and _BLANK[data[place]]:
        place += 1
    return place


@allocation_free
def _value_at(data: Bytes, end: int, place: int) -> tuple[int, int]:
    """The value that begins after blanks at ``place``: quoted, or up to a blank or bracket."""
    start = _after_blanks(data, end, place)
    opening = start
    while opening < end and opening - start < 2 and _PREFIX[data[opening]]:
        opening += 1
    quoted = opening < end and QUOTE[data[opening]]
    if quoted:
        start = opening + 1
    start = _after_scheme(data, end, start)
    stop = start
    while stop < end and stop - start <= MAX_VALUE_BYTES:
        if not (TOKEN[data[stop]] or (quoted and _PUNCTUATION[data[stop]])):
            break
        stop += 1
    if not MIN_VALUE_BYTES <= stop - start <= MAX_VALUE_BYTES:
        return place, place
    if quoted:
        closed = stop < end and data[stop] == data[opening]
    else:
        closed = stop == end or _TERMINATOR[data[stop]]
    return (start, stop) if closed else (place, place)


@allocation_free
def _after_scheme(data: Bytes, end: int, place: int) -> int:
    """The place after the scheme of an Authorization header, if there is one at ``place``."""
    for row in range(_SCHEMES.shape[0]):
        size = 7 if _SCHEMES[row, 0] != _SPACE else 6
        if end - place <= size:
            continue
        same = True
        for index in range(size):
            # A space keeps its value under this mask too.
            same &= data[place + index] | 0x20 == _SCHEMES[row, index - size]
        if same:
            return place + size
    return place


@compiled
def looks_random(data: Bytes, start: int, stop: int) -> bool:
    """Whether ``data[start:stop]`` looks drawn at random rather than written.

    Words change between letters and digits, or from lower to upper case, seldom; what
    people type to fill a place repeats or counts up.
    """
    seen = np.zeros(128, np.bool_)
    distinct = changes = steps = digits = compared = punctuation = 0
    last = OTHER
    for place in range(start, stop):
        byte = data[place]
        kind = KIND[byte]
        if kind == OTHER:
            return False
        if not seen[byte]:
            seen[byte] = True
            distinct += 1
        if place > start and 0 <= np.int64(byte) - data[place - 1] <= 1:
            steps += 1
        if kind == JOINT:
            continue
        digits += kind == NUMBER
        punctuation += kind > NUMBER
        if last != OTHER:
            compared += 1
            changes += kind != last and not (last == UPPER and kind == LOWER)
        last = kind
    least = MIN_CHANGES
    if digits == 0:
        least = MIN_CHANGES_WITHOUT_DIGITS
    if punctuation > 2:
        least = MIN_CHANGES_PUNCTUATED
    return (
        distinct >= MIN_DISTINCT
        and steps <= MAX_STEPS * (stop - start)
        and compared >= MIN_DISTINCT
        and changes >= least * compared
    )


@compiled
def has_variety(data: Bytes, start: int, stop: int) -> bool:
    """Whether ``data[start:stop]`` has as many distinct bytes as a random key, and counts
    or repeats no more; less than `looks_random`, for what its beginning has shown to be a key."""
    seen = np.zeros(256, np.bool_)
    distinct = steps = 0
    for place in range(start, stop):
        if not seen[data[place]]:
            seen[data[place]] = True
            distinct += 1
        if place > start and 0 <= np.int64(data[place]) - data[place - 1] <= 1:
            steps += 1
    return distinct >= MIN_DISTINCT - 1 and steps <= 2 * MAX_STEPS * (stop - start)
