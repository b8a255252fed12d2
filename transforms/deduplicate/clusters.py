"""Connected components of documents that may match, and their division into batches.

The greedy pass may treat components one after another or apart, because a document
is compared with nobody outside its own. Components of some links are again links, each
document's with the best of its component, so that links of different buckets are
contracted apart and the results then contracted together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from transforms.compiled import allocation_free, compiled
from transforms.deduplicate.ascending import begins
from transforms.deduplicate.bands import PLACE_BITS, Claims
from transforms.deduplicate.keep import Numbers, Places
from transforms.deduplicate.sketches import Sketches, count_unequal

Place = int | np.int64
Links = tuple[Places, Places]
"""Documents by their places, uint32[n], and one that each is linked to, uint32[n]."""

NO_BATCH = 0xFFFFFFFF
"""The batch of a document that nothing may match."""

LARGE_BUCKET = 32
"""From so many members on, a bucket's pairs are not looked at one by one before the
greedy pass, which compares with kept documents alone: all members may match."""

_PLACE_BITS = np.uint64(PLACE_BITS)


def link_buckets(
    claims: Claims,
    read_sketches: Callable[[Places], Sketches],
    most_unequal: int,
    capacity: int,
) -> Links:
    """Links documents that share a bucket and that sketches do not refuse.

    Args:
      claims: ascending, of `bands.number_buckets`.
      read_sketches: the sketches of documents by their places, ascending.
      most_unequal: see `sketches.most_unequal`.
      capacity: so many sketches are in memory at a time.

    Returns:
      Documents that may match another, ascending, and the best of the component of each.
    """
    starts = np.flatnonzero(begins(claims >> _PLACE_BITS))
    counts = np.diff(np.append(starts, claims.size))
    large = counts >= LARGE_BUCKET
    places = claims.astype(np.uint32)
    of_large = np.repeat(large, counts)
    blocks = _cut_blocks(claims[~of_large], capacity)
    links = [
        (places[of_large], places[np.repeat(starts[large], counts[large])]),
        *(_link_block(block, read_sketches, most_unequal) for block in blocks),
    ]
    return contract(*(np.concatenate(column) for column in zip(*links, strict=True)))


def _cut_blocks(claims: Claims, capacity: int) -> Iterator[Claims]:
    """Whole buckets, as many together as have so many claims."""
    ends = np.append(np.flatnonzero(begins(claims >> _PLACE_BITS)), claims.size)
    first = 0
    while first < claims.size:
        most = first + max(capacity, LARGE_BUCKET)
        last = int(ends[np.searchsorted(ends, most, side="right") - 1])
        yield claims[first:last]
        first = last


def _link_block(
    claims: Claims, read_sketches: Callable[[Places], Sketches], most_unequal: int
) -> Links:
    places = claims.astype(np.uint32)
    members = np.unique(places)
    local = (claims >> _PLACE_BITS << _PLACE_BITS) | np.searchsorted(members, places).astype(
        np.uint64
    )
    parents = np.arange(members.size, dtype=np.uint32)
    plausible = np.zeros(members.size, dtype=np.bool_)
    _unite_buckets(local, read_sketches(members), most_unequal, parents, plausible)
    return members[plausible], members[find_roots(parents)[plausible]]


def contract(places: Places, linked: Places) -> Links:
    """All documents that are linked, ascending, and the best of the component of each."""
    members = np.unique(np.concatenate((places, linked)))
    parents = np.arange(members.size, dtype=np.uint32)
    unite_pairs(np.searchsorted(members, places), np.searchsorted(members, linked), parents)
    return members, members[find_roots(parents)]


@compiled
def _unite_buckets(
    claims: Claims,
    sketches: Sketches,
    most_unequal: int,
    parents: Places,
    plausible: npt.NDArray[np.bool_],
) -> None:
    """Unites who may match, and says of each whether somebody may match it."""
    first = 0
    while first < claims.size:
        key = claims[first] >> np.uint64(PLACE_BITS)
        end = first + 1
        while end < claims.size and claims[end] >> np.uint64(PLACE_BITS) == key:
            end += 1
        for one in range(first, end):
            left = np.int64(np.uint32(claims[one]))
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


@compiled
def unite_pairs(left: Numbers, right: Numbers, parents: Places) -> None:
    """Unites the components of pairs in a forest of parents, which it changes."""
    for index in range(left.size):
        _unite(parents, left[index], right[index])


@compiled
def find_roots(parents: Places) -> Places:
    """The smallest member of the component of each."""
    roots = np.empty_like(parents)
    for place in range(parents.size):
        roots[place] = find_root(parents, place)
    return roots


@allocation_free
def find_root(parents: Places, place: Place) -> Place:
    """The smallest member of a component; shortens the way to it."""
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
    parents: Places, weights: npt.NDArray[np.int64], capacity: int, batches: Places
) -> None:
    """Divides components of two documents or more among batches.

    A batch holds as many whole components as weigh no more than its capacity together,
    or a single one that weighs more.

    Args:
      parents: uint32[documents], a better one of the component of each, or itself for the best.
      weights: int64[documents], of the best of a component that of all of it.
      capacity: of a batch.
      batches: uint32[documents], set to the batch of each or ``NO_BATCH``.
    """
    batches[:] = NO_BATCH
    for place in range(parents.size):
        if parents[place] != place:
            batches[parents[place]] = 0
    batch = 0
    used = 0
    for place in range(parents.size):
        if parents[place] != place:
            batches[place] = batches[parents[place]]
        elif batches[place] != NO_BATCH:
            if used and used + weights[place] > capacity:
                batch += 1
                used = 0
            used += weights[place]
            batches[place] = batch
