"""Tar archives, read forwards: v7, ustar, GNU and PAX.

`tarfile` of Python before 3.11.10 and 3.12.6 takes quadratic time on hostile PAX
records, takes a damaged header for the end of an archive and keeps every member in
memory; so headers are parsed here, and alike on every version. Formats: pax in POSIX.1,
and "Basic Tar Format" in the manual of GNU tar.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from schemas.failures import Reason
from transforms.crawl.archives.budget import Budget
from transforms.crawl.archives.member import Member, unreadable
from transforms.crawl.source import CrawlError

_BLOCK = 512
_END = bytes(_BLOCK)
_SKIP_BYTES = 1 << 18

# A member's header with all its extensions (long names, PAX records, maps of holes).
# A path has 1 KiB at most, extended attributes some KiB.
MAX_HEADER_BYTES = 1 << 18

_LONG_NAME, _LONG_LINK, _GLOBAL, _LOCAL = b"L", b"K", b"g", (b"x", b"X")
_EXTENSIONS = frozenset((_LONG_NAME, _LONG_LINK, _GLOBAL, *_LOCAL))
_REGULAR = frozenset((b"0", b"\0", b"7"))
_LINKS = frozenset((b"1", b"2"))
_FOLDERS = frozenset((b"5", b"D"))
_SPARSE = b"S"
_WITHOUT_DATA = frozenset((b"1", b"2", b"3", b"4", b"5", b"6"))
_SPECIAL = {b"3": "a character device", b"4": "a block device", b"6": "a FIFO"}

_SPARSE_RECORDS = b"GNU.sparse."
_SPARSE_NAME = b"GNU.sparse.name"

Records = Mapping[bytes, bytes]


def _corrupt(problem: str) -> CrawlError:
    return CrawlError(Reason.CORRUPT_ARCHIVE, problem)


class TarStream:
    """A decompressed tar, counted and never read backwards."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self._read = file.read
        self._budget = budget
        self.position = 0

    def read(self, size: int) -> bytes:
        """So many bytes; raises `CrawlError` at the end or where the budget is spent."""
        self._budget.spend(size)
        data = self._read(size)
        self.position += len(data)
        if len(data) != size:
            raise _corrupt("the archive ends too early")
        return data

    def skip_to(self, position: int) -> None:
        """Passes over what lies before a position."""
        while self.position < position:
            self.read(min(_SKIP_BYTES, position - self.position))

    def drain(self) -> None:
        """Reads to the end, so that checksums there are compared."""
        while data := self._read(_SKIP_BYTES):
            self._budget.spend(len(data))


@dataclass(frozen=True)
class _Header:
    name: bytes
    size: int
    kind: bytes
    has_more_holes: bool


@dataclass(frozen=True)
class _Entry:
    """A header with what its extensions say."""

    name: bytes
    size: int
    kind: bytes
    is_sparse: bool


def tar_members(stream: TarStream) -> Iterator[Member]:
    """All members but folders; raises `CrawlError` where the archive is damaged."""
    shared: dict[bytes, bytes] = {}
    while (entry := _next_entry(stream, shared)) is not None:
        end = _end_of_data(stream, 0 if entry.kind in _WITHOUT_DATA else entry.size)
        is_folder = entry.kind == b"\0" and entry.name.endswith(b"/")
        if not is_folder and entry.kind not in _FOLDERS:
            yield _member(stream, entry)
        stream.skip_to(end)
    stream.drain()


def _end_of_data(stream: TarStream, size: int) -> int:
    return stream.position + size + -size % _BLOCK


def _member(stream: TarStream, entry: _Entry) -> Member:
    path = entry.name.decode("utf-8", "surrogateescape")
    if entry.is_sparse:
        return Member(path, unreadable, Reason.SPARSE_FILE)
    if entry.kind in _LINKS:
        return Member(path, unreadable, Reason.LINK)
    if entry.kind not in _REGULAR:
        detail = _SPECIAL.get(entry.kind, f"a member of type {entry.kind!r}")
        return Member(path, unreadable, Reason.SPECIAL_FILE, detail)
    return Member(path, _reader(stream, entry.size))


def _reader(stream: TarStream, size: int) -> Callable[[int], bytes | None]:
    start = stream.position

    def read(max_bytes: int) -> bytes | None:
        if size > max_bytes:
            return None
        if stream.position != start:
            raise ValueError("a member is read once, before the next one is asked for")
        return stream.read(size)

    return read


