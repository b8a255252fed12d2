"""Finding documents in shards."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.shard.formats.pieces import piece_lengths


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


class PieceCounts(NamedTuple):
    """Documents with tokens in a shard, ascending, and how many tokens each has there.

    ``documents`` uint64[n], ``tokens`` int64[n]; the end-of-text that follows a document
    is among its tokens. ``copies`` int64[n] of it begin there.
    """

    documents: npt.NDArray[np.uint64]
    tokens: npt.NDArray[np.int64]
    copies: npt.NDArray[np.int64]


def count_pieces(shard: pa.Table, first: int, end: int) -> PieceCounts:
    """The tokens in a shard of each document whose id is from ``first`` to before ``end``.

    Those of all documents add up to the ``length`` of all rows.
    """
    documents, lengths = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    begins = [np.zeros(0, np.bool_)]
    for batch in shard.to_batches():
        ids = batch["documents"].flatten().to_numpy()
        wanted = (ids >= np.uint64(first)) & (ids < np.uint64(end))
        documents.append(ids[wanted])
        lengths.append(piece_lengths(batch)[wanted].astype(np.int64))
        begins.append(batch["offsets"].flatten().to_numpy()[wanted] == 0)
    distinct, owners = np.unique(np.concatenate(documents), return_inverse=True)
    tokens = np.zeros(distinct.size, np.int64)
    np.add.at(tokens, owners, np.concatenate(lengths))
    copies = np.bincount(owners, np.concatenate(begins), distinct.size).astype(np.int64)
    return PieceCounts(distinct, tokens, copies)
