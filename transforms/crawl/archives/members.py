"""Archives as streams of files: sdists and wheels, tar and zip.

Tar may be plain or compressed by gzip, bzip2, xz or Zstandard. Nothing is written to
disk and no header is believed: sizes are those of what was read, and everything that a
decompressor gives out is counted, skipped files included. Archives in archives are
files like others.
"""

from __future__ import annotations

import errno
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

from zlib_ng import zlib_ng

from schemas.failures import Reason
from transforms.crawl.archives.budget import budget_of
from transforms.crawl.archives.decompression import decompressed
from transforms.crawl.archives.member import Member, read_member
from transforms.crawl.archives.tar import TarStream, tar_members
from transforms.crawl.archives.zip import ZIP_MAGICS, zip_members
from transforms.crawl.source import CrawlError, Limits

__all__ = ["Member", "iterate_members", "read_member"]

_MAGIC_BYTES = 6
_BUFFER_BYTES = 1 << 18
_SUFFIXES = (
    *(".gz", ".bz2", ".xz", ".zst", ".tar", ".zip", ".whl"),
    *(".tgz", ".tbz", ".tbz2", ".txz", ".tzst"),
)

# What decompressors and `zipfile` raise on damage, besides their own errors: hostile
# headers reach int(), struct and slices unchecked.
_CORRUPTIONS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    # Typed as an instance by its stubs.
    cast(type[Exception], zlib_ng.error),
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    ArithmeticError,
    LookupError,
    RuntimeError,
)


def iterate_members(
    archive: Path, limits: Limits, *, strip_root: bool
) -> Generator[Member, None, None]:
    """All members of an archive but its folders, in its order.

    Raises `CrawlError` where it is damaged, exceeds a limit or cannot be decompressed.
    """
    strip = _root_stripper(archive.name) if strip_root else _without_dot
    with archive.open("rb", buffering=_BUFFER_BYTES) as file:
        try:
            for count, member in enumerate(_members(file, limits), start=1):
                if count > limits.max_repository_files:
                    detail = f"more than {limits.max_repository_files:,} files"
                    raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
                # Reading happens outside of this frame, and of its `try`.
                read = _named(member.read) if member.problem is None else member.read
                yield Member(strip(member.path), read, member.problem, member.detail)
        except _CORRUPTIONS as error:
            _name_corruption(error)


def _members(file: BinaryIO, limits: Limits) -> Iterator[Member]:
    magic = file.read(_MAGIC_BYTES)
    budget = budget_of(file, limits)
    if magic.startswith(ZIP_MAGICS):
        return zip_members(file, budget, limits)
    return tar_members(TarStream(decompressed(file, magic, budget), budget))


def _named(read: Callable[[int], bytes | None]) -> Callable[[int], bytes | None]:
    def named(max_bytes: int) -> bytes | None:
        try:
            return read(max_bytes)
        except _CORRUPTIONS as error:
            _name_corruption(error)

    return named


def _name_corruption(error: Exception) -> NoReturn:
    """Raises `CrawlError` for a damage, and the error itself where the disk is at fault."""
    # The parsers' own OSErrors have no number; a negative offset has this one.
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        raise error
    raise CrawlError(Reason.CORRUPT_ARCHIVE, f"{type(error).__name__}: {error}") from error


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
    for suffix in _SUFFIXES:
        stem = stem.removesuffix(suffix)
    return stem.replace("-", "_").replace(".", "_")