def _next_entry(stream: TarStream, shared: dict[bytes, bytes]) -> _Entry | None:
    """The next header with its extensions, None at the end mark; keeps global records."""
    left = MAX_HEADER_BYTES
    own: dict[bytes, bytes] = {}
    name: bytes | None = None
    while (header := _read_header(stream)) is not None:
        if header.kind not in _EXTENSIONS:
            _skip_holes(stream, header, left)
            return _entry(header, name, {**shared, **own})
        left -= header.size + _BLOCK
        if left < 0:
            raise _corrupt(f"a header of more than {MAX_HEADER_BYTES:,} bytes")
        end = _end_of_data(stream, header.size)
        payload = stream.read(header.size)
        stream.skip_to(end)
        if header.kind == _LONG_NAME:
            name = payload.partition(b"\0")[0]
        elif header.kind == _GLOBAL:
            shared.update(_parse_records(payload))
        elif header.kind in _LOCAL:
            own.update(_parse_records(payload))
    return None


def _entry(header: _Header, long_name: bytes | None, records: Records) -> _Entry:
    is_sparse = header.kind == _SPARSE or any(map(_is_sparse_record, records))
    # An empty value takes a record back.
    name = records.get(_SPARSE_NAME) or records.get(b"path") or long_name or header.name
    size = records.get(b"size")
    return _Entry(name, _decimal(size) if size else header.size, header.kind, is_sparse)


def _is_sparse_record(key: bytes) -> bool:
    return key.startswith(_SPARSE_RECORDS)


def _skip_holes(stream: TarStream, header: _Header, left: int) -> None:
    """Passes over the blocks that hold the rest of an old GNU map of holes."""
    has_more = header.has_more_holes
    while has_more:
        left -= _BLOCK
        if left < 0:
            raise _corrupt(f"a header of more than {MAX_HEADER_BYTES:,} bytes")
        has_more = stream.read(_BLOCK)[504] != 0


def _read_header(stream: TarStream) -> _Header | None:
    block = stream.read(_BLOCK)
    if block == _END:
        return None
    _check_sum(block)
    name = block[:100].partition(b"\0")[0]
    # GNU tar, whose magic ends otherwise, keeps other things in the prefix's place.
    if block[257:263] == b"ustar\0" and block[345]:
        name = block[345:500].partition(b"\0")[0] + b"/" + name
    kind = block[156:157]
    has_more_holes = kind == _SPARSE and block[482] != 0
    return _Header(name, _number(block[124:136]), kind, has_more_holes)


def _check_sum(block: bytes) -> None:
    """Raises `CrawlError` where a header's sum is neither that of its bytes nor of signed ones."""
    expected = _number(block[148:156])
    total = _sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if total != expected:
        signed = total - 256 * sum(byte > 127 for byte in block[:148] + block[156:])
        if signed != expected:
            raise _corrupt("a header is damaged, or this is no archive")


def _sum(block: bytes) -> int:
    """The sum of 512 bytes: the low half of Adler-32 is that of so few, less one, and fast."""
    return sum((zlib.adler32(half) & 0xFFFF) - 1 for half in (block[:256], block[256:]))


def _number(field: bytes) -> int:
    """Octal digits, or a big-endian number behind the byte 0x80."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.partition(b"\0")[0].strip(b" ")
    if digits.strip(b"01234567"):
        raise _corrupt("a number in a header is none")
    return int(digits or b"0", 8)


def _parse_records(payload: bytes) -> dict[bytes, bytes]:
    """The records ``LENGTH KEY=VALUE`` of a PAX header that say what is read, or where."""
    records = {}
    start = 0
    while start < len(payload) and payload[start] != 0:
        space = payload.find(b" ", start, start + 12)
        if space < 0:
            raise _corrupt("a PAX record has no length")
        end = start + _decimal(payload[start:space])
        if not space + 1 < end <= len(payload) or payload[end - 1] != ord("\n"):
            raise _corrupt("a PAX record has a wrong length")
        key, equals, value = payload[space + 1 : end - 1].partition(b"=")
        if not equals:
            raise _corrupt("a PAX record has no value")
        if key in (b"path", b"size") or _is_sparse_record(key):
            records[key] = value
        start = end
    return records


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 20:
        raise _corrupt("a number in a PAX record is none")
    return int(digits)
