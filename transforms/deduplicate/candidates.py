"""Who may match whom: bands claimed by part, buckets and links found by range of hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
import pyarrow as pa

from schemas.fingerprints import EMPTY_SIGNATURE
from transforms.deduplicate.bands import Banding, Claims, claim_bands, hash_bands
from transforms.deduplicate.budget import Budget
from transforms.deduplicate.claim_blocks import pack_blocks
from transforms.deduplicate.clusters import Links, link_buckets
from transforms.deduplicate.forests import LINKED, cut_places
from transforms.deduplicate.greedy import Flags
from transforms.deduplicate.keep import KeepOrder, Places
from transforms.deduplicate.part_rows import SIZES, SKETCHES, gather_rows, row_file
from transforms.deduplicate.sketches import sketch_signatures
from transforms.deduplicate.slices import Slice, cut_slices
from transforms.deduplicate.staging import StagedArrays
from transforms.shingles import Hashes

CLAIMS = "bands/"
"""The folder of claims of bands by part."""

_HASH_BYTES = 8


def claim_ranges(budget: Budget, banding: Banding) -> int:
    """Into how many ranges of hashes the claims of all bands are divided."""
    return budget.ranges(2 * banding.bands * _HASH_BYTES)


def write_claims(
    arrays: StagedArrays,
    part: int,
    fingerprints: Iterable[pa.RecordBatch],
    places: Places,
    wanted: Flags,
    banding: Banding,
    budget: Budget,
) -> Iterator[tuple[int, Slice]]:
    """Writes sketches and sizes of a part's documents, and claims of the wanted with shingles.

    Held in memory are sketches and sizes of the part, and of claims a portion.

    Yields:
      The slice of each range of hashes in each file of claims.
    """
    writer = _ClaimWriter(arrays, part, banding, budget)
    none = np.zeros(0, dtype=np.uint32)
    sketches, sizes, first = [], [none], 0
    for batch in fingerprints:
        lists = batch["signature"]
        signatures = lists.flatten().to_numpy().reshape(len(lists), lists.type.list_size)
        sketches.append(sketch_signatures(signatures))
        sizes.append(batch["shingles"].to_numpy().astype(np.uint32))
        own = slice(first, first + len(batch))
        first += len(batch)
        chosen = wanted[own] & (signatures[:, 0] != EMPTY_SIGNATURE)
        yield from writer.add(hash_bands(signatures[chosen], banding), places[own][chosen])
    yield from writer.flush()
    arrays.save(row_file(SIZES, part), np.concatenate(sizes))
    if sketches:
        arrays.save(row_file(SKETCHES, part), np.concatenate(sketches))


class _ClaimWriter:
    """Gathers claims of a part and writes them by range, a portion a file."""

    def __init__(self, arrays: StagedArrays, part: int, banding: Banding, budget: Budget) -> None:
        self._arrays = arrays
        self._part = part
        self._bands = banding.bands
        self._ranges = claim_ranges(budget, banding)
        self._most = budget.share // (2 * banding.bands * _HASH_BYTES)
        self._hashes = [np.zeros((0, banding.bands), dtype=np.uint64)]
        self._places = [np.zeros(0, dtype=np.uint32)]
        self._rows = 0
        self._files = 0

    def add(self, hashes: Hashes, places: Places) -> Iterator[tuple[int, Slice]]:
        """Takes the hashes of bands of some documents; yields slices of what is written."""
        self._hashes.append(hashes)
        self._places.append(places)
        self._rows += places.size
        if self._rows > self._most:
            yield from self.flush()

    def flush(self) -> Iterator[tuple[int, Slice]]:
        """Writes what is there; yields every range, so that nobody waits for an empty one."""
        claims = claim_bands(np.concatenate(self._hashes), np.concatenate(self._places))
        blocks, ends = pack_blocks(claims, self._ranges)
        name = f"{CLAIMS}part-{self._part:05d}-{self._files:05d}.npy"
        self._arrays.save(name, blocks)
        self._hashes, self._places = self._hashes[:1], self._places[:1]
        self._rows, self._files = 0, self._files + 1
        for number, (start, end) in enumerate(zip(ends.tolist(), ends[1:].tolist(), strict=False)):
            yield number, (name, start, end)


def write_links(
    arrays: StagedArrays,
    order: KeepOrder,
    number: int,
    buckets: Claims,
    grouped: Links,
    most_unequal: int,
    capacity: int,
    ranges: int,
) -> Iterator[tuple[int, Slice]]:
    """Writes the buckets of a range of hashes and the links between documents that share one.

    So many sketches as ``capacity`` are in memory at a time. ``grouped`` are members of groups
    of equal normalized texts and the firsts of these, which are linked, too.

    Yields:
      The slice of each of ``ranges`` of places.
    """
    read = partial(gather_rows, arrays, SKETCHES, order)
    found = link_buckets(buckets, read, most_unequal, capacity)
    none = np.zeros(0, dtype=np.uint32)
    shingles = gather_rows(arrays, SIZES, order, found[0]) if found[0].size else none
    members, firsts = grouped
    links = np.zeros(shingles.size + 2 * members.size, dtype=LINKED)
    # Every document that may match another is in a link of its own, if only with itself.
    links["place"] = np.concatenate((found[0], members, firsts))
    links["linked"] = np.concatenate((found[1], firsts, firsts))
    links["shingles"][: shingles.size] = shingles
    links = links[np.argsort(links["place"], kind="stable")]
    arrays.save(bucket_file(number), buckets)
    arrays.save(link_file(number), links)
    cuts = cut_places(order.documents, ranges)
    yield from cut_slices(link_file(number), np.searchsorted(links["place"].copy(), cuts))


def bucket_file(number: int) -> str:
    """The name of the array of buckets of a range."""
    return f"shared/range-{number:05d}.npy"


def link_file(number: int) -> str:
    """The name of the array of links of a range."""
    return f"links/range-{number:05d}.npy"
