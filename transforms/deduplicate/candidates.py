"""Who may match whom: bands claimed by part, buckets over all parts, batches of components."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from schemas.fingerprints import EMPTY_SIGNATURE
from transforms.deduplicate.ascending import begins, find_among, hash_range
from transforms.deduplicate.bands import PLACE_BITS, Banding, Claims, claim_bands, shared_claims
from transforms.deduplicate.clusters import assign_batches, unite_buckets, unite_groups
from transforms.deduplicate.greedy import NO_GROUP, Buckets, Flags
from transforms.deduplicate.keep import Numbers, Places
from transforms.deduplicate.sketches import Sketches, sketch_signatures
from transforms.deduplicate.staging import StagedArrays

BATCHES = "batches.npy"
PLAUSIBLE = "plausible.npy"
SKETCHES = "sketches.npy"
_SHARED = "shared.u64"
_BUCKETS = "buckets.u64"
_CUTS = "cuts.npy"
_HASH_BYTES = 8


@dataclass(frozen=True)
class Budget:
    """How much of a corpus is held in memory at a time, of so many documents."""

    memory_bytes: int
    documents: int

    @property
    def share(self) -> int:
        """Bytes of each of the few things that are in memory together."""
        return self.memory_bytes // 8

    def ranges(self, bytes_a_document: int) -> int:
        """Into how many ranges something of every document is divided."""
        return max(1, -(-self.documents * bytes_a_document // self.share))


def write_claims(
    arrays: StagedArrays,
    name: str,
    fingerprints: pa.RecordBatch,
    places: Places,
    wanted: Flags,
    banding: Banding,
) -> None:
    """Writes the claims and sketches of the wanted documents that have shingles."""
    lists = fingerprints["signature"]
    signatures = lists.flatten().to_numpy().reshape(len(lists), lists.type.list_size)
    wanted = wanted & (signatures[:, 0] != EMPTY_SIGNATURE)
    chosen, owners = signatures[wanted], places[wanted]
    shingles = fingerprints["shingles"].to_numpy()[wanted]
    arrays.save(f"bands/{name}", claim_bands(chosen, owners, banding))
    numbers = np.stack((owners, shingles), axis=1).astype(np.uint64)
    members = np.concatenate((numbers, sketch_signatures(chosen)), axis=1)
    arrays.save(f"members/{name}", members)


def find_candidates(
    arrays: StagedArrays,
    names: Sequence[str],
    groups: tuple[Places, Places],
    banding: Banding,
    most_unequal: int,
    budget: Budget,
) -> int:
    """Divides all documents that may match another into batches; says how many there are.

    Args:
      arrays: where claims are, and where batches and buckets go.
      names: of the files that `write_claims` wrote.
      groups: members of groups of equal normalized hashes, and the firsts of their groups.
      banding: that of the claims.
      most_unequal: see `sketches.most_unequal`.
      budget: for memory.
    """
    parents = np.arange(budget.documents, dtype=np.uint32)
    plausible = np.zeros(budget.documents, dtype=np.bool_)
    sketches, weights = _gather_sketches(arrays, names, budget.documents)
    sizes = []
    with arrays.writing(_SHARED) as file:
        for claims in _read_bands(arrays, names, banding.bands, budget):
            shared = shared_claims(claims)
            unite_buckets(shared, sketches, most_unequal, parents, plausible)
            file.write(shared.data)
            sizes.append(shared.size)
    unite_groups(*groups, parents)
    weights *= plausible
    weights += sketches.shape[1] * _HASH_BYTES + banding.bands * 6 * _HASH_BYTES
    batches, count = assign_batches(parents, weights, budget.share)
    arrays.save(SKETCHES, sketches)
    arrays.save(BATCHES, batches)
    arrays.save(PLAUSIBLE, plausible)
    _divide_buckets(arrays, sizes, np.where(plausible, batches, count), count)
    return count


def _gather_sketches(
    arrays: StagedArrays, names: Sequence[str], documents: int
) -> tuple[Sketches, Numbers]:
    """Sketches and bytes of shingles of all documents, by place."""
    sketches = np.zeros((documents, 1), dtype=np.uint64)
    sizes = np.zeros(documents, dtype=np.int64)
    for number, name in enumerate(names):
        members = arrays.load(f"members/{name}")
        if not number:
            sketches = np.zeros((documents, members.shape[1] - 2), dtype=np.uint64)
        places = members[:, 0].astype(np.int64)
        sketches[places] = members[:, 2:]
        sizes[places] = members[:, 1] * _HASH_BYTES
    return sketches, sizes


def _read_bands(
    arrays: StagedArrays, names: Sequence[str], bands: int, budget: Budget
) -> Iterator[Claims]:
    """The claims of each band, or of each range of hashes of each band."""
    ranges = budget.ranges(_HASH_BYTES)
    together = max(1, budget.share // max(1, budget.documents * _HASH_BYTES))
    for first in range(0, bands, together):
        last = min(first + together, bands)
        files = [arrays.map(f"bands/{name}")[first:last] for name in names]
        if ranges == 1:
            files = [np.array(claims) for claims in files]
        for band in range(last - first):
            rows = [claims[band] for claims in files]
            for number in range(ranges):
                chosen = [row[hash_range(row, number, ranges)] for row in rows]
                yield np.concatenate([np.zeros(0, dtype=np.uint64), *chosen])


def _divide_buckets(arrays: StagedArrays, sizes: list[int], owner: Places, batches: int) -> None:
    """Writes shared claims again, of each band those of one batch together."""
    cuts = np.zeros((len(sizes), batches + 1), dtype=np.int64)
    written = 0
    with arrays.path(_SHARED).open("rb") as source, arrays.writing(_BUCKETS) as file:
        for number, size in enumerate(sizes):
            claims = np.fromfile(source, dtype=np.uint64, count=size)
            batch = owner[claims.astype(np.uint32)]
            order = np.argsort(batch, kind="stable")
            ends = np.searchsorted(batch[order], np.arange(batches + 1))
            file.write(claims[order[: ends[-1]]].data)
            cuts[number] = written + ends
            written += int(ends[-1])
    arrays.save(_CUTS, cuts)


def read_buckets(arrays: StagedArrays, batch: int, places: Places) -> Buckets:
    """The buckets of a batch, whose documents have these ascending places."""
    members = [np.zeros(0, dtype=np.int64)]
    starts = [np.zeros(0, dtype=np.int64)]
    total = 0
    with arrays.path(_BUCKETS).open("rb") as file:
        for start, end in arrays.map(_CUTS)[:, batch : batch + 2].tolist():
            file.seek(start * _HASH_BYTES)
            # Without those that may match nobody, some are alone now.
            claims = shared_claims(np.fromfile(file, dtype=np.uint64, count=end - start))
            keys = claims >> np.uint64(PLACE_BITS)
            starts.append(np.flatnonzero(begins(keys)) + total)
            members.append(np.searchsorted(places, claims.astype(np.uint32)))
            total += keys.size
    offsets = np.append(np.concatenate(starts), total)
    return Buckets(np.concatenate(members).astype(np.int64), offsets.astype(np.int64))


def number_groups(members: Places, firsts: Places, places: Places) -> Numbers:
    """The group of each document of a batch, by the places of members of groups and firsts."""
    groups = np.full(places.size, NO_GROUP, dtype=np.int64)
    number, mine = find_among(places, firsts)
    groups[number[mine]] = number[mine]
    groups[np.searchsorted(places, members[mine])] = number[mine]
    return groups
