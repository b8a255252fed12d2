"""Archives as streams of files: sdists and wheels, tar (plain, gzip, bzip2, xz) and zip.

Nothing is written to disk and no header is believed: sizes are those of what was
read, and everything that a decompressor gives out is counted, skipped files included.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from schemas.failures import Reason
from transforms.crawl.archives.tarstream import ForwardReader
from transforms.crawl.source import CrawlError, Limits, RejectedFile, SourceFile

READ_BYTES = 1 << 18

# Source code compresses 3 to 10 times, and archives with generated tables up to some
# 50 times. What is small anyway may be whatever it wants.
MAX_RATIO = 200
RATIO_FREE_BYTES = 64 << 20

# Python holds about 600 bytes for an entry of a zip's directory, which takes 46 bytes
# of the file at least: the directory is bounded before it is read.
MAX_ZIP_ENTRY_BYTES = 256

# The start of a file's header or, where there is no file, of the directory's end. A tar
# starts with a name, which may well begin with PK.
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")

# What the parsers of the standard library raise on malformed archives, besides their
# own errors: hostile headers reach int(), struct and slices unchecked.
_CORRUPTIONS = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    ArithmeticError,
    LookupError,
    RuntimeError,
)


@dataclass(frozen=True)
class Member:
    """A file or link of an archive. ``read`` works until the next member is asked for.

    ``read(n)`` gives all of the file, or None where it has more than ``n`` bytes.
    """

    path: str
    is_link: bool
    read: Callable[[int], bytes | None]


def read_member(member: Member, max_file_bytes: int) -> SourceFile | RejectedFile:
    """A member as a source gives it out."""
    if member.is_link:
        return RejectedFile(member.path, Reason.LINK)
    content = member.read(max_file_bytes)
    if content is None:
        detail = f"more than {max_file_bytes:,} bytes"
        return RejectedFile(member.path, Reason.FILE_TOO_LARGE, detail)
    return SourceFile(member.path, content)


def iterate_members(archive: Path, limits: Limits, *, strip_root: bool) -> Iterator[Member]:
    """All files and links of an archive, in its order; other kinds of members are passed over."""
    strip = _root_stripper(archive.name) if strip_root else _without_dot
    with _naming_corruption(), archive.open("rb") as file:
        magic = file.read(6)
        file.seek(0)
        members = _zip_members if magic.startswith(_ZIP_MAGICS) else _tar_members
        for count, member in enumerate(members(file, magic, limits), start=1):
            if count > limits.max_repository_files:
                raise CrawlError(
                    Reason.REPOSITORY_TOO_LARGE, f"more than {limits.max_repository_files:,} files"
                )
            # Reading happens outside of this frame, and of its `with`.
            yield Member(strip(member.path), member.is_link, _naming_corruption()(member.read))


@contextmanager
def _naming_corruption() -> Iterator[None]:
    try:
        yield
    except _CORRUPTIONS as error:
        # The parsers' own OSErrors have no number; a negative offset has this one.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        detail = f"{type(error).__name__}: {error}"
        raise CrawlError(Reason.CORRUPT_ARCHIVE, detail) from error


def _without_dot(path: str) -> str:
    return path.removeprefix("./")


def _root_stripper(archive_name: str) -> Callable[[str], str]:
    """Takes off the folder that is named like the archive, or that holds the first member.

    One pass cannot know that all members share a folder. A member outside of it keeps
    its path, so that nothing is lost, whatever the archive's shape.
    """
    named = _comparable(archive_name)
    first: list[str] = []

    def strip(path: str) -> str:
        root, slash, rest = _without_dot(path).partition("/")
        first.append(root if slash else "") if not first else None
        is_root = slash and rest and (root == first[0] or named == _comparable(root))
        return rest if is_root else _without_dot(path)

    return strip


def _comparable(name: str) -> str:
    stem = name.lower()
    for suffix in (".gz", ".bz2", ".xz", ".tar", ".tgz", ".zip"):
        stem = stem.removesuffix(suffix)
    return stem.replace("-", "_").replace(".", "_")


def _byte_limits(file: BinaryIO, limits: Limits) -> tuple[int, str]:
    """How many bytes may come out of an archive, and what to say where it is more."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    by_ratio = max(RATIO_FREE_BYTES, size * MAX_RATIO)
    if by_ratio < limits.max_repository_bytes:
        return by_ratio, f"expands to more than {MAX_RATIO} times its size"
    limit = limits.max_repository_bytes
    return limit, f"more than {limit:,} bytes when decompressed"


