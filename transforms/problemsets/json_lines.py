"""Rows of a file of JSON Lines, plain or compressed, a line in memory at a time."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from transforms.problemsets.rows import Row, parse_line, refused

_CHUNK_BYTES = 1 << 20


def iterate_json_lines(path: Path, magic: bytes, max_line_bytes: int) -> Iterator[Row]:
    """The rows of a file whose first bytes are ``magic``, in order; blank lines are none.

    A line that is no JSON object, or is too long, is a row that says so. Raises what the
    decompressors do where the file is damaged: OSError, EOFError, `lzma.LZMAError` and
    `zlib.error`.
    """
    with _opened(path, magic) as file:
        number = 0
        while line := file.readline(max_line_bytes + 1):
            number += 1
            if len(line) > max_line_bytes and not line.endswith(b"\n"):
                yield refused(number, line, f"longer than {max_line_bytes:,} bytes")
                while line and not line.endswith(b"\n"):
                    line = file.readline(_CHUNK_BYTES)
            elif line.strip():
                yield parse_line(number, line)


def _opened(path: Path, magic: bytes) -> BinaryIO:
    for start, open_as in _OPENERS.items():
        if magic.startswith(start):
            file: BinaryIO = open_as(path)
            return file
    return path.open("rb")


def _open_zstd(path: Path) -> io.BufferedReader:
    # Arrow's own streams have no lines.
    return io.BufferedReader(pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"), _CHUNK_BYTES)


_OPENERS: Mapping[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
    b"\x28\xb5\x2f\xfd": _open_zstd,
}
