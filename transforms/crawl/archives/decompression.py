"""Compressed files as streams of what they hold: gzip, bzip2, xz and Zstandard.

Streams and frames that follow each other are one, as their tools have it. What follows
the last stream and is none, as signatures that some publish do, is passed over but for
Zstandard; a tar that had not ended there is damaged. Memory stays flat, whatever a file
expands to and whatever window it asks for: those above a limit are refused.
"""

from __future__ import annotations

import bz2
import io
import lzma
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO, Protocol

import pyarrow as pa
from zlib_ng import zlib_ng

from schemas.failures import Reason
from transforms.crawl.archives.budget import Budget
from transforms.crawl.source import CrawlError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

READ_BYTES = 1 << 16
_BUFFER_BYTES = 1 << 18

# What `xz -9` needs is 65 MiB. Zstandard's own limit, which Arrow has, is a window of
# 128 MiB; more needs `--long` or `--memory` for its tools, too.
MAX_XZ_MEMORY_BYTES = 100 << 20

# A stream of nothing has 14 to 32 bytes, and starting it costs as much as some KiB.
STREAM_COST_BYTES = 1 << 12

_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"  # after a byte from 0x50 to 0x5f


class _Decompressor(Protocol):
    """One stream, as `bz2` and `lzma` read it."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def decompressed(file: BinaryIO, magic: bytes, budget: Budget) -> BinaryIO:
    """What a file holds that starts with ``magic``: the file itself where that is no format's.

    What is read from it is not counted. Raises `CrawlError` where it needs too much
    memory or is too many streams; what the decompressors raise besides is damage.
    """
    for start, decompressor in _STARTS.items():
        if magic.startswith(start):
            return _buffered(_Streams(file, start, decompressor, budget))
    if magic.startswith(_ZSTD) or (magic[1:4] == _ZSTD_SKIPPABLE and magic[0] >> 4 == 5):
        return _buffered(_ZstdStream(file))
    return file


def _buffered(raw: io.RawIOBase) -> BinaryIO:
    return io.BufferedReader(raw, _BUFFER_BYTES)


def _xz_decompressor() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_XZ_MEMORY_BYTES)


class _Inflater:
    """One gzip stream, with the interface that the other decompressors have."""

    def __init__(self) -> None:
        self._zlib = zlib_ng.decompressobj(16 + zlib_ng.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


_STARTS: Mapping[bytes, Callable[[], _Decompressor]] = {
    b"\x1f\x8b": _Inflater,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\0": _xz_decompressor,
}


class _Streams(io.RawIOBase):
    """Compressed streams one after the other."""

    def __init__(
        self, file: BinaryIO, magic: bytes, start: Callable[[], _Decompressor], budget: Budget
    ) -> None:
        self._file = file
        self._magic = magic
        self._is_at_end = False
        self._start = start
        self._budget = budget
        self._stream = start()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        target = memoryview(buffer).cast("B")
        while not self._is_at_end:
            data = b""
            if self._stream.eof:
                data = self._next_start()
                if self._is_at_end:
                    break
                self._budget.spend(STREAM_COST_BYTES)
                self._stream = self._start()
            elif self._stream.needs_input:
                data = self._file.read(READ_BYTES)
            output = self._decompress(data, len(target))
            if output:
                target[: len(output)] = output
                return len(output)
            if not data and not self._stream.eof and self._stream.needs_input:
                raise EOFError("the compressed stream ends too early")
        return 0

    def _next_start(self) -> bytes:
        """The first bytes of the next stream after any zeros; notes where there is none."""
        data = self._stream.unused_data.lstrip(b"\0")
        while len(data) < len(self._magic) and (more := self._file.read(READ_BYTES)):
            data = (data + more).lstrip(b"\0")
        self._is_at_end = not data.startswith(self._magic)
        return data

    def _decompress(self, data: bytes, max_bytes: int) -> bytes:
        try:
            return self._stream.decompress(data, max_bytes)
        except lzma.LZMAError as error:
            if "Memory usage limit" not in str(error):
                raise
            detail = f"its xz dictionary needs more than {MAX_XZ_MEMORY_BYTES >> 20} MiB"
            raise CrawlError(Reason.UNSUPPORTED_COMPRESSION, detail) from error


class _ZstdStream(io.RawIOBase):
    """Zstandard frames one after the other."""

    def __init__(self, file: BinaryIO) -> None:
        self._stream = pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        try:
            # Its `read` leaks what it was asked for where it fails.
            count: int = self._stream.readinto(buffer)
        except OSError as error:
            if "too much memory" not in str(error):
                raise
            detail = "its Zstandard window is larger than 128 MiB"
            raise CrawlError(Reason.UNSUPPORTED_COMPRESSION, detail) from error
        return count
