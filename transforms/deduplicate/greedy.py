"""Deciding which documents stay: one greedy pass in keep order over verified matches.

A document is dropped if and only if a kept one is a match: one of its group of equal
normalized hashes, or one that shares a bucket with it and has an exact Jaccard similarity
at or above the threshold. It is dropped in favor of the best such one. Because only kept
documents are compared with, a bucket of n near-copies costs n comparisons, and a chain
a~b~c in which a and c differ loses only b. A bucket of n unlike documents costs n times
``MOST_KEPT`` at most: who comes later is compared with its first so many kept ones, and
meets the others in other buckets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.compiled import allocation_free, compiled
from transforms.deduplicate.sketches import Sketches, count_unequal
from transforms.shingles import Hashes

KEPT = -1
NO_GROUP = -1

_PORTION = 1 << 20

MOST_KEPT = 256
"""How many kept documents of a bucket, best first, the others are compared with."""

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Members = npt.NDArray[np.uint32]
"""Numbers of candidates or buckets where there is one for each band of each candidate."""


@dataclass(frozen=True)
class Buckets:
    """Which candidates share a band, each candidate by its number in keep order.

    ``members`` uint32[n] lists candidates bucket by bucket, ascending inside each,
    ``offsets`` int64[buckets + 1] where each bucket begins and ends.
    """

    members: Members
    offsets: Numbers


@dataclass(frozen=True)
class Candidates:
    """Candidates in keep order.

    ``sketches`` uint64[candidates, words]; ``groups`` int64[candidates], the number of the
    group of equal normalized hashes or ``NO_GROUP``; ``sizes`` int64[candidates], how many
    distinct shingles each has.
    """

    buckets: Buckets
    sketches: Sketches
    groups: Numbers
    sizes: Numbers


@dataclass(frozen=True)
class Matching:
    """What counts as a match, and how many shingles may be held to find out.

    ``most_unequal`` is that of `sketches.most_unequal`; ``capacity`` counts shingles.
    """

    threshold: float
    most_unequal: int
    capacity: int


@dataclass(frozen=True)
class Decisions:
    """``duplicate_of`` int64[candidates] is the number of the kept one or ``KEPT``.

    ``similarity`` float64[candidates] is exact, and 1 where the two are of one group, as
    ``grouped`` says; it is 0 for kept ones.
    """

    duplicate_of: Numbers
    similarity: npt.NDArray[np.float64]
    grouped: Flags


Rivalry = tuple[Members, Numbers, Numbers, Numbers, Members, Sketches, Numbers, Numbers]
"""The buckets of each candidate (and where they begin), of each bucket where its kept ones
begin and how many it has, those kept ones, sketches, groups, the kept one of each group."""

Loaded = tuple[Hashes, Numbers]
"""Shingles of some candidates, and where among them those of each candidate begin."""

Load = Callable[[Numbers], Hashes]
"""The ascending distinct shingles of these candidates, one after another."""


Zeros = Callable[[int, npt.DTypeLike], npt.NDArray[Any]]
"""Makes an array of so many zeros of a type, in memory or on a file."""


def decide_duplicates(
    candidates: Candidates, load: Load, matching: Matching, zeros: Zeros = np.zeros
) -> Decisions:
    """Decides every candidate, best first, with shingles of ``2 * capacity`` at a time.

    What there is of every candidate and bucket lies in arrays that ``zeros`` makes.
    """
    if not 0 < matching.threshold <= 1:
        raise ValueError(f"threshold must be above 0 and at most 1, got {matching.threshold}")
    count = candidates.sizes.size
    decisions = Decisions(zeros(count, np.int64), zeros(count, np.float64), zeros(count, np.bool_))
    decisions.duplicate_of[:] = KEPT
    if not count:
        return decisions
    state = _State(candidates, load, matching, decisions, zeros)
    ends = np.cumsum(candidates.sizes, out=zeros(count, np.int64))
    first = 0
    while first < count:
        last = _fill(ends, first, matching.capacity)
        state.decide_range(first, last)
        first = last
    return decisions


def _fill(ends: Numbers, first: int, capacity: int) -> int:
    """How far one gets from ``first`` within a capacity, at least one further."""
    before = ends[first - 1] if first else 0
    last = int(np.searchsorted(ends, before + capacity, side="right"))
    # Documents may have no shingles.
    return max(min(last, first + _PORTION), first + 1)


class _State:
    """What the pass knows between its steps, as the arrays that its kernels take."""

    def __init__(
        self,
        candidates: Candidates,
        load: Load,
        matching: Matching,
        decisions: Decisions,
        zeros: Zeros,
    ) -> None:
        buckets, count = candidates.buckets, candidates.sizes.size
        self._sizes = candidates.sizes
        self._load = load
        self._matching = matching
        self._decisions = decisions
        own_buckets, own_offsets = (
            zeros(buckets.members.size, np.uint32),
            zeros(count + 1, np.int64),
        )
        _list_buckets(buckets.members, buckets.offsets, own_buckets, own_offsets)
        group_kept = zeros(int(candidates.groups.max()) + 1, np.int64)
        group_kept[:] = KEPT
        self._rivalry = (
            own_buckets,
            own_offsets,
            buckets.offsets[:-1],
            zeros(buckets.offsets.size - 1, np.int64),
            zeros(buckets.members.size, np.uint32),
            candidates.sketches,
            candidates.groups,
            group_kept,
        )
        self._earlier = zeros(count, np.bool_)
        self._starts = zeros(count, np.int64), zeros(count, np.int64)
        self._seen, self._rivals = zeros(count, np.int64), zeros(count, np.int64)
        self._stamp = 1

    def decide_range(self, first: int, last: int) -> None:
        """Decides candidates of a range, once all before it are decided."""
        own = self._read(np.arange(first, last), self._starts[0])
        if first:
            self._earlier[:first] = False
            most_unequal = self._matching.most_unequal
            shared = (self._seen, self._rivals, self._stamped())
            _mark_earlier(first, last, self._rivalry, most_unequal, *shared, self._earlier)
            for block in self._blocks(first):
                others = self._read(block, self._starts[1])
                self._decide((first, last), (int(block[0]), int(block[-1]) + 1), own, others)
        self._decide((first, last), (first, last), own, own)

    def _blocks(self, end: int) -> Iterator[Numbers]:
        """The marked candidates before an end, as many together as have shingles of a capacity."""
        start = 0
        while start < end:
            stop = min(start + _PORTION, end)
            marked = np.flatnonzero(self._earlier[start:stop]) + start
            ends = np.cumsum(self._sizes[marked])
            done = 0
            while done < marked.size:
                until = _fill(ends, done, self._matching.capacity)
                yield marked[done:until]
                done = until
            start = stop

    def _read(self, chosen: Numbers, starts: Numbers) -> Loaded:
        sizes = self._sizes[chosen]
        starts[chosen] = np.cumsum(sizes) - sizes
        return self._load(chosen), starts

    def _stamped(self) -> int:
        """A number above all that marks made so far; a candidate's own is added to it."""
        self._stamp += self._sizes.size
        return self._stamp

    def _decide(
        self, own: tuple[int, int], rivals: tuple[int, int], loaded: Loaded, others: Loaded
    ) -> None:
        """Compares candidates of a range with kept ones of a range; equal ranges settle."""
        _decide(
            own,
            rivals,
            self._rivalry,
            self._sizes,
            loaded,
            others,
            self._matching.most_unequal,
            self._matching.threshold,
            (self._seen, self._rivals, self._stamped()),
            self._decisions.duplicate_of,
            self._decisions.similarity,
            self._decisions.grouped,
        )


