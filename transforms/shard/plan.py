"""The plan of a split: its documents in stream order and where their tokens are.

A plan is an Arrow IPC stream in the staging folder that the writers of all shards map.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas import shards
from schemas.documents import ROW_BITS
from transforms.parts import map_stream
from transforms.shard.packing import (
    Counts,
    Pieces,
    copy_pieces,
    count_sequences,
    cut_pieces,
    shuffle_sequences,
    stream_ends,
)

MEASURES = pa.schema(
    [
        pa.field("document", pa.uint64(), nullable=False),
        pa.field("repository_hash", pa.uint64(), nullable=False),
        pa.field("chunk", pa.int64(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
    ]
)
"""A document's tokens are ``length`` values from ``start`` in a chunk of its tokens part."""


@dataclass(frozen=True)
class Packing:
    """How sequences are made."""

    context_length: int
    sequences_per_shard: int
    seed: int
    end_of_text: int


def measure_tokens(tokens: pa.Table, hashes: npt.NDArray[np.uint64]) -> pa.RecordBatch:
    """The measures of a tokens part, given the hash of each document's repository."""
    chunks, starts, lengths = [], [], []
    for number, batch in enumerate(tokens.to_batches()):
        offsets = batch["input_ids"].offsets.to_numpy()
        starts.append(offsets[:-1])
        lengths.append(np.diff(offsets))
        chunks.append(np.full(len(batch), number, dtype=np.int64))
    columns = [
        np.concatenate([np.zeros(0, np.int64), *group]) for group in (chunks, starts, lengths)
    ]
    arrays = [tokens["document"].combine_chunks(), pa.array(hashes), *map(pa.array, columns)]
    return pa.RecordBatch.from_arrays(arrays, schema=MEASURES)


class SplitReader:
    """Reads the sequences of one split from memory maps of its plan and tokens.

    Args:
      plan: the split's measures, in stream order.
      tokens: the path of a tokens part by its number.
    """

    def __init__(self, plan: pa.Table, tokens: dict[int, Path], packing: Packing) -> None:
        documents = plan["document"].to_numpy()
        self._documents = documents
        self._part = (documents >> np.uint64(ROW_BITS)).astype(np.int64)
        self._chunk, self._start, self._length = (
            plan[name].to_numpy() for name in ("chunk", "start", "length")
        )
        self._ends = stream_ends(self._length)
        self._tokens = tokens
        self._packing = packing
        self._mapped: dict[int, list[npt.NDArray[np.unsignedinteger]]] = {}

    def sequences(self, shard: int) -> Counts:
        """The numbers of the sequences of a shard, in its order."""
        count = count_sequences(self._ends, self._packing.context_length)
        per_shard = self._packing.sequences_per_shard
        order = shuffle_sequences(count, self._packing.seed)
        return order[shard * per_shard : (shard + 1) * per_shard]

    def read(self, shard: int, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows of a shard in batches."""
        sequences = self.sequences(shard)
        for first in range(0, sequences.size, shards.ROWS_PER_BATCH):
            yield self._read_rows(sequences[first : first + shards.ROWS_PER_BATCH], schema)

    def _read_rows(self, sequences: Counts, schema: pa.Schema) -> pa.RecordBatch:
        width = self._packing.context_length
        pieces = cut_pieces(sequences, self._ends, self._length, width)
        kind = np.dtype(str(schema.field("input_ids").type.value_type))
        out = np.full(sequences.size * width, self._packing.end_of_text, dtype=kind)
        self._gather(pieces, out)
        lengths = np.bincount(pieces.row, pieces.length, sequences.size).astype(np.int32)
        offsets = np.searchsorted(pieces.row, np.arange(sequences.size + 1)).astype(np.int32)
        lists = (
            (pieces.position.astype(np.int32), "document_starts"),
            (self._documents[pieces.document], "documents"),
            (pieces.offset, "offsets"),
        )
        return pa.RecordBatch.from_arrays(
            [
                pa.FixedSizeListArray.from_arrays(
                    pa.array(out), type=schema.field("input_ids").type
                ),
                pa.array(lengths),
                *(
                    pa.ListArray.from_arrays(
                        pa.array(offsets), pa.array(values), type=schema.field(name).type
                    )
                    for values, name in lists
                ),
            ],
            schema=schema,
        )

    def _gather(self, pieces: Pieces, out: npt.NDArray[np.unsignedinteger]) -> None:
        """Copies the tokens of pieces into place; end-of-text and padding are there already."""
        document = pieces.document
        lengths = np.minimum(pieces.length, self._length[document] - pieces.offset)
        starts = self._start[document] + pieces.offset
        targets = pieces.row * self._packing.context_length + pieces.position
        source = self._part[document] << 32 | self._chunk[document]
        order = np.argsort(source, kind="stable")
        numbers, firsts = np.unique(source[order], return_index=True)
        for number, group in zip(numbers.tolist(), np.split(order, firsts[1:]), strict=True):
            part, chunk = number >> 32, number & 0xFFFFFFFF
            values = self._chunks(part)[chunk]
            copy_pieces(values, starts[group], lengths[group], targets[group], out)

    def _chunks(self, part: int) -> list[npt.NDArray[np.unsignedinteger]]:
        if part not in self._mapped:
            table = map_stream(self._tokens[part])
            self._mapped[part] = [
                batch["input_ids"].values.to_numpy() for batch in table.to_batches()
            ]
        return self._mapped[part]
