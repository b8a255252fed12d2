"""Zip archives and wheels, through `zipfile`, with the checks that it does not make.

The directory at the end decides what there is. An archive is refused as damaged where
another reader could see something else in it: where it starts with other data, or where
the data of two entries overlap, which is also how the densest bombs are made.
"""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, cast

from schemas.failures import Reason
from transforms.crawl.archives.budget import Budget
from transforms.crawl.archives.member import Member, unreadable
from transforms.crawl.source import CrawlError, Limits

# The start of a file's header or, where there is no file, of the directory's end. A tar
# starts with a name, which may well begin with PK.
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")

# An entry of the directory takes 46 bytes and its name, and in memory some 600.
_MAX_ENTRY_BYTES = 256
_ENTRY_MAGIC = b"PK\x01\x02"
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_OVERLAP = "entries overlap each other or the directory"

_ENCRYPTED_FLAGS = 0x2041  # the entry, strongly so, or the directory
_PATCH_FLAG = 0x20
# The other methods of zipfile decompress a whole chunk at once, however much it gives.
_METHODS = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))


def zip_members(file: BinaryIO, budget: Budget, limits: Limits) -> Iterator[Member]:
    """All members but folders; raises `CrawlError` and what `zipfile` does for damage."""
    guarded = _GuardedFile(file, limits.max_repository_files)
    with zipfile.ZipFile(cast(BinaryIO, guarded)) as archive:
        guarded.directory_is_read = True
        entries = archive.infolist()
        ends = _ends_of_room(entries, archive.start_dir)
        for entry in entries:
            if not entry.is_dir():
                room = _Room(file, entry.header_offset, ends[entry.header_offset])
                yield _member(archive, entry, room, budget)


def _ends_of_room(entries: Sequence[zipfile.ZipInfo], directory: int) -> dict[int, int]:
    """Where the data of the entry at each offset have to end.

    Raises BadZipFile where entries surely overlap, or something goes before them.
    """
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    starts = [entry.header_offset for entry in ordered]
    if [*starts, directory][0] != 0:
        raise zipfile.BadZipFile("there is something before the first entry")
    ends = dict(pairwise([*starts, directory]))
    for entry in ordered:
        # The whole length of a local header shows only there: `_Room` looks at it.
        length = _LOCAL_HEADER.size + len(entry.orig_filename) + entry.compress_size
        if len(ends) < len(ordered) or entry.header_offset + length > ends[entry.header_offset]:
            raise zipfile.BadZipFile(_OVERLAP)
    return ends


@dataclass(frozen=True)
class _Room:
    """Where an entry lies in its file."""

    file: BinaryIO
    start: int
    end: int

    def check(self, data_bytes: int) -> None:
        """Raises BadZipFile where so many bytes of data do not fit behind the local header."""
        self.file.seek(self.start)
        *_, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(self.file.read(_LOCAL_HEADER.size))
        length: int = _LOCAL_HEADER.size + name_bytes + extra_bytes + data_bytes
        if self.start + length > self.end:
            raise zipfile.BadZipFile(_OVERLAP)


def _member(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: _Room, budget: Budget
) -> Member:
    # `filename` ends at the first NUL, which would hide the rest of the name.
    path = entry.orig_filename
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return Member(path, unreadable, Reason.LINK)
    if kind not in (0, stat.S_IFREG):
        return Member(path, unreadable, Reason.SPECIAL_FILE, f"a file of mode {kind:o}")
    if entry.flag_bits & _ENCRYPTED_FLAGS:
        return Member(path, unreadable, Reason.ENCRYPTED)
    if entry.compress_type not in _METHODS or entry.flag_bits & _PATCH_FLAG:
        detail = f"method {entry.compress_type} of zip"
        return Member(path, unreadable, Reason.UNSUPPORTED_COMPRESSION, detail)
    return Member(path, _reader(archive, entry, room, budget))


def _reader(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: _Room, budget: Budget
) -> Callable[[int], bytes | None]:
    def read(max_bytes: int) -> bytes | None:
        room.check(entry.compress_size)
        with archive.open(entry) as stream:
            content = stream.read(max_bytes + 1)
        budget.spend(len(content))
        return content if len(content) <= max_bytes else None

    return read


class _GuardedFile:
    """A file that refuses to give out a directory that would fill the memory."""

    def __init__(self, file: BinaryIO, max_entries: int) -> None:
        self._file = file
        self._max_entries = max_entries
        self.directory_is_read = False
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1, /) -> bytes:
        if self.directory_is_read:
            return self._file.read(size)
        most = (self._max_entries + 1) * _MAX_ENTRY_BYTES
        data = self._file.read(most if size < 0 else min(size, most))
        if len(data) == most or data.count(_ENTRY_MAGIC) > self._max_entries:
            detail = f"more than {self._max_entries:,} files and folders"
            raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
        return data
