"""An index of the bands of signatures, searched by bisection.

Of a band's 64-bit hash the upper 32 bits are kept. Among n documents of b bands each, a
look-up of b bands meets about n * b^2 / 2^32 documents by accident (a third of one for a
million documents and 39 bands), which an exact check then refuses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.bands import MAX_DOCUMENTS, ORDINAL_BITS
from schemas.documents import ROW_BITS
from transforms.buffers import Offsets
from transforms.interpreted import Hashes

Ids = npt.NDArray[np.uint64]

_SHIFT = np.uint64(ORDINAL_BITS)
_ORDINAL = np.uint64(MAX_DOCUMENTS - 1)


class Shared(NamedTuple):
    """Documents that share bands with another one: most bands first, then by id.

    ``documents`` uint64[n] are ids, ``bands`` int64[n] how many each shares. ``cut`` says
    that some band had more documents than were asked for.
    """

    documents: Ids
    bands: npt.NDArray[np.int64]
    cut: bool


def first_ordinals(rows: Iterable[int]) -> Offsets:
    """The ordinal of the first document of each part, and of one after the last.

    Raises:
      ValueError: there are too many documents for an index.
    """
    offsets = np.cumsum([0, *rows], dtype=np.int64)
    if offsets[-1] > MAX_DOCUMENTS:
        raise ValueError(f"an index holds {MAX_DOCUMENTS:,} documents, got {offsets[-1]:,}")
    return offsets


def look_up(
    index: Iterable[pa.ChunkedArray], hashes: Hashes, ordinals: Offsets, most: int
) -> Shared:
    """The documents that share bands with one whose bands have these hashes.

    Args:
      index: the entries of the files of an index.
      hashes: uint64[bands].
      ordinals: int64[parts + 1], of `first_ordinals`.
      most: at most so many documents are read of each band.
    """
    found: list[Ids] = []
    cut = False
    low = hashes >> _SHIFT << _SHIFT
    for chunk in (_view(chunk) for entries in index for chunk in entries.chunks if len(chunk)):
        here = low[(low | _ORDINAL >= chunk[0]) & (low <= chunk[-1])]
        starts = np.searchsorted(chunk, here)
        ends = np.searchsorted(chunk, here | _ORDINAL, side="right")
        cut = cut or bool((ends - starts > most).any())
        found += [
            chunk[start:end]
            for start, end in zip(starts, np.minimum(ends, starts + most), strict=True)
        ]
    owners = np.concatenate([*found, np.zeros(0, np.uint64)]) & _ORDINAL
    ordinal, bands = np.unique(owners, return_counts=True)
    order = np.argsort(-bands, kind="stable")
    place = ordinal[order].astype(np.int64)
    part = np.searchsorted(ordinals, place, side="right") - 1
    ids = part.astype(np.uint64) << np.uint64(ROW_BITS) | (place - ordinals[part]).astype(np.uint64)
    return Shared(ids, bands[order], cut)


def _view(chunk: pa.UInt64Array) -> Ids:
    # Arrow's own conversion to NumPy loads pandas where it is installed: a third of a second.
    values: Ids = np.frombuffer(chunk.buffers()[1], dtype=np.uint64)
    return values[chunk.offset : chunk.offset + len(chunk)]
