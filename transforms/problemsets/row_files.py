"""Rows of any file that problems and samples come in: JSON Lines or a table."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pyarrow as pa

from transforms.problemsets.json_lines import iterate_json_lines
from transforms.problemsets.rows import Row, RowFileError
from transforms.problemsets.table_rows import (
    ARROW_MAGIC,
    PARQUET_MAGIC,
    STREAM_MAGIC,
    iterate_table_rows,
    parts_of,
)

_MAGIC_BYTES = 6
_DAMAGE = (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error, pa.ArrowException)


def iterate_rows(path: Path, max_line_bytes: int) -> Iterator[Row]:
    """The rows of a file of JSON Lines or a table, in order, few in memory at a time.

    JSON Lines may be compressed by gzip, bzip2, xz or Zstandard. A table is a Parquet or
    Arrow file or a folder of such parts, through which rows are numbered. The bytes of a
    file say what it is, not its name.

    Raises:
      RowFileError: the file cannot be read, or not to its end.
    """
    last = 0
    try:
        for row in _rows(path, max_line_bytes):
            last = row.number
            yield row
    except RowFileError:
        raise
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:300]
        where = f" after row {last}" if last else ""
        raise RowFileError(f"{path}: cannot be read{where}: {reason}") from error


def _rows(path: Path, max_line_bytes: int) -> Iterator[Row]:
    numbers = count(1)
    if not path.is_dir():
        yield from _file_rows(path, max_line_bytes, numbers)
        return
    parts = parts_of(path)
    if not parts:
        wanted = "name a file, or the folder of a table, which has part-00000.parquet and so on"
        raise RowFileError(f"{path}: is a folder without parts of a table; {wanted}")
    for part in parts:
        yield from iterate_table_rows(part, _magic(part), numbers)


def _file_rows(path: Path, max_line_bytes: int, numbers: count[int]) -> Iterator[Row]:
    if path.exists() and not path.is_file():
        # Who checks rows before they are run reads them twice, which a pipe does not allow.
        raise RowFileError(f"{path}: is no file on a disk; write it to one first")
    magic = _magic(path)
    if magic.startswith((PARQUET_MAGIC, ARROW_MAGIC, STREAM_MAGIC)):
        yield from iterate_table_rows(path, magic, numbers)
    else:
        yield from iterate_json_lines(path, magic, max_line_bytes)


def _magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAGIC_BYTES)
