"""Components of the documents of a whole corpus, of which a portion is in memory at a time.

Documents are settled from the last to the best. Of the links of the last ones, each
component hands on one for each better document in it, to the best of these, and the last
ones become children of that best one: what is left connects the better ones as before. So
links are always of the document that is settled next with better ones, and lie in order
(time-forward processing: Chiang et al., External-Memory Graph Algorithms, 1995).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from transforms.deduplicate.clusters import contract
from transforms.deduplicate.forests import Partner, leave_out_loops
from transforms.deduplicate.keep import Numbers, Places
from transforms.deduplicate.staging import map_scratch
from transforms.deduplicate.waiting import WaitingLinks

_HASH_BYTES = 8


@dataclass(frozen=True)
class Components:
    """A forest of documents that may match others, by their numbers among these.

    ``places`` uint32[n], ascending; ``parents`` uint32[n], a better one of the component of
    each or itself; ``weights`` int64[n], what a document and all below it weigh. All on files
    whose pages the system may write back.
    """

    places: Places
    parents: Places
    weights: Numbers

    @classmethod
    def create(
        cls, folder: Path, places: Places, partners: Iterable[Partner], fixed_bytes: int
    ) -> Components:
        """Documents without links.

        Args:
          folder: for files of parents and weights.
          places: of all documents.
          partners: the same documents in pieces.
          fixed_bytes: what a document weighs besides its shingles.
        """
        parents = map_scratch(folder / "parents", np.uint32, places.size)
        weights = map_scratch(folder / "weights", np.int64, places.size)
        first = 0
        for each in partners:
            last = first + each.size
            parents[first:last] = np.arange(first, last)
            weights[first:last] = fixed_bytes + each["shingles"].astype(np.int64) * _HASH_BYTES
            first = last
        return cls(places, parents, weights)

    def settle(self, waiting: WaitingLinks, low: int, high: int) -> None:
        """Gives documents of a range of places their parents; those from ``high`` on have them."""
        if waiting.count(low) > waiting.capacity and high - low > 1:
            middle = (low + high) // 2
            self.settle(waiting, middle, high)
            self.settle(waiting, low, middle)
            return
        members, best = contract(*waiting.take(low))
        first = int(np.searchsorted(members, np.uint32(low)))
        waiting.add(members[:first], best[:first])
        children, parents = leave_out_loops(members[first:], best[first:])
        child, parent = (np.searchsorted(self.places, each) for each in (children, parents))
        self.parents[child] = parent
        np.add.at(self.weights, parent, self.weights[child])
