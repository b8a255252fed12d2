"""Exchanging hashes of whole documents: from parts to ranges of hashes, and groups back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from schemas.duplicates import Level
from schemas.fingerprints import HASH_BYTES
from transforms.deduplicate.ascending import cut_ranges
from transforms.deduplicate.contents import (
    CLAIM_BYTES,
    NO_CLAIMS,
    claim_hashes,
    group_equal,
    make_groups,
)
from transforms.deduplicate.reader import RunReader
from transforms.deduplicate.slices import Slice, cut_slices, read_slices

# Hashes of bytes and of normalized text, by the level that compares them.
_COLUMNS = {Level.EXACT: "content_hash", Level.NORMALIZED: "normalized_hash"}


def write_hashes(reader: RunReader, part: int) -> Iterator[tuple[int, Slice]]:
    """Writes who of a part has which hash, ascending, for each level that compares hashes.

    Yields:
      The slice of each range; the ranges of the second level are numbered on.
    """
    levels, ranges = _levels(reader), _ranges(reader)
    columns = [_COLUMNS[level] for level in levels]
    batches = list(reader.fingerprints(part, columns)) if levels else []
    places = reader.order.places(part)
    for number, (level, column) in enumerate(zip(levels, columns, strict=True)):
        hashes = pa.chunked_array([batch[column] for batch in batches], pa.binary(HASH_BYTES))
        claims = claim_hashes(hashes.combine_chunks(), places)
        name = f"hashes/{level}-part-{part:05d}.npy"
        reader.arrays.save(name, claims)
        for index, piece in cut_slices(name, cut_ranges(claims[:, 0], ranges)):
            yield number * ranges + index, piece


def write_groups(
    reader: RunReader, number: int, slices: Iterable[Slice]
) -> Iterator[tuple[int, Slice]]:
    """Writes the groups of equal hashes of a range, by the part of their members.

    Yields:
      The slice of each part.
    """
    claims = np.concatenate([NO_CLAIMS, *read_slices(reader.arrays, slices)])
    if not claims.size:
        return
    members, firsts = group_equal(claims)
    part, _ = reader.order.positions(members)
    order = np.argsort(part, kind="stable")
    groups = make_groups(members, firsts, _levels(reader)[number // _ranges(reader)])
    name = f"groups/range-{number:05d}.npy"
    reader.arrays.save(name, groups[order])
    ends = np.searchsorted(part[order], np.arange(reader.order.parts + 1))
    yield from cut_slices(name, ends)


def _levels(reader: RunReader) -> list[Level]:
    return [level for level in _COLUMNS if level in reader.options.levels]


def _ranges(reader: RunReader) -> int:
    return reader.budget.ranges(4 * CLAIM_BYTES)
