"""Columns of record batches of shards as the arrays that formats are made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Tokens = npt.NDArray[np.unsignedinteger]


def token_rows(batch: pa.RecordBatch) -> Tokens:
    """uint16 or uint32[rows, context_length], little-endian: the ids, padding included.

    They are a view of the batch where the machine is little-endian.
    """
    ids = batch["input_ids"]
    rows: Tokens = ids.flatten().to_numpy().reshape(len(batch), ids.type.list_size)
    return rows.astype(rows.dtype.newbyteorder("<"), copy=False)


def piece_lengths(batch: pa.RecordBatch) -> npt.NDArray[np.int32]:
    """int32[pieces]: the tokens of each piece of a document, in order; they hold no padding."""
    starts = batch["document_starts"].flatten().to_numpy()
    counts = batch["document_starts"].value_lengths().to_numpy()
    # A piece reaches to the next one's start, the last one of a row to the end of its tokens.
    ends = np.roll(starts, -1)
    filled = counts > 0
    ends[np.cumsum(counts)[filled] - 1] = batch["length"].to_numpy()[filled]
    pieces: npt.NDArray[np.int32] = ends - starts
    return pieces
