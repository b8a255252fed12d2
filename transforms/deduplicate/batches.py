"""Deciding one batch of documents from what the steps before have left."""

from __future__ import annotations

import numpy as np

from schemas.duplicates import Level
from transforms.deduplicate.candidates import BATCHES, SKETCHES, number_groups, read_buckets
from transforms.deduplicate.decisions import LEVELS, Drops, make_drops
from transforms.deduplicate.greedy import KEPT, Candidates, Matching, decide_duplicates
from transforms.deduplicate.reader import RunReader
from transforms.deduplicate.shingle_files import ShingleReader

_HASH_BYTES = 8


def decide_batch(reader: RunReader, batch: int) -> Drops:
    """The near-duplicates and normalized duplicates among the documents of a batch."""
    arrays, order = reader.arrays, reader.order
    places = np.flatnonzero(arrays.map(BATCHES) == batch).astype(np.uint32)
    shingles = ShingleReader.open(arrays, *order.positions(places))
    candidates = Candidates(
        read_buckets(arrays, batch, places),
        arrays.map(SKETCHES)[places],
        number_groups(*reader.groups(Level.NORMALIZED), places),
        shingles.size,
    )
    capacity = reader.budget.share // _HASH_BYTES
    matching = Matching(reader.options.threshold, reader.most_unequal, capacity)
    found = decide_duplicates(candidates, shingles.load, matching)
    dropped = np.flatnonzero(found.duplicate_of != KEPT)
    near, normalized = LEVELS.index(Level.NEAR), LEVELS.index(Level.NORMALIZED)
    levels = np.where(found.grouped[dropped], normalized, near).astype(np.uint8)
    kept = places[found.duplicate_of[dropped]]
    return make_drops(places[dropped], kept, found.similarity[dropped], levels)
