"""Deciding which documents stay: one greedy pass in keep order over verified matches.

A document is dropped if and only if a kept one that shares a bucket with it has an
exact Jaccard similarity at or above the threshold. Because only kept documents are
compared with, a bucket of n near-copies costs n comparisons, and a chain a~b~c in
which a and c differ loses only b.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from transforms.compiled import compiled
from transforms.shingles import Hashes, jaccard

KEPT = -1

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Buckets:
    """Which candidates share a band, each candidate by its place in keep order.

    ``members`` int64[n] lists candidates bucket by bucket, ``offsets`` int64[buckets + 1]
    where each bucket begins and ends.
    """

    members: Places
    offsets: Places


@dataclass(frozen=True)
class ShingleSets:
    """The distinct shingles of candidates, in arrays that may be memory maps.

    Candidate i has the ascending hashes ``arrays[array[i]][start[i]:end[i]]``.
    """

    arrays: Sequence[Hashes]
    array: Places
    start: Places
    end: Places


def decide_duplicates(
    buckets: Buckets, shingles: ShingleSets, threshold: float
) -> tuple[Places, npt.NDArray[np.float64]]:
    """Decides every candidate, best first.

    Returns:
      ``duplicate_of`` int64[candidates]: the place of the kept candidate that each one
      duplicates (the best of those at or above the threshold), or ``KEPT``; and
      ``similarity`` float64[candidates], their exact Jaccard similarity, 0 for kept ones.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be above 0 and at most 1, got {threshold}")
    candidates = shingles.array.size
    if candidates == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float64)
    bucket_of = np.repeat(np.arange(buckets.offsets.size - 1), np.diff(buckets.offsets))
    by_candidate = np.argsort(buckets.members, kind="stable")
    counts = np.bincount(buckets.members, minlength=candidates)
    return _decide(
        bucket_of[by_candidate].astype(np.int64),
        np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        buckets.offsets,
        numba.typed.List(shingles.arrays),
        shingles.array,
        shingles.start,
        shingles.end,
        threshold,
    )


@compiled
def _decide(
    own_buckets: Places,
    own_offsets: Places,
    bucket_offsets: Places,
    arrays: Sequence[Hashes],
    array: Places,
    start: Places,
    end: Places,
    threshold: float,
) -> tuple[Places, npt.NDArray[np.float64]]:
    candidates = array.size
    duplicate_of = np.full(candidates, KEPT, dtype=np.int64)
    similarity = np.zeros(candidates, dtype=np.float64)
    kept = np.empty(bucket_offsets[-1], dtype=np.int64)
    kept_ends = bucket_offsets[:-1].copy()
    seen = np.full(candidates, -1, dtype=np.int64)
    rivals = np.empty(candidates, dtype=np.int64)
    for candidate in range(candidates):
        count = 0
        for place in range(own_offsets[candidate], own_offsets[candidate + 1]):
            bucket = own_buckets[place]
            for slot in range(bucket_offsets[bucket], kept_ends[bucket]):
                rival = kept[slot]
                if seen[rival] != candidate:
                    seen[rival] = candidate
                    rivals[count] = rival
                    count += 1
        own = arrays[array[candidate]][start[candidate] : end[candidate]]
        for rival in np.sort(rivals[:count]):
            other = arrays[array[rival]][start[rival] : end[rival]]
            # The smaller set bounds the intersection, so sizes alone refuse most mismatches.
            # Divided like the similarity itself, so that both round alike.
            if min(own.size, other.size) / max(own.size, other.size) < threshold:
                continue
            value = jaccard(own, other)
            if value >= threshold:
                duplicate_of[candidate] = rival
                similarity[candidate] = value
                break
        else:
            for place in range(own_offsets[candidate], own_offsets[candidate + 1]):
                bucket = own_buckets[place]
                kept[kept_ends[bucket]] = candidate
                kept_ends[bucket] += 1
    return duplicate_of, similarity
