"""Drops of batches in files, looked up by the places of documents."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from transforms.deduplicate.ascending import find_among
from transforms.deduplicate.clusters import NO_BATCH
from transforms.deduplicate.decisions import DROPS, Drops, make_drops
from transforms.deduplicate.greedy import Zeros
from transforms.deduplicate.keep import Places
from transforms.deduplicate.partners import Partners
from transforms.deduplicate.staging import StagedArrays


def save_drops(
    arrays: StagedArrays, batch: int, portions: Iterable[Drops], size: int, zeros: Zeros = np.zeros
) -> None:
    """Writes the drops of a batch, so many, ascending by place; ``zeros`` makes what has all."""
    # By column, because places that stand together are searched without a copy.
    columns = zeros(4 * size, np.uint32).reshape(4, size)
    first = 0
    for drops in portions:
        own = slice(first, first + drops.size)
        columns[0, own], columns[1, own] = drops["place"], drops["kept"]
        columns[2, own], columns[3, own] = drops["similarity"].view(np.uint32), drops["level"]
        first = own.stop
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
