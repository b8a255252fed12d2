"""Batches of components: what their documents are, who shares a bucket, and deciding them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas import tables
from schemas.duplicates import Level
from transforms.deduplicate.ascending import begins, find_among
from transforms.deduplicate.bands import PLACE_BITS, Claims, number_buckets
from transforms.deduplicate.candidates import bucket_file
from transforms.deduplicate.clusters import NO_BATCH
from transforms.deduplicate.decisions import LEVELS, Drops, make_drops
from transforms.deduplicate.drop_files import save_drops
from transforms.deduplicate.greedy import (
    KEPT,
    NO_GROUP,
    Buckets,
    Candidates,
    Decisions,
    Matching,
    Zeros,
    decide_duplicates,
)
from transforms.deduplicate.keep import Numbers, Places
from transforms.deduplicate.part_rows import SKETCHES, row_file
from transforms.deduplicate.reader import RunReader
from transforms.deduplicate.shingle_files import ShingleReader, write_shingles
from transforms.deduplicate.sketches import Sketches
from transforms.deduplicate.slices import Slice, cut_slices, of_folder, read_slices
from transforms.deduplicate.staging import ScratchArrays, StagedArrays
from transforms.parts import Progress

_HASH_BYTES = 8
_PORTION = 1 << 20
_ARRAYS = 8
"""Of those of a batch so many may be in memory together."""
MEMBERS = "members/"
BUCKETS = "buckets/"


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
    yield from _save_by_batch(arrays, f"{MEMBERS}part-{part:05d}.npy", members, batches[rows])


def divide_buckets(reader: RunReader, number: int) -> Iterator[tuple[int, Slice]]:
    """Writes the buckets of a range again, those of a batch together.

    Yields:
      The slice of each batch that has some of them.
    """
    claims = reader.arrays.load(bucket_file(number))
    batches, plausible = reader.partners.find_batches(claims.astype(np.uint32))
    # Of others no sketch is like theirs.
    name = f"{BUCKETS}range-{number:05d}.npy"
    yield from _save_by_batch(reader.arrays, name, claims[plausible], batches[plausible])


def _save_by_batch(
    arrays: StagedArrays, name: str, values: npt.NDArray[np.generic], batches: Places
) -> Iterator[tuple[int, Slice]]:
    order = np.argsort(batches, kind="stable")
    arrays.save(name, values[order])
    count = int(batches.max(initial=0)) + 1
    yield from cut_slices(name, np.searchsorted(batches[order], np.arange(count + 1)))


def decide_batch(reader: RunReader, batch: int, slices: Iterable[Slice]) -> None:
    """Writes the near-duplicates and normalized duplicates among the documents of a batch.

    In memory are a slice, and shingles of a portion; what there is of every document and
    bucket, where it is more than that, lies in files whose pages the system may write back.
    """
    arrays, slices = reader.arrays, list(slices)
    with arrays.scratch() as folder:
        zeros = ScratchArrays(folder, reader.share // _ARRAYS).zeros
        members = _read_members(reader, of_folder(slices, MEMBERS), zeros)
        candidates = Candidates(
            _read_buckets(arrays, of_folder(slices, BUCKETS), members.places, zeros),
            members.sketches,
            number_groups(members.places, members.firsts, zeros),
            members.sizes,
        )
        shingles = ShingleReader(arrays, members.parts, members.starts, members.sizes)
        capacity = reader.share // _HASH_BYTES
        matching = Matching(reader.options.threshold, reader.most_unequal, capacity)
        found = decide_duplicates(candidates, shingles.load, matching, zeros)
        portions = np.array_split(found.duplicate_of, members.places.size // _PORTION + 1)
        size = sum(int(np.count_nonzero(portion != KEPT)) for portion in portions)
        save_drops(arrays, batch, _describe_drops(members.places, found), size, zeros)


def _describe_drops(places: Places, found: Decisions) -> Iterator[Drops]:
    near, normalized = LEVELS.index(Level.NEAR), LEVELS.index(Level.NORMALIZED)
    for first in range(0, places.size, _PORTION):
        own = slice(first, first + _PORTION)
        dropped = np.flatnonzero(found.duplicate_of[own] != KEPT) + first
        levels = np.where(found.grouped[dropped], normalized, near).astype(np.uint8)
        kept = places[found.duplicate_of[dropped]]
        yield make_drops(places[dropped], kept, found.similarity[dropped], levels)


@dataclass(frozen=True)
class _Members:
    """The documents of a batch in keep order: of each its place, that of the first of its group,
    its part, where there and how many its shingles are, and its sketch."""

    places: Places
    firsts: Places
    parts: Numbers
    starts: Numbers
    sizes: Numbers
    sketches: Sketches


def _read_members(reader: RunReader, slices: list[Slice], zeros: Zeros) -> _Members:
    count = sum(stop - start for _, start, stop in slices)
    places = zeros(count, np.uint32)
    end = 0
    for rows in read_slices(reader.arrays, slices):
        places[end : end + rows.size] = rows["place"]
        end += rows.size
    places.sort()
    words = reader.sketch_words
    sketches = zeros(count * words, np.uint64).reshape(count, words)
    parts, starts, sizes = (zeros(count, np.int64) for _ in range(3))
    members = _Members(places, zeros(count, np.uint32), parts, starts, sizes, sketches)
    for each in slices:
        for rows in read_slices(reader.arrays, [each]):
            at = np.searchsorted(places, rows["place"])
            parts[at] = tables.part_number(each[0].removeprefix(MEMBERS))
            members.firsts[at], starts[at] = rows["first"], rows["start"]
            sizes[at], sketches[at] = rows["shingles"], rows["sketch"]
    return members


def _read_buckets(
    arrays: StagedArrays, slices: list[Slice], places: Places, zeros: Zeros
) -> Buckets:
    """The buckets of a batch, whose documents have these ascending places."""
    most = sum(stop - start for _, start, stop in slices)
    # Each has two members or more.
    members, offsets = zeros(most, np.uint32), zeros(most // 2 + 1, np.int64)
    total, buckets = 0, 0
    for claims in read_slices(arrays, slices):
        # Without those that may match nobody, some are alone now.
        shared: Claims = number_buckets(claims, np.array([claims.size]))
        starts = np.flatnonzero(begins(shared >> np.uint64(PLACE_BITS))) + total
        offsets[buckets : buckets + starts.size] = starts
        own = slice(total, total + shared.size)
        members[own] = np.searchsorted(places, shared.astype(np.uint32))
        total, buckets = own.stop, buckets + starts.size
    offsets[buckets] = total
    return Buckets(members[:total], offsets[: buckets + 1])


def number_groups(places: Places, firsts: Places, zeros: Zeros = np.zeros) -> Numbers:
    """The group of each document of a batch.

    Args:
      places: uint32[documents], ascending.
      firsts: uint32[documents], the first of the group of each, itself where it has no better.
      zeros: makes what is as large.

    Returns:
      int64[documents], the number of that first, or ``NO_GROUP`` where nobody else has it.
    """
    groups = zeros(places.size, np.int64)
    groups[:] = NO_GROUP
    for start in range(0, places.size, _PORTION):
        own = slice(start, start + _PORTION)
        others = np.flatnonzero(firsts[own] != places[own]) + start
        first = np.searchsorted(places, firsts[others])
        groups[others] = groups[first] = first
    return groups
