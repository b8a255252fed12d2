"""Documents that may match another, over the whole corpus: their components and batches.

What steps look up about them lies in files that are searched on memory maps: places in
ascending order, and beside them batches and whether sketches or only equal normalized
texts say that there is a match.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from transforms.deduplicate.ascending import find_among
from transforms.deduplicate.clusters import NO_BATCH, assign_batches
from transforms.deduplicate.components import Components
from transforms.deduplicate.forests import forest_file, partner_file
from transforms.deduplicate.greedy import Flags
from transforms.deduplicate.keep import Numbers, Places
from transforms.deduplicate.staging import StagedArrays, map_scratch
from transforms.deduplicate.waiting import WaitingLinks

_PLACES = "partners/places.npy"
_BATCHES = "partners/batches.npy"
_PLAUSIBLE = "partners/plausible.npy"
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
    sizes: Mapping[int, int],
    cuts: Numbers,
    fixed_bytes: int,
    link_capacity: int,
    capacity: int,
) -> None:
    """Divides all documents that may match another into batches of whole components.

    This is the one step over the whole corpus that is not divided. In memory are links and
    partners of a range of places, and ``link_capacity`` more links; what there is of every
    partner lies in scratch files whose pages the system may write back.

    Args:
      arrays: where partners and forests by range of places are, and where batches go.
      sizes: how many partners each range of places has, where there are any.
      cuts: int64[ranges + 1], of `forests.cut_places`.
      fixed_bytes: what a document takes in a batch besides its shingles.
      link_capacity: links that are looked at together.
      capacity: bytes of a batch.
    """
    total = sum(sizes.values())
    names = [partner_file(number) for number in sorted(sizes)]
    found = map(arrays.load, names)
    arrays.save_pieces(_PLACES, np.uint32, total, (each["place"] for each in found))
    with arrays.scratch() as folder:
        partners = map(arrays.load, names)
        components = Components.create(folder, arrays.map(_PLACES), partners, fixed_bytes)
        portions = np.array_split(components.weights, total // _PORTION + 1)
        plausible = (weights > fixed_bytes for weights in portions)
        arrays.save_pieces(_PLAUSIBLE, np.bool_, total, plausible)
        waiting = WaitingLinks(folder, link_capacity)
        for number in sorted(sizes, reverse=True):
            waiting.add(*arrays.load(forest_file(number)))
            components.settle(waiting, int(cuts[number]), int(cuts[number + 1]))
        batches = map_scratch(folder / "batches", np.uint32, total)
        assign_batches(components.parents, components.weights, capacity, batches)
        arrays.save(_BATCHES, batches)
