"""Claims of bands as entries of the index that a finished run is searched by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from transforms.bandindex import first_ordinals
from transforms.deduplicate.ascending import hash_range
from transforms.deduplicate.candidates import Budget
from transforms.deduplicate.keep import KeepOrder, Numbers
from transforms.deduplicate.staging import StagedArrays

_ENTRY_BYTES = 8

Entries = npt.NDArray[np.uint64]


def ordinals_of_places(order: KeepOrder) -> npt.NDArray[np.uint64]:
    """uint64[documents]: the ordinal, part by part, of the document at each place."""
    sizes = np.diff(order.starts)
    parts = int(order.part.max()) + 1 if order.part.size else 0
    rows = np.zeros(parts, dtype=np.int64)
    np.add.at(rows, order.part, sizes)
    first: Numbers = first_ordinals(rows.tolist())[order.part] + order.row
    return (np.repeat(first - order.starts[:-1], sizes) + np.arange(order.documents)).astype(
        np.uint64
    )


def index_entries(
    arrays: StagedArrays, names: Sequence[str], order: KeepOrder, bands: int, budget: Budget
) -> Iterator[Entries]:
    """The ascending entries of each range of hashes, from the files of claims of bands."""
    ranges = budget.ranges(2 * bands * _ENTRY_BYTES)
    ordinals = ordinals_of_places(order)
    for number in range(ranges):
        rows = (row for name in names for row in arrays.map(f"bands/{name}"))
        chosen = [row[hash_range(row, number, ranges)] for row in rows]
        entries = np.concatenate([np.zeros(0, dtype=np.uint64), *chosen])
        places = entries.astype(np.uint32)
        entries &= ~np.uint64(0xFFFFFFFF)
        entries |= ordinals[places]
        entries.sort()
        yield entries
