"""Batches of shards in an order that follows from the seed and the step alone.

The rows of a split are put in a new order each epoch, and the epochs follow one another
without a gap: step s of a job takes the s-th ``batch_size`` rows of that endless list, and
each rank its slice of them. So the order is the same for any number of ranks and workers,
an epoch has every row once, and any step can be had at once, without those before it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.train.mapped import Columns, Shard, ShardsError, find_files
from pipeline.train.order import Rows, permute
from schemas.shards import Split

_PLACES_PER_BLOCK = 8192
"""So many places of the order are computed at once, in a millisecond or two."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Some sequences. The arrays are the caller's own, to write to.

    ``input_ids`` uint16 or uint32[sequences, context_length]; ``lengths`` int32[sequences],
    how many of the ids of a sequence are no padding; ``rows`` int64[sequences], their numbers,
    counted over all shards of the split.
    """

    input_ids: npt.NDArray[np.unsignedinteger]
    lengths: npt.NDArray[np.int32]
    rows: Rows


@dataclass(frozen=True, eq=False)
class DocumentStarts:
    """Where in some sequences a document, or the rest of one, begins.

    Those of sequence i are ``starts[offsets[i]:offsets[i + 1]]``, ascending.
    ``starts`` int32[pieces], ``offsets`` int64[sequences + 1].
    """

    starts: npt.NDArray[np.int32]
    offsets: Rows


class _Places(NamedTuple):
    """Some rows, with the number of the shard of each and the row inside of it."""

    rows: Rows
    shards: list[int]
    inside: list[int]

    def part(self, first: int, count: int) -> _Places:
        end = first + count
        return _Places(self.rows[first:end], self.shards[first:end], self.inside[first:end])


_NO_STARTS = np.zeros(0, np.int32)
_NO_BLOCK = -1, _Places(np.zeros(0, np.int64), [], [])


class Batches:
    """The batches of a job: ``batches[step]``, or one after another.

    Shards are mapped into memory when they are first read, with one map each (Linux allows a
    process 65,530) and no open file. A pickled copy maps its own. For torch this is a dataset:
    ``DataLoader(batches, batch_size=None, sampler=range(first, last), num_workers=2)``.

    Args:
      shards: the ``shards`` folder of a run, or those of several with the same tokenizer.
      split: ``train`` or ``validation``.
      batch_size: sequences in a step of the whole job, over all ranks.
      seed: decides the order, modulo 2^64.
      rank: which of ``ranks`` equal slices of each step this process takes.
      check: hold each shard against the SHA-256 in its manifest before it is first read.

    Raises:
      ShardsError: a folder has no manifest, a shard is missing or has another size, or the
        split has no rows. What is wrong inside of a shard is found when it is first read.
      ValueError: a number is out of range, or ``batch_size`` is no multiple of ``ranks``.
    """

    def __init__(
        self,
        shards: str | Path | Sequence[str | Path],
        split: Split | str,
        batch_size: int,
        seed: int,
        *,
        rank: int = 0,
        ranks: int = 1,
        check: bool = False,
    ) -> None:
        if batch_size < 1 or ranks < 1 or batch_size % ranks:
            raise ValueError(
                f"batch_size must be a multiple of ranks, got {batch_size} for {ranks} ranks"
            )
        if not 0 <= rank < ranks:
            raise ValueError(f"rank must be in [0, {ranks}), got {rank}")
        folders = [shards] if isinstance(shards, str | Path) else shards
        self._files = find_files([Path(folder) for folder in folders], split)
        counts = np.array([file.entry.rows for file in self._files], dtype=np.int64)
        self._ends = np.cumsum(counts)
        self._firsts = self._ends - counts
        self._batch_size, self._seed, self._check = batch_size, seed, check
        self._share = batch_size // ranks
        self._slice = rank * self._share
        self._opened: dict[int, Shard] = {}
        self._block: tuple[int, _Places] = _NO_BLOCK
        # The first shard of each folder tells early whether the folders go together.
        parents = [file.path.parent for file in self._files]
        firsts = {parents.index(folder) for folder in set(parents)}
        opened = {number: self._files[number].open(check) for number in firsts}
        self._kind = opened[0].kind
        for number, shard in opened.items():
            self._admit(number, shard)

    @property
    def rows(self) -> int:
        """Sequences in an epoch."""
        return int(self._ends[-1])

    @property
    def context_length(self) -> int:
        """Token ids in a sequence."""
        return self._kind[1]

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step: the rank's slice of it."""
        return self._gather(self._places_of(step))

    def __iter__(self) -> Iterator[Batch]:
        """The batches of all steps, without end."""
        return self.from_step(0)

    def from_step(self, step: int) -> Iterator[Batch]:
        """The batches from a step on, without end."""
        while True:
            yield self[step]
            step += 1

    def read(self, rows: Rows) -> Batch:
        """Any rows by their numbers, such as those of an evaluation in order."""
        return self._gather(self._find(rows))

    def document_starts(self, rows: Rows) -> DocumentStarts:
        """Where documents begin in some rows, such as those of a batch."""
        starts = [columns.starts_of(row) for columns, row in self._locate(self._find(rows))]
        offsets = np.array([*accumulate(map(len, starts), initial=0)])
        return DocumentStarts(np.concatenate([_NO_STARTS, *starts]), offsets)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": {}, "_block": _NO_BLOCK}

    def _places_of(self, step: int) -> _Places:
        if step < 0:
            raise IndexError(f"step must be at least 0, got {step}")
        steps = max(1, _PLACES_PER_BLOCK // self._share)
        number, place = divmod(step, steps)
        if self._block[0] != number:
            firsts = np.arange(number * steps, (number + 1) * steps) * self._batch_size
            places = firsts[:, None] + np.arange(self._slice, self._slice + self._share)
            self._block = number, self._find(permute(places.ravel(), self.rows, self._seed))
        return self._block[1].part(place * self._share, self._share)

    def _find(self, rows: Rows) -> _Places:
        if rows.size and not (rows.min() >= 0 and rows.max() < self.rows):
            raise IndexError(f"rows must be in [0, {self.rows}), got {rows.min()} to {rows.max()}")
        shards = np.searchsorted(self._ends, rows, side="right")
        return _Places(rows, shards.tolist(), (rows - self._firsts[shards]).tolist())

    def _gather(self, places: _Places) -> Batch:
        ids = np.empty((len(places.rows), self.context_length), dtype=self._kind[0])
        lengths = []
        for place, (columns, row) in enumerate(self._locate(places)):
            ids[place] = columns.input_ids[row]
            lengths.append(columns.lengths[row])
        return Batch(ids, np.array(lengths, dtype=np.int32), places.rows.copy())

    def _locate(self, places: _Places) -> Iterator[tuple[Columns, int]]:
        for number, row in zip(places.shards, places.inside, strict=True):
            shard = self._opened.get(number) or self._open(number)
            batch = bisect_right(shard.firsts, row) - 1
            yield shard.batches[batch], row - shard.firsts[batch]

    def _open(self, number: int) -> Shard:
        return self._admit(number, self._files[number].open(self._check))

    def _admit(self, number: int, shard: Shard) -> Shard:
        if shard.kind != self._kind:
            files = [self._files[each].path for each in (number, 0)]
            raise ShardsError(
                f"{files[0]} has sequences of {shard.kind[1]} {shard.kind[0]}, {files[1]} "
                f"of {self._kind[1]} {self._kind[0]}; name runs with the same settings"
            )
        self._opened[number] = shard
        return shard
