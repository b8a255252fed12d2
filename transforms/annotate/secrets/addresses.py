"""Addresses of mail and of the Internet Protocol around a byte that may be inside one.

All kernels here look at a bounded number of bytes, so that a file of nothing but
such bytes costs linear time. They return an empty extent for what is no address.
"""

from __future__ import annotations

from transforms.annotate.secrets.characters import (
    ALNUM,
    DIGIT,
    HEX,
    LETTER,
    QUOTE,
    SPACE,
    WORD,
    flags_of,
)
from transforms.buffers import Bytes
from transforms.compiled import allocation_free

MAX_LOCAL_BYTES = 64
"""RFC 5321, section 4.5.3.1.1."""
MAX_DOMAIN_BYTES = 255
"""RFC 5321, section 4.5.3.1.2."""
MAX_USER_BYTES = 256
"""What is read back from an @ to see whether a URL began there."""
VERSION_OCTET = 30
"""Four numbers below this are taken for a version or section: 1 address of 5,000 is lost."""

_LOCAL = ALNUM | flags_of("._%+-")
_HOST = ALNUM | flags_of(".-")
_AT, _DOT, _COLON, _SLASH, _MINUS, _BACKSLASH, _EQUALS = (ord(c) for c in "@.:/-\\=")
_UNDERSCORE, _ZERO, _QUESTION = (ord(c) for c in "_0?")
_COMPARED = flags_of("=<>~!")
_ESCAPES = flags_of("nrt")


@allocation_free
def email_extent(data: Bytes, begin: int, end: int, at: int) -> tuple[int, int]:
    """The address of mail whose @ is at ``at``, in ``data[begin:end]``."""
    start = at
    while start > begin and at - start <= MAX_LOCAL_BYTES and _LOCAL[data[start - 1]]:
        start -= 1
    if at - start > MAX_LOCAL_BYTES:
        return at, at
    if start > begin and data[start - 1] == _BACKSLASH and _ESCAPES[data[start]]:
        start += 1
    while start < at and not ALNUM[data[start]] and data[start] != _UNDERSCORE:
        start += 1
    if start >= at or data[at - 1] == _DOT:
        return at, at
    stop = _domain_end(data, end, at + 1)
    if stop == at + 1 or (stop < end and data[stop] == _AT):
        return at, at
    if _in_url(data, begin, start):
        return at, at
    return start, stop


@allocation_free
def _domain_end(data: Bytes, end: int, first: int) -> int:
    """Where a domain that begins at ``first`` ends; ``first`` if there is none."""
    stop = first
    dot = -1
    while stop < end and _HOST[data[stop]]:
        if stop - first == MAX_DOMAIN_BYTES:
            return first
        if data[stop] == _DOT:
            # A sentence or an ellipsis ends the domain.
            if stop == first or data[stop - 1] == _DOT:
                break
            if stop + 1 >= end or not ALNUM[data[stop + 1]]:
                break
            dot = stop
        stop += 1
    while stop > first and (data[stop - 1] == _MINUS or data[stop - 1] == _DOT):
        stop -= 1
    if dot < 0 or stop - dot < 3:
        return first
    for place in range(dot + 1, stop):
        if not LETTER[data[place]]:
            return first
    if stop < end and WORD[data[stop]]:
        return first
    return stop


@allocation_free
def _in_url(data: Bytes, begin: int, start: int) -> bool:
    """Whether what begins at ``start`` is the user, or the password, of a URL."""
    place = start
    while place > begin and start - place < MAX_USER_BYTES:
        byte = data[place - 1]
        if byte == _SLASH:
            return place - 3 >= begin and data[place - 2] == _SLASH and data[place - 3] == _COLON
        if SPACE[byte] or QUOTE[byte] or byte in (_QUESTION, _EQUALS):
            return False
        place -= 1
    return False


@allocation_free
def ipv4_extent(data: Bytes, begin: int, end: int, dot: int) -> tuple[int, int]:
    """The public address of version 4 whose first dot is at ``dot``, in ``data[begin:end]``."""
    start = dot
    while start > begin and dot - start <= 3 and DIGIT[data[start - 1]]:
        start -= 1
    # Most dots between digits are in decimal numbers, and this tells them.
    if dot - start > 3 or (start > begin and (WORD[data[start - 1]] or data[start - 1] == _DOT)):
        return dot, dot
    value = 0
    stop = start
    for group in range(4):
        first = stop
        octet = 0
        while stop < end and stop - first < 4 and DIGIT[data[stop]]:
            octet = octet * 10 + data[stop] - _ZERO
            stop += 1
        if stop == first or octet > 255 or (data[first] == _ZERO and stop - first > 1):
            return dot, dot
        value = value << 8 | octet
        if group < 3:
            if stop >= end or data[stop] != _DOT:
                return dot, dot
            stop += 1
    if _joined(data, begin, end, start, stop) or not is_public_ipv4(value):
        return dot, dot
    return start, stop


