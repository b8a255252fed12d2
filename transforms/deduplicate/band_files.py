"""Claims of bands as entries of the index that a finished run is searched by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.bandindex import first_ordinals
from transforms.deduplicate.bands import Claims
from transforms.deduplicate.keep import KeepOrder, Numbers, Places
from transforms.deduplicate.staging import StagedArrays

Entries = npt.NDArray[np.uint64]

_ORDINALS = "order/ordinals.npy"
_PORTION = 1 << 20


def save_ordinals(arrays: StagedArrays, order: KeepOrder) -> None:
    """Writes uint32[documents]: the ordinal, part by part, of the document at each place."""
    first = first_ordinals(_count_rows(order).tolist())

    def ordinals(start: int) -> Places:
        stop = min(start + _PORTION, order.documents)
        part, row = order.positions(np.arange(start, stop, dtype=np.int64))
        return (first[part] + row).astype(np.uint32)

    pieces = map(ordinals, range(0, order.documents, _PORTION))
    arrays.save_pieces(_ORDINALS, np.uint32, order.documents, pieces)


def _count_rows(order: KeepOrder) -> Numbers:
    """int64[parts]: the documents of each."""
    rows = np.zeros(order.parts, dtype=np.int64)
    for start in range(0, order.part.size, _PORTION):
        part = order.part[start : start + _PORTION]
        files = np.diff(order.starts[start : start + part.size + 1])
        rows += np.bincount(part, files, order.parts).astype(np.int64)
    return rows


def index_entries(arrays: StagedArrays, claims: Claims) -> Entries:
    """The ascending entries of claims of a range of hashes."""
    entries = claims & ~np.uint64(0xFFFFFFFF)
    entries |= arrays.map(_ORDINALS)[claims.astype(np.uint32)]
    entries.sort()
    return entries
