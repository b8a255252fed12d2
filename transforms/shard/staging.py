"""What the steps of planning leave for one another: files of the staging folder.

They hold numbers of documents and repositories; only their names travel between workers. A
file is there whole or not at all, and one that is written twice has the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.parts import Workspace, map_stream
from transforms.stores.files import writing_to

_FOLDER = "plan"


@dataclass(frozen=True)
class PlanFiles:
    """Named batches and values in the staging folder of a run."""

    workspace: Workspace

    def path(self, name: str) -> Path:
        """The file of this name, to be read while the path is held."""
        return self.workspace.staged(_FOLDER, name)

    def write(self, name: str, rows: pa.RecordBatch | pa.Table) -> bytes:
        """Writes rows as an Arrow IPC stream, whose bytes it gives."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write(rows)
        data = bytes(sink.getvalue())
        self.workspace.files.write(f"{_FOLDER}/{name}", data, durable=False)
        return data

    def write_batches(
        self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
    ) -> None:
        """Writes batches as they come, so that none but the last is in memory."""
        place = self.workspace.output(_FOLDER, name)
        with (
            writing_to(place, durable=False) as file,
            pa.ipc.new_stream(file, schema) as writer,
        ):
            for batch in batches:
                writer.write_batch(batch)

    def write_columns(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Writes arrays of one length by name."""
        self.write(name, pa.RecordBatch.from_pydict(dict(columns)))

    def map(self, name: str) -> pa.Table:
        """A table of which only what is touched is read."""
        return map_stream(self.path(name))

    def write_values(self, name: str, values: object) -> None:
        """Writes a few numbers and names."""
        self.workspace.files.write(f"{_FOLDER}/{name}", json.dumps(values).encode(), durable=False)

    def read_values(self, name: str) -> Any:
        """What `write_values` wrote."""
        return json.loads(self.path(name).read_bytes())


def join_columns(tables: Sequence[pa.Table], column: str) -> npt.NDArray[Any]:
    """A column of all of some tables, of which there is one at least."""
    return np.concatenate([table[column].to_numpy() for table in tables])
