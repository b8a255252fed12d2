"""Lists for people and programs outside: rows as CSV, JSON Lines or Parquet, by suffix."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UsageError
from transforms.stores.address import is_object
from transforms.stores.files import LocalOutput, writing_to
from transforms.stores.store import store_at

Write = Callable[[pa.RecordBatch], None]

LIST_SEPARATOR = "; "
"""Between the values of a list in a CSV cell."""

# What makes spreadsheets take a cell for a formula, the full-width forms for some of them;
# and the quote itself, so that taking one away always gives back what was there.
_FORMULA_STARTS = tuple("=+-@\t\r\n'\uff1d\uff0b\uff0d\uff20")


@contextmanager
def exporting(place: Path | str, schema: pa.Schema) -> Iterator[Write]:
    """Writes batches of rows to a file or object that is there when it is whole.

    Raises:
      UsageError: the file's suffix is none of those that can be written, or it has no folder.
    """
    address, path = str(place), Path(place)
    if path.suffix not in _FORMATS:
        raise UsageError(f"--output {address}: its name must end in {', '.join(_FORMATS)}")
    if is_object(address):
        folder, _, name = address.rpartition("/")
        output = store_at(folder).output(name)
    elif not path.parent.is_dir() or path.is_dir():
        raise UsageError(f"--output {address}: name a file in a folder that exists")
    else:
        output = LocalOutput(path)
    with writing_to(output) as file, _FORMATS[path.suffix](file, schema) as write:
        yield write


@contextmanager
def _csv(file: IO[bytes], schema: pa.Schema) -> Iterator[Write]:
    # Line by line through one small buffer: a batch has no second copy as text.
    with os.fdopen(os.dup(file.fileno()), "w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(schema.names)

        def write(batch: pa.RecordBatch) -> None:
            columns = [map(_cell, column.to_pylist()) for column in batch.columns]
            writer.writerows(zip(*columns, strict=True))

        yield write


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = LIST_SEPARATOR.join(map(str, value))
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    # More digits than a 32-bit number has would be noise.
    return f"{value:.6g}" if isinstance(value, float) else value


@contextmanager
def _json_lines(file: IO[bytes], schema: pa.Schema) -> Iterator[Write]:
    def write(batch: pa.RecordBatch) -> None:
        for row in batch.to_pylist():
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")

    yield write


@contextmanager
def _parquet(file: IO[bytes], schema: pa.Schema) -> Iterator[Write]:
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        yield writer.write_batch


_FORMATS: Mapping[str, Callable[..., Any]] = {
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
