"""The rows of a shard, gathered from memory maps of tokens by the shard's plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas import shards
from schemas.documents import ROW_BITS
from transforms.parts import map_stream
from transforms.shard.packing import copy_pieces
from transforms.shard.plan import Packing

Tokens = npt.NDArray[np.unsignedinteger]


class RowGatherer:
    """Gathers the rows of one shard after another.

    Args:
      tokens: the path of a tokens part by its number.
    """

    def __init__(self, tokens: Mapping[int, Path], packing: Packing) -> None:
        self._tokens = tokens
        self._packing = packing
        self._mapped: dict[int, list[Tokens]] = {}

    def gather(self, plan: pa.Table, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows of a shard in batches, from its plan (`transforms.shard.plan.PIECES`)."""
        pieces = {name: plan[name].to_numpy() for name in plan.column_names}
        rows = int(pieces["row"][-1]) + 1 if len(plan) else 0
        for first in range(0, rows, shards.ROWS_PER_BATCH):
            end = min(first + shards.ROWS_PER_BATCH, rows)
            own = slice(*np.searchsorted(pieces["row"], [first, end]))
            batch = {name: column[own] for name, column in pieces.items()}
            batch["row"] = batch["row"] - first
            yield self._gather_batch(batch, end - first, schema)

    def _gather_batch(
        self, pieces: Mapping[str, npt.NDArray[np.int64]], rows: int, schema: pa.Schema
    ) -> pa.RecordBatch:
        width = self._packing.context_length
        kind = np.dtype(str(schema.field("input_ids").type.value_type))
        out = np.full(rows * width, self._packing.end_of_text, dtype=kind)
        self._copy(pieces, out)
        lengths = np.bincount(pieces["row"], pieces["length"], rows).astype(np.int32)
        ends = pa.array(np.searchsorted(pieces["row"], np.arange(rows + 1)).astype(np.int32))
        lists = (
            ("document_starts", pieces["position"].astype(np.int32)),
            ("documents", pieces["document"]),
            ("offsets", pieces["offset"]),
        )
        return pa.RecordBatch.from_arrays(
            [
                pa.FixedSizeListArray.from_arrays(
                    pa.array(out), type=schema.field("input_ids").type
                ),
                pa.array(lengths),
                *(
                    pa.ListArray.from_arrays(ends, pa.array(values), type=schema.field(name).type)
                    for name, values in lists
                ),
            ],
            schema=schema,
        )

    def _copy(self, pieces: Mapping[str, npt.NDArray[np.int64]], out: Tokens) -> None:
        """Copies the tokens of pieces into place; end-of-text and padding are there already."""
        targets = pieces["row"] * self._packing.context_length + pieces["position"]
        parts = (pieces["document"] >> np.uint64(ROW_BITS)).astype(np.int64)
        source = parts << 32 | pieces["chunk"]
        order = np.argsort(source, kind="stable")
        numbers, firsts = np.unique(source[order], return_index=True)
        for number, group in zip(numbers.tolist(), np.split(order, firsts[1:]), strict=True):
            values = self._chunks(number >> 32)[number & 0xFFFFFFFF]
            copy_pieces(
                values, pieces["start"][group], pieces["tokens"][group], targets[group], out
            )

    def _chunks(self, part: int) -> list[Tokens]:
        if part not in self._mapped:
            table = map_stream(self._tokens[part])
            self._mapped[part] = [
                batch["input_ids"].values.to_numpy() for batch in table.to_batches()
            ]
        return self._mapped[part]
