"""Places in texts that may hold a secret, found in one pass over the bytes.

Blocks of bytes are compared as vectors for where a pattern may be (the beginning of a
provider's keys, an @ in a word, the end of a name such as ``token``). A window of four bytes
there is held against all patterns at once: a table for each of the four places says which
patterns have the byte there. What fits one is rare, and looked at more closely.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from transforms.annotate.secrets.addresses import email_extent, ipv4_extent, ipv6_extent
from transforms.annotate.secrets.assignments import name_start, named_value
from transforms.annotate.secrets.characters import (
    ALNUM,
    DIGIT,
    HEX,
    LETTERS,
    QUOTE,
    SPACE,
    WORD,
    flags_of,
)
from transforms.annotate.secrets.providers import RULES
from transforms.buffers import Bytes, Offsets
from transforms.compiled import allocation_free, compiled
from transforms.scanning import WIDE, Further, Lanes, bits_where, is_word, lowest_bit

Candidates = npt.NDArray[np.int64]


class Family(IntEnum):
    """How a candidate was found; other numbers are rules of `providers` from this on."""

    EMAIL = 0
    IP_ADDRESS = 1
    URL_PASSWORD = 2
    ASSIGNMENT = 3
    PRIVATE_KEY = 4
    PROVIDER = 5


COLUMNS = 5
"""Of a candidate: text, family, start, end, and where its context begins."""

MAX_USERINFO_BYTES = 256

_PEM_WORD = b"BEGIN "
# Lower case stands for both. The last four bytes of a name that keys have, or three and
# what may follow.
_NAME_ENDINGS = (
    ("k", "e", "y", " \t\"'`=:>"),
    ("p", "w", "d", " \t\"'`=:>"),
    ("o", "k", "e", "n"),
    ("c", "r", "e", "t"),
    ("s", "w", "o", "r"),
    ("s", "s", "w", "d"),
    ("r", "a", "s", "e"),
    ("t", "i", "a", "l"),
    ("a", "u", "t", "h"),
)
_REST_OF_NAME = flags_of(LETTERS)
MAX_REST_BYTES = 12

_EMAIL, _IP, _URL, _ASSIGNMENT, _PEM, _PROVIDER = (int(family) for family in Family)
_SLOT_BITS = 12
_MULTIPLIER = 0x9E3779B1

# Literals in one buffer: where each ends, which family it is, and which comes next in its slot.
# A slot's last is tried first: the longer of two with the same beginning.
_LITERALS = [
    (_PEM_WORD, _PEM),
    *sorted(
        (
            (literal, _PROVIDER + number)
            for number, rule in enumerate(RULES)
            for literal in rule.literals
        ),
        key=lambda entry: len(entry[0]),
    ),
]


def _slot_of(first: bytes) -> int:
    key = int.from_bytes(first[:3], "little")
    return (key * _MULTIPLIER & 0xFFFFFFFF) >> (32 - _SLOT_BITS)


_LETTERS = np.frombuffer(b"".join(literal for literal, _ in _LITERALS), np.uint8).copy()
_ENDS = np.cumsum([0, *(len(literal) for literal, _ in _LITERALS)])
_FAMILIES = np.array([family for _, family in _LITERALS])
_SLOTS = np.full(1 << _SLOT_BITS, -1, np.int16)
_NEXT = np.full(len(_LITERALS), -1, np.int16)
for _number, (_literal, _) in enumerate(_LITERALS):
    _NEXT[_number] = _SLOTS[_slot_of(_literal)]
    _SLOTS[_slot_of(_literal)] = _number

_URL_END = SPACE | QUOTE | flags_of("/?#<>\\(){}[]|^")
_WINDOW = 4
_ANY = np.ones(256, np.bool_)
_ADDRESS_BITS = 4
_NAME_BITS = len(_NAME_ENDINGS)
_LITERAL_BITS = 32 - _ADDRESS_BITS - _NAME_BITS
_BIT_EMAIL, _BIT_IPV4, _BIT_IPV6, _BIT_URL = (1 << bit for bit in range(_ADDRESS_BITS))
_BITS_NAME = ((1 << _NAME_BITS) - 1) << _ADDRESS_BITS


def _window_table() -> npt.NDArray[np.uint32]:
    """uint32[4, 256]: which patterns have a byte at a place of their four.

    The bits that all four bytes of a window share name the patterns that it fits; literals
    share the bits that are left, so that theirs may be false.
    """
    dot, digit, at = flags_of("."), DIGIT, flags_of("@")
    patterns = [
        (ALNUM | flags_of("._%+-"), at, ALNUM, _ANY),
        (digit, dot, digit, digit | dot),
        (flags_of("23"), HEX, HEX, HEX),
        (flags_of(":"), flags_of("/"), flags_of("/"), ~_URL_END),
        *(tuple(flags_of(each + each.upper()) for each in ending) for ending in _NAME_ENDINGS),
    ]
    table = np.zeros((_WINDOW, 256), np.uint32)
    for bit, pattern in enumerate(patterns):
        for place, flags in enumerate(pattern):
            table[place, flags] |= np.uint32(1 << bit)
    for number, (literal, _) in enumerate(_LITERALS):
        shared = np.uint32(1 << (32 - _LITERAL_BITS + number % _LITERAL_BITS))
        for place in range(_WINDOW):
            if place < len(literal):
                table[place, literal[place]] |= shared
            else:
                table[place] |= shared
    return table


_FIRST, _SECOND, _THIRD, _FOURTH = _window_table()

_BEFORE = 2
"""Bytes before a window that tell whether a word begins with it."""
_BEHIND = _WINDOW
"""Bytes after a window's first that are looked at."""