def _tar_members(file: BinaryIO, magic: bytes, limits: Limits) -> Iterator[Member]:
    buffered = io.BufferedReader(cast(io.FileIO, file), READ_BYTES)
    reader = ForwardReader(_decompressed(buffered, magic), *_byte_limits(file, limits))
    with closing(tarfile.open(fileobj=reader, mode="r:", encoding="utf-8")) as tar:
        while True:
            with reader.limit_header():
                info = tar.next()
            if info is None:
                break
            # tarfile remembers every member, and extracting, which we never do, needs that.
            tar.members.clear()  # type: ignore[attr-defined]
            if info.isreg() or info.issym() or info.islnk():
                yield Member(info.name, not info.isreg(), _tar_reader(tar, info))
    reader.drain()


def _decompressed(file: BinaryIO, magic: bytes) -> BinaryIO:
    if magic.startswith(b"\x1f\x8b"):
        return cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="rb"))
    if magic.startswith(b"BZh"):
        return cast(BinaryIO, bz2.BZ2File(file))
    if magic.startswith(b"\xfd7zXZ"):
        return cast(BinaryIO, lzma.LZMAFile(file))
    return file


def _tar_reader(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[int], bytes | None]:
    def read(max_bytes: int) -> bytes | None:
        stream = tar.extractfile(info)
        content = b"" if stream is None else stream.read(max_bytes + 1)
        return content if len(content) <= max_bytes else None

    return read


def _zip_members(file: BinaryIO, _magic: bytes, limits: Limits) -> Iterator[Member]:
    max_bytes, problem = _byte_limits(file, limits)
    budget = _Budget(max_bytes, problem)
    directory_bytes = limits.max_repository_files * MAX_ZIP_ENTRY_BYTES
    guarded = _GuardedFile(file, directory_bytes)
    with zipfile.ZipFile(cast(BinaryIO, guarded)) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            is_link = kind == stat.S_IFLNK
            if not info.is_dir() and (is_link or kind in (0, stat.S_IFREG)):
                # `filename` ends at the first NUL, which would hide the rest of the name.
                yield Member(info.orig_filename, is_link, _zip_reader(archive, info, budget))


class _GuardedFile:
    """A file that refuses single reads that no honest zip asks for."""

    def __init__(self, file: BinaryIO, max_read_bytes: int) -> None:
        self._file = file
        self._max_read_bytes = max_read_bytes
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1, /) -> bytes:
        most = self._max_read_bytes + 1
        data = self._file.read(most if size < 0 else min(size, most))
        if len(data) == most:
            raise CrawlError(
                Reason.REPOSITORY_TOO_LARGE, f"a directory of more than {most - 1:,} bytes"
            )
        return data


@dataclass
class _Budget:
    """Bytes that may still come out of an archive."""

    left: int
    problem: str

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise CrawlError(Reason.REPOSITORY_TOO_LARGE, self.problem)


def _zip_reader(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: _Budget
) -> Callable[[int], bytes | None]:
    def read(max_bytes: int) -> bytes | None:
        # The other methods of zipfile decompress a whole chunk at once, however much it gives.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile(f"compression method {info.compress_type} is not supported")
        with archive.open(info) as stream:
            content = stream.read(max_bytes + 1)
        budget.spend(len(content))
        return content if len(content) <= max_bytes else None

    return read
