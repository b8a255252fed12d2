"""Links that wait for their documents to be looked at, in descending order of places.

In memory are no more than some of them. The others lie in scratch files, each ascending,
of which the upper ends are read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from transforms.deduplicate.clusters import Links, contract
from transforms.deduplicate.forests import leave_out_loops
from transforms.deduplicate.keep import Places
from transforms.deduplicate.staging import map_scratch

MOST_PIECES = 64
"""So many pieces are in memory before they are made one, because each costs a look a range."""


class WaitingLinks:
    """Links of documents with better ones: links are added and those of the last places taken.

    ``capacity`` counts links in memory.
    """

    def __init__(self, folder: Path, capacity: int) -> None:
        self._folder = folder
        self.capacity = capacity
        self._held: list[Links] = []
        self._spilled: list[Links] = []
        self._files = 0

    def add(self, places: Places, linked: Places) -> None:
        """Adds links, ascending by their documents, which are places that have not been taken."""
        self._held.append(leave_out_loops(places, linked))
        size = sum(each.size for each, _ in self._held)
        if size > self.capacity or len(self._held) > MOST_PIECES:
            self._contract()

    def _contract(self) -> None:
        columns = map(np.concatenate, zip(*self._held, strict=True))
        held = leave_out_loops(*contract(*columns))
        self._held = [held]
        # So that what is contracted again is not what was contracted the time before.
        if held[0].size > self.capacity // 2:
            self._spill(held)

    def _spill(self, links: Links) -> None:
        path = self._folder / f"waiting-{self._files}"
        self._files += 1
        size = links[0].size
        columns = map_scratch(path, np.uint32, 2 * size)
        path.unlink()
        columns[:size], columns[size:] = links
        self._held = []
        self._spilled.append((columns[:size], columns[size:]))

    def count(self, low: int) -> int:
        """How many links wait whose documents have this place or a later one."""
        pieces = (*self._held, *self._spilled)
        return sum(places.size - _find(places, low) for places, _ in pieces)

    def take(self, low: int) -> Links:
        """Removes and returns these links."""
        none = np.zeros(0, dtype=np.uint32)
        taken: list[Links] = [(none, none)]
        for pieces in (self._held, self._spilled):
            cuts = [_find(places, low) for places, _ in pieces]
            divided = list(zip(cuts, pieces, strict=True))
            taken += [(places[cut:], linked[cut:]) for cut, (places, linked) in divided]
            pieces[:] = [(places[:cut], linked[:cut]) for cut, (places, linked) in divided if cut]
        places, linked = map(np.concatenate, zip(*taken, strict=True))
        return places, linked


def _find(places: Places, low: int) -> int:
    # Of the type of the places, which would be copied to compare them with another.
    return int(np.searchsorted(places, np.uint32(low)))
