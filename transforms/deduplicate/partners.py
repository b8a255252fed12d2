"""Documents that may match another, over the whole corpus: their components and batches.

What steps look up about them lies in files that are searched on memory maps: places in
ascending order, and beside them batches and whether sketches or only equal normalized
texts say that there is a match.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.duplicates import Level
from transforms.deduplicate.ascending import find_among
from transforms.deduplicate.clusters import NO_BATCH, Links, assign_batches, unite_pairs
from transforms.deduplicate.contents import groups_of_level
from transforms.deduplicate.greedy import Flags
from transforms.deduplicate.keep import Places
from transforms.deduplicate.staging import StagedArrays

LINKED = np.dtype([("place", np.uint32), ("linked", np.uint32), ("shingles", np.uint32)])
"""A document that sketches do not refuse, one that it is linked to, and its shingles."""

_PLACES = "partners/places.npy"
_BATCHES = "partners/batches.npy"
_PLAUSIBLE = "partners/plausible.npy"
_HASH_BYTES = 8
_PORTION = 1 << 20


@dataclass(frozen=True)
class Partners:
    """Memory maps of what is known of all documents that may match another.

    ``places`` uint32[n], ascending, ``batches`` uint32[n], and ``plausible`` bool[n], whether
    sketches say that there is a match and not only equal normalized texts.
    """

    places: Places
    batches: Places
    plausible: Flags

    @classmethod
    def load(cls, arrays: StagedArrays) -> Partners:
        """Maps what `divide_partners` wrote."""
        return cls(arrays.map(_PLACES), arrays.map(_BATCHES), arrays.map(_PLAUSIBLE))

    def find_batches(self, places: Places) -> tuple[Places, Flags]:
        """The batches of some documents, or ``NO_BATCH``, and whether sketches find a match."""
        index, found = find_among(self.places, places)
        batches = np.full(places.size, NO_BATCH, dtype=np.uint32)
        plausible = np.zeros(places.size, dtype=np.bool_)
        batches[found] = self.batches[index[found]]
        plausible[found] = self.plausible[index[found]]
        return batches, plausible


def divide_partners(
    arrays: StagedArrays,
    links: Sequence[str],
    documents: int,
    fixed_bytes: int,
    capacity: int,
) -> None:
    """Divides all documents that may match another into batches of whole components.

    This is the one step over the whole corpus that is not divided: it holds one byte of
    each document and some 40 of each that may match another, and nothing of the others.

    Args:
      arrays: where links and groups are, and where batches go.
      links: the names of arrays of ``LINKED`` and of ``GROUPED``.
      documents: how many there are.
      fixed_bytes: what a document takes in a batch besides its shingles.
      capacity: bytes of a batch.
    """
    places = _list_partners(arrays, links, documents)
    parents = np.arange(places.size, dtype=np.uint32)
    weights = np.full(places.size, fixed_bytes, dtype=np.int64)
    plausible = np.zeros(places.size, dtype=np.bool_)
    for name in links:
        found = arrays.load(name)
        one, other = (np.searchsorted(places, each) for each in _ends(found))
        unite_pairs(one, other, parents)
        if found.dtype == LINKED:
            weights[one] = fixed_bytes + found["shingles"].astype(np.int64) * _HASH_BYTES
            plausible[one] = True
    arrays.save(_PLACES, places)
    arrays.save(_BATCHES, assign_batches(parents, weights, capacity))
    arrays.save(_PLAUSIBLE, plausible)


def _list_partners(arrays: StagedArrays, links: Sequence[str], documents: int) -> Places:
    present = np.zeros(documents, dtype=np.bool_)
    for name in links:
        for places in _ends(arrays.load(name)):
            present[places] = True
    # Numbers of eight bytes for a portion only.
    found = [
        (np.flatnonzero(present[first : first + _PORTION]) + first).astype(np.uint32)
        for first in range(0, documents, _PORTION)
    ]
    return np.concatenate([np.zeros(0, np.uint32), *found])


def _ends(links: npt.NDArray[np.void]) -> Links:
    if links.dtype == LINKED:
        return links["place"], links["linked"]
    return groups_of_level(links, Level.NORMALIZED)
