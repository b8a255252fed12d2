"""Runs of encoded data: base64, lists of hexadecimal bytes and escapes, and lists of numbers.

OpenCoder (arXiv 2411.04905, appendix A) leaves out files with a run of encoded data of more
than 1,024 characters or more than half of the file in such runs. A run of at least `MIN_RUN`
bytes of an alphabet is found by looking at every `MIN_RUN`-th byte and backwards from
there to one that is not of the alphabet, which skips most of a text unread.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.buffers import Bytes, Offsets
from transforms.compiled import allocation_free, compiled

MIN_RUN = 64
"""Bytes of the shortest run that is looked at."""
MIN_CODES = 8
"""Codes of the shortest list of them."""

_BASE64, _LIST, _HEX, _DECIMAL, _SEPARATOR = (np.uint8(1 << bit) for bit in range(5))


def _make_alphabets() -> npt.NDArray[np.uint8]:
    table = np.zeros(256, dtype=np.uint8)
    letters = bytes(range(ord("a"), ord("z") + 1))
    digits = b"0123456789"
    for byte in letters + letters.upper() + digits + b"+/=\n":
        table[byte] |= _BASE64
    for byte in b"abcdefABCDEF" + digits:
        table[byte] |= _HEX | _LIST
    for byte in b"xXuUlL\\.+-_;()[]{}" + b", \t\r\n":
        table[byte] |= _LIST
    for byte in digits:
        table[byte] |= _DECIMAL
    for byte in b", \t\r\n;()[]{}":
        table[byte] |= _SEPARATOR
    return table


_ALPHABETS = _make_alphabets()


def measure_encodings(data: Bytes, offsets: Offsets) -> npt.NDArray[np.int64]:
    """How much of each text is encoded data and lists of numbers.

    A run of base64 is of letters, digits, ``+``, ``/``, ``=`` and line feeds, and at least
    64 bytes. A run of codes is at least eight of ``\\\\x41``, ``\\\\u0041``, ``0x41`` or ``41``
    (two hexadecimal digits), each followed by a comma, white space or the next. A list is of
    numbers, decimal or hexadecimal, and separators and brackets between them, and at least
    64 bytes.

    Returns:
      int64[texts, 4]: bytes in runs of encoded data, bytes of the longest one, bytes in
      lists of numbers, bytes in hexadecimal numbers of such lists.
    """
    return _measure_encodings(data, offsets, _ALPHABETS)


@compiled
def _measure_encodings(
    data: Bytes, offsets: Offsets, alphabets: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    rows = offsets.size - 1
    found = np.zeros((rows, 4), dtype=np.int64)
    for row in range(rows):
        _measure_base64(data, offsets[row], offsets[row + 1], alphabets, found[row])
        _measure_lists(data, offsets[row], offsets[row + 1], alphabets, found[row])
    return found


@allocation_free
def _next_run(
    data: Bytes,
    start: int,
    stop: int,
    alphabets: npt.NDArray[np.uint8],
    alphabet: np.uint8,
    length: int,
) -> tuple[int, int]:
    """The first maximal run of an alphabet from a place on that is not inside of one."""
    while start + length <= stop:
        at = start + length - 1
        while at >= start and alphabets[data[at]] & alphabet:
            at -= 1
        if at < start:
            end = start + length
            while end < stop and alphabets[data[end]] & alphabet:
                end += 1
            return start, end
        start = at + 1
    return stop, stop


@allocation_free
def _measure_base64(
    data: Bytes,
    start: int,
    stop: int,
    alphabets: npt.NDArray[np.uint8],
    found: npt.NDArray[np.int64],
) -> None:
    start, end = _next_run(data, start, stop, alphabets, _BASE64, MIN_RUN)
    while start < end:
        found[0] += end - start
        found[1] = max(found[1], end - start)
        start, end = _next_run(data, end, stop, alphabets, _BASE64, MIN_RUN)


@allocation_free
def _measure_lists(
    data: Bytes,
    start: int,
    stop: int,
    alphabets: npt.NDArray[np.uint8],
    found: npt.NDArray[np.int64],
) -> None:
    start, end = _next_run(data, start, stop, alphabets, _LIST, MIN_RUN)
    while start < end:
        _measure_codes(data, start, end, alphabets, found)
        _measure_numbers(data, start, end, alphabets, found)
        start, end = _next_run(data, end, stop, alphabets, _LIST, MIN_RUN)


@allocation_free
def _measure_codes(
    data: Bytes,
    start: int,
    stop: int,
    alphabets: npt.NDArray[np.uint8],
    found: npt.NDArray[np.int64],
) -> None:
    codes = 0
    first = start
    last = start
    at = start
    while at < stop:
        end = _end_of_code(data, at, stop, alphabets)
        if end > at:
            if codes == 0:
                first = at
            codes += 1
            last = end
            at = end
            while at < stop and _is_gap(data[at]):
                at += 1
            continue
        if codes >= MIN_CODES:
            found[0] += last - first
            found[1] = max(found[1], last - first)
        codes = 0
        at += 1
        # A number is not looked at again from its middle.
        while at < stop and alphabets[data[at - 1]] & _HEX and alphabets[data[at]] & _HEX:
            at += 1
    if codes >= MIN_CODES:
        found[0] += last - first
        found[1] = max(found[1], last - first)


@allocation_free
def _is_gap(byte: np.uint8) -> bool:
    return bool(byte == 0x2C or byte == 0x20 or 9 <= byte <= 13)


@allocation_free
def _end_of_code(data: Bytes, at: int, stop: int, alphabets: npt.NDArray[np.uint8]) -> int:
    """Where a code that begins here ends, or here if none does."""
    start = at
    wanted = 2
    escaped = data[at] == 0x5C
    if at + 1 < stop and (escaped or data[at] == 0x30):
        kind = data[at + 1]
        if kind == 0x78 or (kind == 0x58 and not escaped):
            at += 2
        elif kind == 0x75 and escaped:
            at += 2
            wanted = 4
        elif escaped:
            return start
    elif escaped:
        return start
    if at + wanted > stop:
        return start
    for digit in range(at, at + wanted):
        if not alphabets[data[digit]] & _HEX:
            return start
    end = at + wanted
    if not escaped and end < stop and not _is_gap(data[end]):
        return start
    return end


@allocation_free
def _measure_numbers(
    data: Bytes,
    start: int,
    stop: int,
    alphabets: npt.NDArray[np.uint8],
    found: npt.NDArray[np.int64],
) -> None:
    # What hangs over from words before and after the run is not part of the list.
    while start < stop and not alphabets[data[start]] & _SEPARATOR:
        start += 1
    while start < stop and not alphabets[data[start]] & _DECIMAL:
        start += 1
    while start < stop and not alphabets[data[stop - 1]] & _DECIMAL:
        stop -= 1
    if stop - start < MIN_RUN:
        return
    digits = 0
    for at in range(start, stop):
        digits += (alphabets[data[at]] & _DECIMAL) != 0
    if 5 * digits >= stop - start:
        found[2] += stop - start
        found[3] += _count_hexadecimal(data, start, stop, alphabets)


@allocation_free
def _count_hexadecimal(data: Bytes, start: int, stop: int, alphabets: npt.NDArray[np.uint8]) -> int:
    """Bytes of numbers such as ``0x1f``."""
    count = 0
    at = start
    while at + 1 < stop:
        if data[at] == 0x30 and data[at + 1] | 0x20 == 0x78:
            first = at
            at += 2
            while at < stop and alphabets[data[at]] & _HEX:
                at += 1
            count += at - first
        else:
            at += 1
    return count