@allocation_free
def _joined(data: Bytes, begin: int, end: int, start: int, stop: int) -> bool:
    """Whether four numbers are part of something else: a version, an OID, a name."""
    if stop < end and WORD[data[stop]]:
        return True
    if stop + 1 < end:
        follows = data[stop + 1]
        if data[stop] == _DOT and WORD[follows]:
            return True
        if data[stop] == _MINUS and LETTER[follows]:
            return True
    if start - 2 < begin:
        return False
    one, two = data[start - 1], data[start - 2]
    if one in (_MINUS, _SLASH) and WORD[two]:
        return not DIGIT[two] or one == _SLASH
    # ==1.2.3.4 and its like.
    return bool(one == _EQUALS and _COMPARED[two])


@allocation_free
def is_public_ipv4(value: int) -> bool:
    """Whether a host of the Internet can have this address, and it is no version number.

    Special ranges are those of IANA's registry (RFC 6890). Where the last number is 0 it is
    a network or a version; where all are small it is a version, a section or an OID.
    """
    a, b, c, d = value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255
    if a == 0 or a == 10 or a == 127 or a >= 224 or d == 0:
        return False
    if a < VERSION_OCTET and b < VERSION_OCTET and c < VERSION_OCTET and d < VERSION_OCTET:
        return False
    if (a == 100 and 64 <= b < 128) or (a == 169 and b == 254) or (a == 172 and 16 <= b < 32):
        return False
    if a == 192 and (b == 168 or (b == 0 and (c == 0 or c == 2)) or (b == 88 and c == 99)):
        return False
    return not (
        (a == 198 and (b == 18 or b == 19 or (b == 51 and c == 100)))
        or (a == 203 and b == 0 and c == 113)
    )


@allocation_free
def ipv6_extent(data: Bytes, begin: int, end: int, colon: int) -> tuple[int, int]:
    """The public address of version 6 whose first colon is at ``colon``.

    Only global unicast addresses (2000::/3) are public, so that one begins with four
    digits. Fewer than three groups are a slice of an array rather than an address.
    """
    start = colon - 4
    if start < begin or (data[start] != ord("2") and data[start] != ord("3")):
        return colon, colon
    if start > begin and (WORD[data[start - 1]] or data[start - 1] == _COLON):
        return colon, colon
    first = 0
    for place in range(start, colon):
        if not HEX[data[place]]:
            return colon, colon
        first = first << 4 | _nibble(data[place])
    stop, groups, second, shortened = _groups(data, end, colon)
    if stop < end and (WORD[data[stop]] or data[stop] == _COLON):
        return colon, colon
    if stop + 1 < end and data[stop] == _DOT and WORD[data[stop + 1]]:
        return colon, colon
    whole = groups == 8 and not shortened
    if not whole and not (shortened and 3 <= groups <= 7):
        return colon, colon
    # Of the special ranges: documentation (RFC 3849, RFC 9637), protocols (RFC 2928).
    if first == 0x2001 and (second == 0x0DB8 or second < 0x0200):
        return colon, colon
    if first == 0x3FFF and second < 0x1000:
        return colon, colon
    return start, stop


@allocation_free
def _groups(data: Bytes, end: int, colon: int) -> tuple[int, int, int, bool]:
    """Where the groups that follow the first one end, how many all are, the second one's
    value (0 if left out), and whether some are left out; no groups for what is none."""
    place = colon
    groups = 1
    second = 0
    shortened = False
    while place < end and data[place] == _COLON and groups < 9:
        place += 1
        if place < end and data[place] == _COLON:
            if shortened:
                return colon, 0, 0, False
            shortened = True
            place += 1
        value = 0
        first = place
        while place < end and place - first < 4 and HEX[data[place]]:
            value = value << 4 | _nibble(data[place])
            place += 1
        if place == first:
            # A colon that ends a clause is not the address's.
            if data[place - 2] == _COLON:
                break
            return place - 1, groups, second, shortened
        groups += 1
        if groups == 2 and not shortened:
            second = value
    return place, groups, second, shortened


@allocation_free
def _nibble(byte: int) -> int:
    return byte - _ZERO if byte < 0x40 else (byte | 0x20) - 87