@compiled
def _list_buckets(members: Members, offsets: Numbers, buckets: Members, starts: Numbers) -> None:
    """Sets the buckets of each candidate, and where those of each begin and the last end."""
    for member in members:
        starts[member + 1] += 1
    for candidate in range(1, starts.size):
        starts[candidate] += starts[candidate - 1]
    # Where the next bucket of each goes is where its last one ends, once all are there.
    for bucket in range(offsets.size - 1):
        for member in members[offsets[bucket] : offsets[bucket + 1]]:
            buckets[starts[member]] = bucket
            starts[member] += 1
    for candidate in range(starts.size - 1, 0, -1):
        starts[candidate] = starts[candidate - 1]
    starts[0] = 0


@compiled
def _mark_earlier(
    first: int,
    last: int,
    rivalry: Rivalry,
    most_unequal: int,
    seen: Numbers,
    rivals: Numbers,
    stamp: int,
    earlier: Flags,
) -> None:
    """Marks kept candidates before ``first`` that some of ``first`` to ``last`` may match."""
    for candidate in range(first, last):
        count = _find_rivals(candidate, 0, first, rivalry, most_unequal, seen, rivals, stamp)
        for index in range(count):
            earlier[rivals[index]] = True


@allocation_free
def _find_rivals(
    candidate: int,
    low: int,
    high: int,
    rivalry: Rivalry,
    most_unequal: int,
    seen: Numbers,
    rivals: Numbers,
    stamp: int,
) -> int:
    """Lists kept candidates in a range that a candidate may match; says how many.

    ``seen`` has no number yet that is ``stamp`` or above, but for what is added to it.
    """
    own_buckets, own_offsets, kept_starts, kept_counts, kept, sketches, groups, group_kept = rivalry
    count = 0
    group = groups[candidate]
    if group != NO_GROUP and low <= group_kept[group] < high:
        rivals[0] = group_kept[group]
        seen[rivals[0]] = stamp + candidate
        count = 1
    for place in range(own_offsets[candidate], own_offsets[candidate + 1]):
        bucket = own_buckets[place]
        start = kept_starts[bucket]
        for slot in range(start, start + kept_counts[bucket]):
            rival = np.int64(kept[slot])
            if rival >= high:
                break
            if rival < low or seen[rival] == stamp + candidate:
                continue
            seen[rival] = stamp + candidate
            if count_unequal(sketches[candidate], sketches[rival]) <= most_unequal:
                rivals[count] = rival
                count += 1
    return count


