"""The n-grams of benchmarks as arrays, which workers read from a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.annotate.contamination.words import Comparison, Integers, Words
from transforms.parts import map_stream
from transforms.shingles import Hashes
from transforms.stores.store import local_path


class Tables(NamedTuple):
    """The arrays of an index. Lists of lists are a flat array and ``*_offsets``.

    ``words`` are those of all texts. ``hashes`` are of n-grams, ascending, ``firsts``
    their first words; ``filter`` has a bit for each value of a hash's top bits. ``tasks``
    are those that an n-gram is evidence for, ``task_ngrams`` how many n-grams are
    evidence for a task. ``text_ngrams`` are the n-grams of texts in their order,
    ``ending_texts`` the texts that end with an n-gram, longest first.
    """

    words: Words
    hashes: Hashes
    firsts: Integers
    filter: npt.NDArray[np.uint8]
    tasks_offsets: Integers
    tasks: Integers
    task_ngrams: Integers
    text_offsets: Integers
    text_ngrams: Integers
    text_tasks: Integers
    ending_offsets: Integers
    ending_texts: Integers


@dataclass(frozen=True, eq=False)
class BenchmarkIndex:
    """Benchmarks, ready for documents to be compared with. Immutable.

    ``names`` has the ``benchmark`` and the ``task`` of each problem, in their order.
    """

    comparison: Comparison
    names: pa.Table
    tables: Tables

    def to_bytes(self) -> bytes:
        """What a file for `load` holds."""
        words, *rest = self.tables
        arrays = {f"words.{name}": array for name, array in zip(Words._fields, words, strict=True)}
        arrays |= dict(zip(Tables._fields[1:], rest, strict=True))
        # One row, whose values are whole arrays.
        columns = {name: _one_list(pa.array(each)) for name, each in arrays.items()}
        for name in self.names.column_names:
            columns[name] = _one_list(self.names[name].combine_chunks())
        table = pa.table(columns)
        table = table.replace_schema_metadata({"comparison": json.dumps(self.comparison)})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return bytes(sink.getvalue())

    @classmethod
    def load(cls, address: str) -> BenchmarkIndex | None:
        """Maps a file of `to_bytes`, so that workers of one machine share its memory.

        No address means no benchmarks, which is None. Raises `DamagedFileError`.
        """
        if not address:
            return None
        table = map_stream(local_path(address))
        columns = {name: table[name].chunk(0).values for name in table.column_names}
        names = pa.table({name: columns.pop(name) for name in ("benchmark", "task")})
        arrays = {name: column.to_numpy() for name, column in columns.items()}
        words = {name: arrays.pop(f"words.{name}") for name in Words._fields}
        comparison = Comparison(*json.loads(table.schema.metadata[b"comparison"]))
        return cls(comparison, names, Tables(words=Words(**words), **arrays))


def _one_list(values: pa.Array) -> pa.LargeListArray:
    return pa.LargeListArray.from_arrays(pa.array([0, len(values)], pa.int64()), values)
