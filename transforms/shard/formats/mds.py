"""MosaicML's MDS: a file of samples for each shard, and one index of all of a split.

A sample is a row: its ids, padding included, and how many of them are no padding. Both are
of fixed size, so that the index follows from the numbers of rows alone, and shards can be
written by different workers. A file is the number of samples and their offsets (uint32),
the description of the columns (JSON), and the samples.

Layout: ``streaming/base/format/mds/{reader,writer,encodings}.py`` of mosaicml-streaming.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.shard.formats.pieces import token_rows

INDEX_FILE = "index.json"
_FORMAT: dict[str, Any] = {
    "version": 2,
    "format": "mds",
    "compression": None,
    "hashes": [],
    "size_limit": None,
}


def file_name(number: int) -> str:
    """The name of the file of a shard, such as ``shard.00003.mds``."""
    return f"shard.{number:05d}.mds"


@dataclass(frozen=True)
class Samples:
    """What the samples of a split look like: the type of their ids, and how many they have."""

    token: pa.DataType
    context_length: int

    @property
    def dtype(self) -> np.dtype[np.void]:
        """A sample in memory as in the file."""
        ids = np.dtype(str(self.token)).newbyteorder("<")
        return np.dtype([("input_ids", ids, (self.context_length,)), ("length", "<i4")])

    @property
    def columns(self) -> dict[str, Any]:
        """How the format describes it; columns stand in the order of their names."""
        sizes = [self.dtype[name].itemsize for name in ("input_ids", "length")]
        return _FORMAT | {
            "column_names": ["input_ids", "length"],
            "column_encodings": [f"ndarray:{self.token}:{self.context_length}", "int32"],
            "column_sizes": sizes,
        }

    def header(self, rows: int) -> bytes:
        """What stands before the samples in the file of a shard of so many rows.

        Raises:
          ValueError: the file would have 2^32 bytes or more.
        """
        description = json.dumps(self.columns, sort_keys=True).encode()
        first = 4 * (rows + 2) + len(description)
        if first + rows * self.dtype.itemsize >= 2**32:
            raise ValueError(
                f"a file of MDS must have less than 4 GiB, got {rows:,} rows of "
                f"{self.dtype.itemsize:,} bytes; set a smaller `sequences_per_shard`"
            )
        offsets = first + np.arange(rows + 1, dtype=np.int64) * self.dtype.itemsize
        return b"".join([np.array([rows, *offsets], "<u4").tobytes(), description])

    def chunks(self, batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[memoryview]:
        """The bytes of the file of a shard, its header first, then a chunk a record batch.

        Raises:
          ValueError: the batches have not so many rows.
        """
        yield memoryview(self.header(rows))
        written = 0
        for batch in batches:
            samples = np.empty(len(batch), dtype=self.dtype)
            samples["input_ids"] = token_rows(batch)
            samples["length"] = batch["length"].to_numpy()
            yield samples.view(np.uint8).data
            written += len(batch)
        if written != rows:
            raise ValueError(f"expected {rows:,} rows, got {written:,}")

    def index(self, rows: Sequence[int]) -> bytes:
        """The bytes of ``index.json`` for shards of so many rows each."""
        shards = [
            self.columns
            | {
                "samples": count,
                "raw_data": {
                    "basename": file_name(number),
                    "bytes": len(self.header(count)) + count * self.dtype.itemsize,
                    "hashes": {},
                },
                "zip_data": None,
            }
            for number, count in enumerate(rows)
        ]
        return json.dumps({"version": 2, "shards": shards}, sort_keys=True).encode()
