"""Contents that a part has more than once: what is learned of one holds for the others.

Releases of one project share most of their files. A kernel then needs to read each
content once for each language and encoding; the rows that it gives are kept for as long
as the content comes again, up to a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.culprits import naming_culprit
from transforms.parts import iterate_row_groups, read_part, read_row

MAX_KEPT = 50_000
"""Rows that are kept, of about a kilobyte; contents beyond are read again."""

KEY_COLUMNS = ["sha256", "encoding", "language"]
"""What decides the text of a document, and how it is read."""

Rows = npt.NDArray[np.int64]


class RecurringContents:
    """Says which rows of a part need work, and completes the result for the others.

    The part's row groups must come in order, each by `fresh` and then `complete`.
    """

    def __init__(self, keys: pa.Table, max_kept: int = MAX_KEPT) -> None:
        joined = pc.binary_join_element_wise(
            *(pc.fill_null(keys[name], "") for name in KEY_COLUMNS), " "
        )
        encoded = joined.combine_chunks().dictionary_encode()
        self._content: Rows = encoded.indices.to_numpy().astype(np.int64)
        kinds = len(encoded.dictionary)
        self._last = np.full(kinds, -1, dtype=np.int64)
        np.maximum.at(self._last, self._content, np.arange(self._content.size))
        self._slot = np.full(kinds, -1, dtype=np.int64)
        self._kept: dict[str, pa.Table] = {}
        self._held: Rows = np.zeros(0, dtype=np.int64)
        self._max_kept = max_kept
        self._first = 0

    def fresh(self, count: int) -> Rows:
        """The places in the next ``count`` rows, ascending, that need work."""
        contents = self._content[self._first : self._first + count]
        _, first = np.unique(contents, return_index=True)
        return np.sort(first[self._slot[contents[first]] < 0]).astype(np.int64)

    def complete(
        self, count: int, fresh: Rows, computed: Mapping[str, pa.RecordBatch]
    ) -> dict[str, pa.RecordBatch]:
        """The rows of each table for these ``count`` rows, from those of the fresh ones."""
        contents = self._content[self._first : self._first + count]
        held = np.concatenate((self._held, contents[fresh]))
        self._slot[held] = np.arange(held.size)
        places = pa.array(self._slot[contents])
        self._first += count
        wanted = np.flatnonzero(self._last[held] >= self._first)[-self._max_kept :]
        completed: dict[str, pa.RecordBatch] = {}
        for name, batch in computed.items():
            known = self._kept.get(name, batch.schema.empty_table())
            table = pa.concat_tables([known, pa.Table.from_batches([batch])])
            (completed[name],) = _one_batch(table.take(places))
            self._kept[name] = table.take(pa.array(wanted))
        self._slot[held] = -1
        self._held = held[wanted]
        self._slot[self._held] = np.arange(wanted.size)
        return completed


def learn_once(
    documents: Path,
    columns: Sequence[str],
    learn: Callable[[pa.RecordBatch], Mapping[str, pa.RecordBatch]],
) -> Iterator[tuple[pa.RecordBatch, dict[str, pa.RecordBatch]]]:
    """Each row group of a part of documents with its rows of each table that ``learn`` makes.

    ``columns`` are those to read, `KEY_COLUMNS` among them; ``learn`` is called with the
    rows of contents that are new, and gives a row of each of its tables for each of them.
    """
    contents = RecurringContents(read_part(documents, KEY_COLUMNS))
    first = 0
    for batch in iterate_row_groups(documents, list(columns)):
        fresh = contents.fresh(len(batch))
        rows = batch.take(pa.array(fresh))

        def attempt(number: int, rows: pa.RecordBatch = rows) -> object:
            return learn(rows.slice(number, 1))

        def name(number: int, places: Rows = fresh + first) -> str:
            return document_name(documents, int(places[number]))

        with naming_culprit(len(rows), attempt, name):
            learned = learn(rows)
        yield batch, contents.complete(len(batch), fresh, learned)
        first += len(batch)


def document_name(documents: Path, row: int) -> str:
    """The repository and path of a document of a part, as `repomill why` takes them."""
    found = read_row(documents, row, ["repository", "path"])
    return f"{found['repository']}:{found['path']}"


def _one_batch(table: pa.Table) -> list[pa.RecordBatch]:
    batches: list[pa.RecordBatch] = table.combine_chunks().to_batches()
    return batches or [pa.RecordBatch.from_pylist([], schema=table.schema)]