def _may_fit(further: Further) -> Lanes:
    """Which windows may fit a pattern other than those of literals; all that do are among them."""
    one, two, three, five = (further(places) for places in (0, 1, 2, _BEHIND))
    found = two.equal(ord("@"))
    found |= one.between(ord("0"), ord("9")) & two.equal(ord("."))
    found |= one.between(ord("2"), ord("3")) & five.equal(ord(":"))
    found |= one.equal(ord(":")) & two.equal(ord("/")) & three.equal(ord("/"))
    for ending in _NAME_ENDINGS:
        letters = zip((one, two, three), ending, strict=False)
        fits = [byte.lower().equal(ord(letter)) for byte, letter in letters]
        found |= fits[0] & fits[1] & fits[2]
    return found


def _may_begin_literal(further: Further) -> Lanes:
    """At which places a word begins, or goes on behind an escape."""
    return (is_word(further(0)) & ~is_word(further(-1))) | further(-_BEFORE).equal(ord("\\"))


_pattern_bits = bits_where(_may_fit)
_start_bits = bits_where(_may_begin_literal)
_DASH, _SLASH, _COLON, _AT, _BACKSLASH = (ord(character) for character in "-/:@\\")


def find_candidates(data: Bytes, offsets: Offsets) -> Candidates:
    """The places in texts that may hold a secret, text by text.

    Returns:
      int64[candidates, 5]: text, family, start, end (the start itself where it is not yet
      known), and where the name of the value or the user of the URL begins, or the start;
      all but the first two are places in ``data``.
    """
    return _find(data, offsets)


@compiled
def _find(data: Bytes, offsets: Offsets) -> Candidates:
    found = np.empty((1024, COLUMNS), np.int64)
    count = 0
    for row in range(offsets.size - 1):
        begin, end = offsets[row], offsets[row + 1]
        # No secret is shorter than a window.
        last = end - _WINDOW + 1
        block = begin
        while block < last:
            places, size = _places_of_block(data, begin, block)
            while places:
                place = block + lowest_bit(places)
                places &= places - np.uint64(1)
                if place >= last:
                    break
                family, start, stop, context = _test(data, begin, end, place)
                if family < 0:
                    continue
                if count == found.shape[0]:
                    larger = np.empty((2 * count, COLUMNS), np.int64)
                    larger[:count] = found
                    found = larger
                found[count, 0] = row
                found[count, 1] = family
                found[count, 2] = start
                found[count, 3] = stop
                found[count, 4] = context
                count += 1
            block += size
    return found[:count].copy()


