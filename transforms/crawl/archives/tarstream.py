"""A decompressed tar as `tarfile` reads it: forwards only, counted and bounded.

tarfile's own stream mode copies everything through small buffers; in its plain mode
it never goes back as long as members are read in order, so this reader need not either.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from schemas.failures import Reason
from transforms.crawl.source import CrawlError

# A member's header with all its extensions (long names, PAX records, maps of holes),
# which tarfile holds in memory, and parses by recursion. A path has 1 KiB at most.
MAX_HEADER_BYTES = 1 << 18

_SKIP_BYTES = 1 << 18


class ForwardReader(io.RawIOBase):
    """Counts what a decompressor gives out, and stops at a limit.

    Raises `CrawlError` beyond ``max_bytes``, with ``problem`` as its detail.
    """

    def __init__(self, file: BinaryIO, max_bytes: int, problem: str) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._problem = problem
        self._position = 0
        self._header_bytes_left: int | None = MAX_HEADER_BYTES
        self._last_block = b""

    @contextmanager
    def limit_header(self) -> Iterator[None]:
        """Within it, what is read is a header, and may be as long as one."""
        self._header_bytes_left = MAX_HEADER_BYTES
        yield
        self._header_bytes_left = None

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes, fewer only at the end."""
        if self._header_bytes_left is not None:
            self._header_bytes_left -= size
            if size < 0 or self._header_bytes_left < 0:
                raise tarfile.ReadError(f"a header of more than {MAX_HEADER_BYTES:,} bytes")
        data = self._read(size)
        if size == tarfile.BLOCKSIZE:
            self._last_block = data
        return data

    def _read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._position += len(data)
        if self._position > self._max_bytes:
            raise CrawlError(Reason.REPOSITORY_TOO_LARGE, self._problem)
        return data

    def tell(self) -> int:
        """How many bytes were read or skipped."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Skips forward to an offset, or to the end where that comes first."""
        if whence != io.SEEK_SET or offset < self._position:
            raise tarfile.ReadError(f"the archive refers back from {self._position} to {offset}")
        while self._position < offset:
            if not self._read(min(_SKIP_BYTES, offset - self._position)):
                break
        return self._position

    def drain(self) -> None:
        """Reads to the end, so that checksums there are compared.

        tarfile takes a damaged header for the end of an archive. An undamaged one
        ends with a block of zeros.
        """
        if self._last_block != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("the archive ends without its end mark, or in a damaged header")
        while self._read(_SKIP_BYTES):
            pass
