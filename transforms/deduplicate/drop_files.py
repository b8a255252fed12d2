"""Drops of batches in files, looked up by the places of documents."""

from __future__ import annotations

import numpy as np

from transforms.deduplicate.ascending import find_among
from transforms.deduplicate.clusters import NO_BATCH
from transforms.deduplicate.decisions import DROPS, Drops
from transforms.deduplicate.keep import Places
from transforms.deduplicate.partners import find_batches
from transforms.deduplicate.staging import StagedArrays


def save_drops(arrays: StagedArrays, batch: int, drops: Drops) -> None:
    """Writes the drops of a batch, ascending by place."""
    places, rest = _names(batch)
    arrays.save(places, drops["place"])
    arrays.save(rest, drops)


def look_up_drops(arrays: StagedArrays, places: Places) -> Drops:
    """What batches decided of some documents; kept ones are their own ``kept`` at level 0."""
    found = np.zeros(places.size, dtype=DROPS)
    found["place"] = found["kept"] = places
    batches, _ = find_batches(arrays, places)
    for batch in np.unique(batches[batches != NO_BATCH]).tolist():
        names = _names(batch)
        mine = np.flatnonzero(batches == batch)
        index, dropped = find_among(arrays.map(names[0]), places[mine])
        found[mine[dropped]] = arrays.map(names[1])[index[dropped]]
    return found


def _names(batch: int) -> tuple[str, str]:
    # Places by themselves, because only an array of one type is searched without a copy.
    return f"drops/batch-{batch:05d}-places.npy", f"drops/batch-{batch:05d}.npy"
