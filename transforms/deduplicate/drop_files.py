"""Drops of batches in files, looked up by the places of documents."""

from __future__ import annotations

import numpy as np

from transforms.deduplicate.ascending import find_among
from transforms.deduplicate.clusters import NO_BATCH
from transforms.deduplicate.decisions import DROPS, Drops, make_drops
from transforms.deduplicate.keep import Places
from transforms.deduplicate.partners import Partners
from transforms.deduplicate.staging import StagedArrays


def save_drops(arrays: StagedArrays, batch: int, drops: Drops) -> None:
    """Writes the drops of a batch, ascending by place."""
    # By column, because places that stand together are searched without a copy.
    columns = np.empty((4, drops.size), dtype=np.uint32)
    columns[0], columns[1] = drops["place"], drops["kept"]
    columns[2], columns[3] = drops["similarity"].view(np.uint32), drops["level"]
    arrays.save(_name(batch), columns)


def look_up_drops(arrays: StagedArrays, partners: Partners, places: Places) -> Drops:
    """What batches decided of some documents; kept ones are their own ``kept`` at level 0."""
    found = np.zeros(places.size, dtype=DROPS)
    found["place"] = found["kept"] = places
    batches, _ = partners.find_batches(places)
    for batch in np.unique(batches[batches != NO_BATCH]).tolist():
        columns = arrays.map(_name(batch))
        mine = np.flatnonzero(batches == batch)
        index, dropped = find_among(columns[0], places[mine])
        place, kept, similarity, level = columns[:, index[dropped]]
        drops = make_drops(place, kept, similarity.view(np.float32), level.astype(np.uint8))
        found[mine[dropped]] = drops
    return found


def _name(batch: int) -> str:
    return f"drops/batch-{batch:05d}.npy"
