"""Archives as bytes, built for tests, and what the readers make of them."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import tarfile
import warnings
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from schemas.failures import Reason
from transforms.crawl.archives.members import iterate_members, read_member
from transforms.crawl.source import CrawlError, Limits, RejectedFile, SourceFile

DEFAULT_LIMITS = Limits()
FILES = {"setup.py": b"import setuptools\n", "a/b.py": b"x = 1\n", "empty.py": b""}


def zstd_compress(data: bytes) -> bytes:
    return pa.compress(data, codec="zstd", asbytes=True)


COMPRESSIONS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd_compress,
}


def everything(path):
    return True


def make_tar(members, dialect=tarfile.PAX_FORMAT):
    """A plain tar from pairs of a name and content, or of a TarInfo and content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=dialect) as tar:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def make_zip(members, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.simplefilter("ignore", UserWarning)  # a name that is there twice
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def tar_block(name: bytes, kind: bytes, payload: bytes, size: bytes | None = None) -> bytes:
    """A header of v7 with its payload, padded; ``size`` is the field, whatever the payload."""
    field = b"%011o\0" % len(payload) if size is None else size
    header = bytearray(name.ljust(100, b"\0") + b"0000644\0" * 3 + field + b"00000000000\0")
    header += b" " * 8 + kind
    header = header.ljust(512, b"\0")
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + payload + bytes(-len(payload) % 512)


def pax_record(key: bytes, value: bytes) -> bytes:
    length = len(key) + len(value) + 3
    while len(b"%d %s=%s\n" % (length, key, value)) != length:
        length += 1
    return b"%d %s=%s\n" % (length, key, value)


TAR_END = bytes(1024)


def read(
    tmp_path: Path,
    data: bytes,
    name="pkg-1.0.tar.gz",
    wanted=everything,
    limits=DEFAULT_LIMITS,
    strip=True,
) -> list[SourceFile | RejectedFile]:
    archive = tmp_path / name
    archive.write_bytes(data)
    # Closed here, as a traceback that is kept would keep it open.
    with contextlib.closing(iterate_members(archive, limits, strip_root=strip)) as members:
        return [
            read_member(member, limits.max_file_bytes) for member in members if wanted(member.path)
        ]


def reason_of(*arguments, **options) -> Reason:
    with pytest.raises(CrawlError) as caught:
        read(*arguments, **options)
    return caught.value.reason


def contents(files):
    return {file.path: file.content for file in files if isinstance(file, SourceFile)}
