"""Connected components of documents that may match, and their division into batches.

The greedy pass may treat components one after another or apart, because a document
is compared with nobody outside its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.compiled import allocation_free, compiled
from transforms.deduplicate.bands import PLACE_BITS, Claims
from transforms.deduplicate.keep import Places
from transforms.deduplicate.sketches import Sketches, count_unequal

Place = int | np.int64

NO_BATCH = 0xFFFFFFFF
"""The batch of a document that nothing may match."""

LARGE_BUCKET = 32
"""From so many members on, a bucket's pairs are not looked at one by one before the
greedy pass, which compares with kept documents alone: all members may match."""


@allocation_free
def unite_buckets(
    claims: Claims,
    sketches: Sketches,
    most_unequal: int,
    parents: Places,
    plausible: npt.NDArray[np.bool_],
) -> None:
    """Unites documents that share a bucket and that sketches do not refuse.

    Args:
      claims: ascending claims of one band.
      sketches: uint64[documents, words], by place.
      most_unequal: see `sketches.most_unequal`.
      parents: uint32[documents], a forest; changed.
      plausible: bool[documents], whether a document has such a partner; changed.
    """
    first = 0
    while first < claims.size:
        key = claims[first] >> np.uint64(PLACE_BITS)
        end = first + 1
        while end < claims.size and claims[end] >> np.uint64(PLACE_BITS) == key:
            end += 1
        for one in range(first, end):
            left = np.int64(np.uint32(claims[one]))
            if end - first >= LARGE_BUCKET:
                plausible[left] = True
                _unite(parents, left, np.int64(np.uint32(claims[first])))
                continue
            for other in range(first, one):
                right = np.int64(np.uint32(claims[other]))
                known = plausible[left] and plausible[right]
                if known and find_root(parents, left) == find_root(parents, right):
                    continue
                if count_unequal(sketches[left], sketches[right]) <= most_unequal:
                    plausible[left] = True
                    plausible[right] = True
                    _unite(parents, left, right)
        first = end


@allocation_free
def unite_groups(members: Places, firsts: Places, parents: Places) -> None:
    """Unites each member with the first of its group."""
    for index in range(members.size):
        _unite(parents, np.int64(members[index]), np.int64(firsts[index]))


@allocation_free
def find_root(parents: Places, place: Place) -> Place:
    """The smallest place of a document's component; shortens the way to it."""
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = np.int64(parents[place])
    return place


@allocation_free
def _unite(parents: Places, left: Place, right: Place) -> None:
    left = find_root(parents, left)
    right = find_root(parents, right)
    # The smaller place is the root, so that roots do not depend on the order of unions.
    if left < right:
        parents[right] = left
    elif right < left:
        parents[left] = right


@compiled
def assign_batches(
    parents: Places, weights: npt.NDArray[np.int64], capacity: int
) -> tuple[Places, int]:
    """Divides components of two documents or more among batches.

    A batch holds as many whole components as weigh no more than its capacity together,
    or a single one that weighs more.

    Args:
      parents: uint32[documents], the forest of components.
      weights: int64[documents].
      capacity: of a batch.

    Returns:
      uint32[documents], the batch of each or ``NO_BATCH``; and how many batches there are.
    """
    total = np.zeros(parents.size, dtype=np.int64)
    alone = np.ones(parents.size, dtype=np.bool_)
    for place in range(parents.size):
        root = find_root(parents, place)
        total[root] += weights[place]
        if root != place:
            alone[root] = False
    batches = np.full(parents.size, NO_BATCH, dtype=np.uint32)
    batch = 0
    used = 0
    for place in range(parents.size):
        root = find_root(parents, place)
        if root != place:
            batches[place] = batches[root]
        elif not alone[place]:
            if used and used + total[place] > capacity:
                batch += 1
                used = 0
            used += total[place]
            batches[place] = batch
    return batches, batch + 1