@compiled
def _decide(
    own: tuple[int, int],
    others: tuple[int, int],
    rivalry: Rivalry,
    sizes: Numbers,
    own_loaded: Loaded,
    other_loaded: Loaded,
    most_unequal: int,
    threshold: float,
    scratch: tuple[Numbers, Numbers, int],
    duplicate_of: Numbers,
    similarity: npt.NDArray[np.float64],
    grouped: Flags,
) -> None:
    own_hashes, own_start = own_loaded
    other_hashes, other_start = other_loaded
    groups, group_kept = rivalry[6], rivalry[7]
    seen, rivals, stamp = scratch
    for candidate in range(own[0], own[1]):
        if duplicate_of[candidate] != KEPT:
            continue
        count = _find_rivals(
            candidate, others[0], others[1], rivalry, most_unequal, seen, rivals, stamp
        )
        group = groups[candidate]
        start = own_start[candidate]
        shingles = own_hashes[start : start + sizes[candidate]]
        for rival in np.sort(rivals[:count]):
            if group != NO_GROUP and group_kept[group] == rival:
                value = 1.0
                grouped[candidate] = True
            else:
                start = other_start[rival]
                value = _similarity(shingles, other_hashes[start : start + sizes[rival]], threshold)
            if value >= threshold:
                duplicate_of[candidate] = rival
                similarity[candidate] = value
                break
        if duplicate_of[candidate] == KEPT and own == others:
            _keep(candidate, rivalry)


@allocation_free
def _keep(candidate: int, rivalry: Rivalry) -> None:
    own_buckets, own_offsets, kept_starts, kept_counts, kept, _, groups, group_kept = rivalry
    for place in range(own_offsets[candidate], own_offsets[candidate + 1]):
        bucket = own_buckets[place]
        if kept_counts[bucket] < MOST_KEPT:
            kept[kept_starts[bucket] + kept_counts[bucket]] = candidate
            kept_counts[bucket] += 1
    if groups[candidate] != NO_GROUP:
        group_kept[groups[candidate]] = candidate


@allocation_free
def _similarity(left: Hashes, right: Hashes, threshold: float) -> float:
    """The Jaccard similarity, or 0 as soon as it must be below the threshold."""
    smaller = min(left.size, right.size)
    # The smaller set bounds the intersection. Divided like the similarity itself, so
    # that both round alike.
    if smaller == 0 or smaller / max(left.size, right.size) < threshold:
        return 0.0
    total = left.size + right.size
    # A little less than what the threshold needs, so that rounding refuses nobody.
    needed = threshold / (1 + threshold) * total - 1e-6 * total
    common = 0
    i = 0
    j = 0
    while i < left.size and j < right.size:
        if common + min(left.size - i, right.size - j) < needed:
            return 0.0
        # Sixteen steps between checks, without a branch that depends on the values.
        steps = min(16, min(left.size - i, right.size - j))
        for _ in range(steps):
            one = left[i]
            other = right[j]
            common += one == other
            i += one <= other
            j += other <= one
    return common / (total - common)
