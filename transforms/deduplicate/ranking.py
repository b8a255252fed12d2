"""Ranking the repositories of a corpus by the keep policy, of which a portion is in memory.

What repositories are compared by is sorted in runs of so many bytes. Runs but the last are
files; where there are several, all are cut at the same keys into as many buckets, which are
sorted one after another. Keys to cut at come from evenly spaced samples of the runs, so
that a bucket is little larger than a run (parallel sorting by regular sampling: Shi and
Schaeffer, 1992).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.deduplicate.keep import (
    LICENSE_ORDER,
    NOBODY_REFUSED,
    KeepOrder,
    Numbers,
    Refusals,
)
from transforms.deduplicate.staging import StagedArrays, map_scratch
from transforms.parts import map_stream

COLUMNS = [
    *("repository", "revision", "collection", "files"),
    *("license", "license_class", "stars", "released"),
]

SAMPLES = 1024
"""Of each run, so that a bucket of R runs exceeds a run by R / 1024 of it at most."""

_TABLE_BYTES = 1 << 14
"""What a table takes besides its columns; parts may have few repositories."""

MOST_DOCUMENTS = (1 << 32) - 1

_LAST = np.iinfo(np.int64).max

_KEYS = pa.schema(
    [
        ("refused", pa.bool_()),
        ("license_class", pa.int32()),
        ("stars", pa.int64()),
        ("released", pa.int64()),
        ("repository", pa.large_string()),
        ("revision", pa.large_string()),
        ("collection", pa.large_string()),
        ("part", pa.int32()),
        ("entry", pa.int32()),
    ]
)
"""What repositories are ordered by, the first column first, each ascending."""

_ROWS = pa.schema([*_KEYS, ("row", pa.int64()), ("files", pa.int64())])
"""Where in its part the documents of a repository begin, besides, and how many they are."""


def rank_repositories(
    arrays: StagedArrays,
    parts: Iterable[pa.Table],
    refusals: Refusals = NOBODY_REFUSED,
    capacity: int = 1 << 27,
) -> KeepOrder:
    """Writes the keep order of documents, from the parts of the repositories table in order.

    Documents of a part stand in the order of its repositories, ``files`` of each. In
    memory are a part, and ``capacity`` bytes of what repositories are compared by, about
    200 of each; the order itself lies in files whose pages the system may write back.

    Raises:
      ValueError: there are more documents than places.
    """
    with arrays.scratch() as folder:
        runs = _Runs(folder, capacity)
        for number, part in enumerate(parts):
            runs.add(_preferences(part, number, refusals))
        _arrange(folder, runs).save(arrays)
    return KeepOrder.load(arrays)


def _preferences(part: pa.Table, number: int, refusals: Refusals) -> pa.Table:
    files = part["files"].to_numpy()
    columns = [
        pa.array(refusals.find(part)),
        pc.index_in(part["license_class"], LICENSE_ORDER),
        pc.negate(pc.fill_null(part["stars"], -1)),
        pc.fill_null(part["released"].cast(pa.int64()), _LAST),
        part["repository"],
        part["revision"],
        pc.fill_null(part["collection"], ""),
        np.full(part.num_rows, number, dtype=np.int32),
        np.arange(part.num_rows, dtype=np.int32),
        np.cumsum(files) - files,
        files,
    ]
    return pa.table(columns, names=_ROWS.names).cast(_ROWS)


class _Runs:
    """Ascending runs of repositories, the last of them in memory."""

    def __init__(self, folder: Path, capacity: int) -> None:
        self._folder = folder
        self._capacity = capacity
        self._held: list[pa.Table] = []
        self._held_bytes = 0
        self._spilled: list[pa.Table] = []
        self.sizes = [0]
        self.documents = 0

    def add(self, rows: pa.Table) -> None:
        """Takes the repositories of the next part."""
        self.sizes.append(rows.num_rows)
        self.documents += int(rows["files"].to_numpy().sum())
        if not rows.num_rows:
            return
        self._held.append(rows)
        self._held_bytes += rows.nbytes + _TABLE_BYTES
        if self._held_bytes >= self._capacity:
            self._spill()

    def _spill(self) -> None:
        path = self._folder / f"run-{len(self._spilled)}"
        rows = _sort(self._held)
        with pa.ipc.new_stream(path, _ROWS) as writer:
            writer.write_table(rows.combine_chunks())
        self._spilled.append(map_stream(path))
        self._held, self._held_bytes = [], 0

    def buckets(self) -> Iterator[pa.Table]:
        """All repositories in order, a bucket at a time."""
        last = _sort(self._held)
        if not self._spilled:
            yield last
            return
        runs = [*self._spilled, last]
        stride = max(run.num_rows for run in runs) // SAMPLES + 1
        samples = _sort([run.take(np.arange(0, run.num_rows, stride)) for run in runs])
        chosen = np.arange(1, len(runs)) * samples.num_rows // len(runs)
        starts = [0] * len(runs)
        for splitter in [_key(samples, place) for place in chosen.tolist()]:
            ends = [_find(run, splitter) for run in runs]
            yield _sort(_slice(runs, starts, ends))
            starts = ends
        yield _sort(_slice(runs, starts, [run.num_rows for run in runs]))


def _slice(runs: list[pa.Table], starts: list[int], ends: list[int]) -> list[pa.Table]:
    return [
        run.slice(start, end - start) for run, start, end in zip(runs, starts, ends, strict=True)
    ]


def _sort(tables: list[pa.Table]) -> pa.Table:
    rows = pa.concat_tables([_ROWS.empty_table(), *tables]).combine_chunks()
    return rows.take(pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in _KEYS.names]))


def _key(rows: pa.Table, place: int) -> tuple[Any, ...]:
    """What orders a repository; text compares by code points, as its bytes in Arrow do."""
    return tuple(rows[name][place].as_py() for name in _KEYS.names)


def _find(rows: pa.Table, key: tuple[Any, ...]) -> int:
    return bisect_left(range(rows.num_rows), key, key=lambda place: _key(rows, place))


def _arrange(folder: Path, runs: _Runs) -> KeepOrder:
    """The order, in scratch files."""
    if runs.documents > MOST_DOCUMENTS:
        raise ValueError(f"{runs.documents:,} documents are more than a run can deduplicate (2^32)")
    first = np.cumsum(runs.sizes)
    size = int(first[-1])
    starts, part, row, entry, numbers = (
        map_scratch(folder / name, np.int64, size + (name == "starts"))
        for name in ("starts", "part", "row", "entry", "numbers")
    )
    begin = 0
    for rows in runs.buckets():
        end = begin + rows.num_rows
        part[begin:end] = own = rows["part"].to_numpy()
        row[begin:end], entry[begin:end] = rows["row"].to_numpy(), rows["entry"].to_numpy()
        starts[begin + 1 : end + 1] = np.cumsum(rows["files"].to_numpy()) + starts[begin]
        _scatter(numbers, first[own] + rows["entry"].to_numpy(), begin)
        begin = end
    return KeepOrder(starts, part, row, entry, numbers, first)


def _scatter(numbers: Numbers, places: npt.NDArray[np.int64], begin: int) -> None:
    # In the order of the file.
    order = np.argsort(places)
    numbers[places[order]] = begin + order
