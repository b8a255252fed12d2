"""Batches of components: what their documents are, who shares a bucket, and deciding them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from schemas import tables
from schemas.duplicates import Level
from transforms.deduplicate.ascending import begins, find_among
from transforms.deduplicate.bands import PLACE_BITS, Claims, number_buckets
from transforms.deduplicate.candidates import bucket_file
from transforms.deduplicate.clusters import NO_BATCH
from transforms.deduplicate.decisions import LEVELS, Drops, make_drops
from transforms.deduplicate.greedy import (
    KEPT,
    NO_GROUP,
    Buckets,
    Candidates,
    Matching,
    decide_duplicates,
)
from transforms.deduplicate.keep import Numbers, Places
from transforms.deduplicate.part_rows import SKETCHES, row_file
from transforms.deduplicate.reader import RunReader
from transforms.deduplicate.shingle_files import ShingleReader, write_shingles
from transforms.deduplicate.slices import Slice, cut_slices, of_folder, read_slices
from transforms.deduplicate.staging import StagedArrays
from transforms.parts import Progress

_HASH_BYTES = 8
_MEMBERS = "members/"
_BUCKETS = "buckets/"

Members = npt.NDArray[np.void]


def _member_type(words: int) -> np.dtype[np.void]:
    """A document of a batch, the first of its group (itself in none), where its shingles are."""
    return np.dtype(
        [
            *(("place", np.uint32), ("first", np.uint32)),
            *(("start", np.int64), ("shingles", np.int64)),
            ("sketch", np.uint64, (words,)),
        ]
    )


def describe_members(reader: RunReader, part: int) -> Iterator[tuple[int, Slice]]:
    """Writes the shingles of a part's documents that may match others, and what they are.

    Yields:
      The slice of each batch that has some of them.
    """
    arrays, places = reader.arrays, reader.order.places(part)
    batches, plausible = reader.partners.find_batches(places)
    rows = np.flatnonzero(batches != NO_BATCH)
    members = np.zeros(rows.size, _member_type(reader.sketch_words))
    members["place"] = members["first"] = places[rows]
    own, firsts = reader.groups(part, Level.NORMALIZED)
    index, grouped = find_among(own, places[rows])
    members["first"][grouped] = firsts[index[grouped]]
    if rows.size and Level.NEAR in reader.options.levels:
        members["sketch"] = arrays.map(row_file(SKETCHES, part))[rows]
    documents = reader.workspace.committed(tables.DOCUMENTS, tables.part_name(part))
    compared = np.flatnonzero(plausible[rows])
    Progress(reader.workspace, f"part-{part:05d}").add(candidates=compared.size)
    start, size = write_shingles(arrays, part, documents, rows[compared])
    members["start"][compared], members["shingles"][compared] = start, size
    yield from _save_by_batch(arrays, f"{_MEMBERS}part-{part:05d}.npy", members, batches[rows])


def divide_buckets(reader: RunReader, number: int) -> Iterator[tuple[int, Slice]]:
    """Writes the buckets of a range again, those of a batch together.

    Yields:
      The slice of each batch that has some of them.
    """
    claims = reader.arrays.load(bucket_file(number))
    batches, plausible = reader.partners.find_batches(claims.astype(np.uint32))
    # Of others no sketch is like theirs.
    name = f"{_BUCKETS}range-{number:05d}.npy"
    yield from _save_by_batch(reader.arrays, name, claims[plausible], batches[plausible])


def _save_by_batch(
    arrays: StagedArrays, name: str, values: npt.NDArray[np.generic], batches: Places
) -> Iterator[tuple[int, Slice]]:
    order = np.argsort(batches, kind="stable")
    arrays.save(name, values[order])
    count = int(batches.max(initial=0)) + 1
    yield from cut_slices(name, np.searchsorted(batches[order], np.arange(count + 1)))


def decide_batch(reader: RunReader, slices: Iterable[Slice]) -> Drops:
    """The near-duplicates and normalized duplicates among the documents of a batch."""
    arrays, slices = reader.arrays, sorted(slices)
    members, part = _read_members(reader, slices)
    places = members["place"].copy()
    shingles = ShingleReader(arrays, part, members["start"].copy(), members["shingles"].copy())
    candidates = Candidates(
        _read_buckets(arrays, slices, places),
        np.ascontiguousarray(members["sketch"]),
        number_groups(places, members["first"]),
        shingles.size,
    )
    capacity = reader.share // _HASH_BYTES
    matching = Matching(reader.options.threshold, reader.most_unequal, capacity)
    found = decide_duplicates(candidates, shingles.load, matching)
    dropped = np.flatnonzero(found.duplicate_of != KEPT)
    near, normalized = LEVELS.index(Level.NEAR), LEVELS.index(Level.NORMALIZED)
    levels = np.where(found.grouped[dropped], normalized, near).astype(np.uint8)
    kept = places[found.duplicate_of[dropped]]
    return make_drops(places[dropped], kept, found.similarity[dropped], levels)


def _read_members(reader: RunReader, slices: list[Slice]) -> tuple[Members, Numbers]:
    """The documents of a batch in keep order, and the part of each."""
    mine = of_folder(slices, _MEMBERS)
    none = np.zeros(0, _member_type(reader.sketch_words))
    members = np.concatenate([none, *read_slices(reader.arrays, mine)])
    parts = [tables.part_number(name.removeprefix(_MEMBERS)) for name, _, _ in mine]
    sizes = [stop - start for _, start, stop in mine]
    part = np.repeat(np.array(parts, dtype=np.int64), sizes)
    order = np.argsort(members["place"])
    return members[order], part[order]


def _read_buckets(arrays: StagedArrays, slices: list[Slice], places: Places) -> Buckets:
    """The buckets of a batch, whose documents have these ascending places."""
    mine = of_folder(slices, _BUCKETS)
    members = [np.zeros(0, dtype=np.uint32)]
    starts = [np.zeros(0, dtype=np.int64)]
    total = 0
    for claims in read_slices(arrays, mine):
        # Without those that may match nobody, some are alone now.
        shared: Claims = number_buckets(claims, np.array([claims.size]))
        starts.append(np.flatnonzero(begins(shared >> np.uint64(PLACE_BITS))) + total)
        members.append(np.searchsorted(places, shared.astype(np.uint32)).astype(np.uint32))
        total += shared.size
    offsets = np.append(np.concatenate(starts), total)
    return Buckets(np.concatenate(members), offsets.astype(np.int64))


def number_groups(places: Places, firsts: Places) -> Numbers:
    """The group of each document of a batch.

    Args:
      places: uint32[documents], ascending.
      firsts: uint32[documents], the first of the group of each, itself where it has no better.

    Returns:
      int64[documents], the number of that first, or ``NO_GROUP`` where nobody else has it.
    """
    groups = np.searchsorted(places, firsts).astype(np.int64)
    alone = np.bincount(groups, minlength=places.size)[groups] < 2
    groups[alone] = NO_GROUP
    return groups
