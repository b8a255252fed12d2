"""Shares of repositories in others, from what became of all documents."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from transforms.deduplicate.copies import count_shared, describe_copies, largest_shares
from transforms.deduplicate.outcome import decide_part
from transforms.deduplicate.reader import RunReader

SHARES = "shares.npy"


def compare_repositories(reader: RunReader) -> pa.RecordBatch:
    """Writes the largest share of each repository in keep order; returns the rows of ``copies``.

    Only where the level ``repository`` is asked for. In memory are some 40 bytes of every
    document.
    """
    order = reader.order
    clusters = np.empty(order.documents, dtype=np.uint32)
    for part in range(reader.parts):
        decisions = decide_part(reader, part)
        clusters[decisions["place"]] = decisions["kept"]
    parts = list(reader.repositories(["repository", "revision"]))
    named = pa.concat_tables(parts).take(pa.array(order.first[order.part] + order.entry))
    names = named["repository"].combine_chunks().dictionary_encode().indices
    owners = order.repositories(np.arange(order.documents, dtype=np.int64))
    shared = count_shared(clusters, owners, names.to_numpy().astype(np.int64))
    files = np.diff(order.starts)
    reader.arrays.save(SHARES, largest_shares(shared, files))
    return describe_copies(shared, files, named)
