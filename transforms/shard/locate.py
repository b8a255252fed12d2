"""Finding a document in shards."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def find_document(shard: pa.Table, document: int) -> list[int]:
    """The rows of a shard that hold a piece of a document."""
    rows: list[int] = []
    first = 0
    for batch in shard.to_batches():
        pieces = batch["documents"]
        places = np.flatnonzero(pieces.values.to_numpy() == np.uint64(document))
        owners = np.searchsorted(pieces.offsets.to_numpy(), places, side="right") - 1
        rows += (np.unique(owners) + first).tolist()
        first += len(batch)
    return rows
