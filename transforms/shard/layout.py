"""The layout of shards: which sequences of which section are where in them.

The sequences of an epoch are shuffled by numbers drawn for each: they are in the order of
these, and what is drawn for one follows from its number alone. A bucket is some shards that
follow each other, and which sequences are in it follows from the least number that is drawn
for one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from schemas import shards
from schemas.shards import Split
from transforms.draws import draw_stream
from transforms.shard.passes import Pass, list_passes
from transforms.shard.sections import Integers
from transforms.shingles import Hashes

_CELL_BITS = 18
_DRAWS_AT_ONCE = 1 << 18


def find_draws(count: int, seed: int, ranks: Integers) -> Hashes:
    """The numbers that have some ranks among the first ones of a seed's stream.

    The stream is drawn twice, some of it at a time: first to count the numbers that begin
    with the same bits, then to sort those among which one is that has one of the ranks.

    Args:
      count: so many numbers are meant.
      seed: of the stream.
      ranks: int64[ranks], ascending, from 0 to below ``count``.
    """
    if not ranks.size:
        return np.zeros(0, np.uint64)
    shift = np.uint64(64 - _CELL_BITS)
    sizes = np.zeros(1 << _CELL_BITS, np.int64)
    for numbers in _draw_all(count, seed):
        sizes += np.bincount((numbers >> shift).astype(np.int64), minlength=sizes.size)
    ends = np.cumsum(sizes)
    cells = np.searchsorted(ends, ranks, side="right")
    wanted = np.zeros(sizes.size, np.bool_)
    wanted[cells] = True
    found = np.sort(
        np.concatenate([each[wanted[each >> shift]] for each in _draw_all(count, seed)])
    )
    left_out = np.cumsum(np.where(wanted, 0, sizes))[cells]
    return np.asarray(found[ranks - left_out])


def _draw_all(count: int, seed: int) -> Iterator[Hashes]:
    for first in range(0, count, _DRAWS_AT_ONCE):
        yield draw_stream(min(_DRAWS_AT_ONCE, count - first), seed, first)


@dataclass(frozen=True)
class Layout:
    """How many sequences there are, and in which bucket which of them is.

    ``sequences`` are those of each section, by pass; passes are in the order of
    `transforms.shard.passes.list_passes`. ``borders`` are by pass the least numbers drawn
    for sequences of its buckets but the first.
    """

    sequences_per_shard: int
    sequences: tuple[tuple[int, ...], ...]
    shards_a_bucket: int = 1
    borders: tuple[tuple[int, ...], ...] = ()

    @classmethod
    def from_values(cls, values: Any) -> Layout:
        """A layout from what `to_values` gave."""
        nested = ("sequences", "borders")
        return cls(**values | {name: tuple(map(tuple, values[name])) for name in nested})

    def to_values(self) -> dict[str, Any]:
        """The layout in numbers."""
        return asdict(self)

    @property
    def passes(self) -> list[Pass]:
        """All passes, by number."""
        return list_passes(len(self.sequences) - 1)

    @cached_property
    def _rows(self) -> list[tuple[Split, int, int]]:
        """Split, first row in it and row behind the last of each pass."""
        found = []
        rows = dict.fromkeys(Split, 0)
        for (split, _), own in zip(self.passes, self.sequences, strict=True):
            found.append((split, rows[split], rows[split] + sum(own)))
            rows[split] = found[-1][2]
        return found

    def rows(self, split: Split) -> int:
        """How many sequences a split has."""
        return max(end for own, _, end in self._rows if own is split)

    def count_shards(self, split: Split) -> int:
        """How many shards a split has."""
        return -(-self.rows(split) // self.sequences_per_shard)

    def names(self, split: Split) -> list[str]:
        """The names of the shards of a split."""
        count = self.count_shards(split)
        return [shards.file_name(split, number, count) for number in range(count)]

    def shard_rows(self, split: Split) -> list[int]:
        """The rows of each shard of a split."""
        rows, most = self.rows(split), self.sequences_per_shard
        return [min(most, rows - first) for first in range(0, rows, most)]

    def first_shard(self, split: Split, bucket: int) -> int:
        """The number of the first shard of a split in a bucket, if there is one."""
        return max(0, bucket * self.shards_a_bucket - self._shards_before(split))

    def _shards_before(self, split: Split) -> int:
        """How many shards are before those of a split: training comes first."""
        return 0 if split is Split.TRAIN else self.count_shards(Split.TRAIN)

    @property
    def buckets(self) -> int:
        """How many there are; one at least."""
        return max(1, -(-sum(map(self.count_shards, Split)) // self.shards_a_bucket))

    def buckets_of(self, number: int) -> range:
        """The buckets that sequences of a pass are in."""
        split, first, end = self._rows[number]
        if first == end:
            return range(0)
        ends = (
            (self._shards_before(split) + row // self.sequences_per_shard) // self.shards_a_bucket
            for row in (first, end - 1)
        )
        return range(next(ends), next(ends) + 1)

    def border_ranks(self, number: int) -> Integers:
        """The ranks in a pass of the first sequences of its buckets but the first."""
        split, first, _ = self._rows[number]
        rows = [
            self.first_shard(split, bucket) * self.sequences_per_shard - first
            for bucket in self.buckets_of(number)[1:]
        ]
        return np.array(rows, np.int64)

    def first_sequence(self, number: int, section: int) -> int:
        """The number in a pass of the first sequence of a section."""
        return sum(self.sequences[number][:section])


def lay_out(
    sequences: Sequence[Sequence[int]],
    pieces: int,
    sequences_per_shard: int,
    bucket_pieces: int,
    seeds: Sequence[int],
) -> Layout:
    """Divides the shards of a run into buckets of about so many pieces, of one shard at least.

    Args:
      sequences: of each section, by pass.
      pieces: of all sequences together.
      seeds: of each pass.
    """
    counts = tuple(map(tuple, sequences))
    whole = Layout(sequences_per_shard, counts)
    total = sum(map(whole.count_shards, Split))
    many = Layout(sequences_per_shard, counts, max(1, bucket_pieces * total // max(pieces, 1)))
    borders = (
        tuple(find_draws(sum(counts[number]), seed, many.border_ranks(number)).tolist())
        for number, seed in enumerate(seeds)
    )
    return replace(many, borders=tuple(borders))