@allocation_free
def _places_of_block(data: Bytes, begin: int, block: int) -> tuple[np.uint64, int]:
    """The places of a block that may fit a pattern, as bits, and how many places it has."""
    if block < begin + _BEFORE or block + WIDE + _BEHIND > data.size:
        return np.uint64(1), 1
    places = np.uint64(_pattern_bits(data, block))
    starts = np.uint64(_start_bits(data, block))
    while starts:
        at = lowest_bit(starts)
        if _SLOTS[_slot_at(data, block + at)] >= 0:
            places |= np.uint64(1) << np.uint64(at)
        starts &= starts - np.uint64(1)
    return places, WIDE


@allocation_free
def _test(data: Bytes, begin: int, end: int, place: int) -> tuple[int, int, int, int]:
    """What `_look` says of the window at a place, a negative family where it fits no pattern."""
    at = np.uint64(place)
    bits = _FIRST[data[at]] & _SECOND[data[at + np.uint64(1)]]
    bits &= _THIRD[data[at + np.uint64(2)]] & _FOURTH[data[at + np.uint64(3)]]
    if bits == 0:
        return -1, place, place, place
    return _look(data, begin, end, place, bits)


@allocation_free
def _look(data: Bytes, begin: int, end: int, place: int, bits: int) -> tuple[int, int, int, int]:
    """What a window that fits some patterns belongs to: family, start, end, context."""
    if bits & _BIT_EMAIL:
        start, stop = email_extent(data, begin, end, place + 1)
        return (_EMAIL if stop > start else -1), start, stop, start
    if bits & _BIT_IPV4:
        start, stop = ipv4_extent(data, begin, end, place + 1)
        return (_IP if stop > start else -1), start, stop, start
    if bits & _BIT_URL:
        return _url_password(data, end, place)
    if bits & _BIT_IPV6 and place + 4 < end and data[place + 4] == _COLON:
        start, stop = ipv6_extent(data, begin, end, place + 4)
        return (_IP if stop > start else -1), start, stop, start
    if bits & _BITS_NAME:
        name_end = place + 3
        while name_end < end and name_end - place < MAX_REST_BYTES:
            if not _REST_OF_NAME[data[name_end]]:
                break
            name_end += 1
        start, stop = named_value(data, end, name_end)
        if stop > start:
            return _ASSIGNMENT, start, stop, name_start(data, begin, name_end)
    return _literal_at(data, begin, end, place), place, place, place


@allocation_free
def _literal_at(data: Bytes, begin: int, end: int, place: int) -> int:
    """The family of the literal that a word at ``place`` begins with, or -1.

    A letter of an escape such as ``\\n`` before it is none of the word.
    """
    number = np.int64(_SLOTS[_slot_at(data, place)])
    if number < 0:
        return -1
    inside = place > begin and WORD[data[place - 1]]
    if inside and (place - 1 == begin or data[place - 2] != _BACKSLASH):
        return -1
    dashed = place > begin and data[place - 1] == _DASH
    while number >= 0:
        first, last = _ENDS[number], _ENDS[number + 1]
        if place + last - first <= end and dashed == (_FAMILIES[number] == _PEM):
            index = 0
            while index < last - first and data[place + index] == _LETTERS[first + index]:
                index += 1
            if index == last - first:
                return int(_FAMILIES[number])
        number = np.int64(_NEXT[number])
    return -1


@allocation_free
def _slot_at(data: Bytes, place: int) -> np.uint32:
    # Places without a sign need no care for what counts from the end.
    at = np.uint64(place)
    key = np.uint32(data[at])
    key |= np.uint32(data[at + np.uint64(1)]) << np.uint32(8)
    key |= np.uint32(data[at + np.uint64(2)]) << np.uint32(16)
    return np.uint32(key * np.uint32(_MULTIPLIER)) >> np.uint32(32 - _SLOT_BITS)


@allocation_free
def _url_password(data: Bytes, end: int, colon: int) -> tuple[int, int, int, int]:
    """The password in a URL whose ``://`` is at ``colon``; the context is its user."""
    user = colon + 3
    second = at = -1
    place = user
    while place < end and place - user < MAX_USERINFO_BYTES and not _URL_END[data[place]]:
        if data[place] >= 0x80:
            break
        if data[place] == _COLON and second < 0:
            second = place
        elif data[place] == _AT:
            at = place
        place += 1
    if second < 0 or at <= second + 1:
        return -1, colon, colon, colon
    return _URL, second + 1, at, user
