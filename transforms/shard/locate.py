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
        offsets = pieces.offsets.to_numpy()
        # The values of a slice are those of the whole batch.
        own = pieces.values.to_numpy()[offsets[0] : offsets[-1]]
        places = np.flatnonzero(own == np.uint64(document)) + offsets[0]
        owners = np.searchsorted(offsets, places, side="right") - 1
        rows += (np.unique(owners) + first).tolist()
        first += len(batch)
    return rows
