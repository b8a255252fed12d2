"""Rows of tables: Parquet and Arrow files, and folders of their parts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.tables import is_part, part_number
from transforms.problemsets.rows import Row, json_text

PARQUET_MAGIC = b"PAR1"
ARROW_MAGIC = b"ARROW1"
STREAM_MAGIC = b"\xff\xff\xff\xff"

_BATCH_ROWS = 256


def parts_of(folder: Path) -> list[Path]:
    """The files of a table's parts in their order: none where the folder is no table."""
    parts = (path for path in folder.iterdir() if path.suffix in {".parquet", ".arrow"})
    return sorted((path for path in parts if is_part(path.name)), key=_order)


def _order(path: Path) -> tuple[int, str]:
    number = path.name.removeprefix("part-").split(".")[0]
    return (part_number(path.name) if number.isdecimal() else -1, path.name)


def iterate_table_rows(path: Path, magic: bytes, numbers: count[int]) -> Iterator[Row]:
    """The rows of a file whose first bytes are ``magic``, in order, some in memory at a time.

    Raises `pyarrow.ArrowException`, OSError and ValueError where the file is damaged.
    """
    for batch in _batches(path, magic):
        if len(set(batch.schema.names)) < len(batch.schema.names):
            raise ValueError(f"two columns have the same name: {', '.join(batch.schema.names)}")
        # Arrow believes what a damaged file says of its own values.
        batch.validate(full=True)
        for start in range(0, batch.num_rows, _BATCH_ROWS):
            for values in batch.slice(start, _BATCH_ROWS).to_pylist():
                yield Row(next(numbers), json_text(values), values)


def _batches(path: Path, magic: bytes) -> Iterator[pa.RecordBatch]:
    if magic.startswith(PARQUET_MAGIC):
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(_BATCH_ROWS, use_threads=False)
        return
    with pa.memory_map(str(path)) as source:
        if magic.startswith(STREAM_MAGIC):
            yield from pa.ipc.open_stream(source)
            return
        reader = pa.ipc.open_file(source)
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
