"""Exact all-pairs similarity: every pair of sets at or above a threshold.

Prefix filtering (Bayardo et al. 2007; Xiao et al. 2008, PPJoin): with the elements of
all sets in one order, rare ones first, two sets of Jaccard similarity t or more share
one of the first ``n - ceil(t * n) + 1`` elements of each. Sets are visited by size, so
that the inverted lists of prefixes end where sets become too small. Every candidate is
counted exactly. Nothing is hashed or sampled: the result has no misses.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.compiled import compiled

Places = npt.NDArray[np.int64]

_SLACK = 1e-9
"""Products with the threshold are rounded towards more candidates, never fewer."""


class Pairs(NamedTuple):
    """Places of two sets, int64[n], and their exact similarity, float64[n]."""

    left: Places
    right: Places
    similarity: npt.NDArray[np.float64]


def similar_pairs(
    values: npt.NDArray[np.uint64], offsets: npt.NDArray[np.int64], threshold: float
) -> tuple[Pairs, int]:
    """All pairs of sets with a Jaccard similarity at or above a threshold.

    Args:
      values: set i is ``values[offsets[i]:offsets[i + 1]]``, distinct.
      offsets: int64[sets + 1].
      threshold: above 0.

    Returns:
      The pairs, and how many candidates were counted to find them.
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    rank = np.empty(counts.size, dtype=np.int32)
    rank[np.argsort(counts, kind="stable")] = np.arange(counts.size, dtype=np.int32)
    elements = rank[place]
    # Elements of one set only stand first in the order and make no candidates.
    alone = int((counts == 1).sum())
    del place, rank
    _sort_sets(elements, offsets)
    by_size = np.argsort(np.diff(offsets), kind="stable")
    columns = _find(elements, offsets, by_size, threshold, alone, counts.size)
    return Pairs(columns[0], columns[1], columns[2]), columns[3]


@compiled
def _sort_sets(elements: npt.NDArray[np.int32], offsets: Places) -> None:
    for index in range(offsets.size - 1):
        elements[offsets[index] : offsets[index + 1]].sort()


@compiled
def _prefix(size: int, threshold: float) -> int:
    return size - int(np.ceil(threshold * size - _SLACK)) + 1


@compiled
def _find(
    elements: npt.NDArray[np.int32],
    offsets: Places,
    by_size: Places,
    threshold: float,
    alone: int,
    kinds: int,
) -> tuple[Places, Places, npt.NDArray[np.float64], int]:
    room = 0
    for index in range(offsets.size - 1):
        room += _prefix(offsets[index + 1] - offsets[index], threshold)
    head = np.full(kinds, -1, dtype=np.int64)
    onward = np.empty(room, dtype=np.int64)
    owner = np.empty(room, dtype=np.int64)
    used = 0
    seen = np.full(offsets.size - 1, -1, dtype=np.int64)
    candidates = np.empty(offsets.size - 1, dtype=np.int64)
    left = [np.int64(0) for _ in range(0)]
    right = [np.int64(0) for _ in range(0)]
    similarity = [0.0 for _ in range(0)]
    counted = 0
    for index in by_size:
        own = elements[offsets[index] : offsets[index + 1]]
        if own.size == 0:
            continue
        count = 0
        for place in range(_prefix(own.size, threshold)):
            element = own[place]
            if element < alone:
                continue
            entry = head[element]
            while entry >= 0:
                other = owner[entry]
                if offsets[other + 1] - offsets[other] < threshold * own.size - _SLACK:
                    break
                if seen[other] != index:
                    seen[other] = index
                    candidates[count] = other
                    count += 1
                entry = onward[entry]
            onward[used], owner[used] = head[element], index
            head[element] = used
            used += 1
        counted += count
        for other in candidates[:count]:
            value = jaccard(own, elements[offsets[other] : offsets[other + 1]], threshold)
            if value >= threshold:
                left.append(min(index, other))
                right.append(max(index, other))
                similarity.append(value)
    return np.array(left), np.array(right), np.array(similarity), counted


@compiled
def jaccard(
    left: npt.NDArray[np.generic], right: npt.NDArray[np.generic], threshold: float
) -> float:
    """The similarity of two ascending sets, or 0 as soon as it must be below the threshold."""
    total = left.size + right.size
    needed = int(np.ceil(threshold / (1 + threshold) * total - _SLACK))
    common = 0
    i = 0
    j = 0
    while i < left.size and j < right.size:
        if common + min(left.size - i, right.size - j) < needed:
            return 0.0
        if left[i] == right[j]:
            common += 1
            i += 1
            j += 1
        elif left[i] < right[j]:
            i += 1
        else:
            j += 1
    return common / (total - common) if total > common else 0.0
