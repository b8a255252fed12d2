"""Parse: documents in, ``attributes/syntax`` out.

Nothing is shuffled but the names of parts. What no rule asks for is not computed; where
none asks for anything, not even the text is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import PBegin, PCollection

from schemas import tables
from schemas.syntax import SYNTAX
from transforms.parse.syntax import measure_syntax
from transforms.parts import Progress, Receipt, Workspace, iterate_row_groups, read_part
from transforms.recurrence import KEY_COLUMNS, RecurringContents
from transforms.stage import ProcessUnits
from transforms.texts import document_texts

_COLUMNS = ["content", *KEY_COLUMNS, "size"]

LANGUAGE = "python"
"""Documents of other languages have nulls. Notebooks are not asked: cells hold commands too."""


@dataclass(frozen=True)
class ParseOptions:
    """The columns of `schemas.syntax` that rules ask for."""

    wanted: tuple[str, ...]


@dataclass(frozen=True)
class ParsePart:
    """Measures the syntax of each document of a part, each distinct content once."""

    workspace: Workspace
    options: ParseOptions

    def __call__(self, unit: str) -> Receipt:
        """Parses the part whose file has this name without its suffix."""
        name = f"{unit}.parquet"
        documents = self.workspace.committed(tables.DOCUMENTS, name)
        writer = self.workspace.write_table(tables.SYNTAX, name, SYNTAX)
        with writer, Progress(self.workspace, unit) as progress:
            for batch, found in self._measured(documents):
                writer.write(found)
                progress.add(documents=len(batch), bytes=pc.sum(batch["size"]).as_py())
        return Receipt(files={tables.SYNTAX: (writer.entry,)})

    def _measured(self, documents: Path) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
        if not self.options.wanted:
            for batch in iterate_row_groups(documents, ["size"]):
                yield batch, null_rows(len(batch))
            return
        contents = RecurringContents(read_part(documents, KEY_COLUMNS))
        for batch in iterate_row_groups(documents, _COLUMNS):
            fresh = contents.fresh(len(batch))
            rows = measure_documents(batch.take(pa.array(fresh)), self.options.wanted)
            yield batch, contents.complete(len(batch), fresh, {tables.SYNTAX: rows})[tables.SYNTAX]


def null_rows(rows: int) -> pa.RecordBatch:
    """So many rows of which nothing is known."""
    return pa.RecordBatch.from_arrays(
        [pa.nulls(rows, field.type) for field in SYNTAX], schema=SYNTAX
    )


def measure_documents(documents: pa.RecordBatch, wanted: Sequence[str]) -> pa.RecordBatch:
    """The rows of some documents, null for those that are in another language."""
    is_python = pc.fill_null(pc.equal(documents["language"], LANGUAGE), fill_value=False)
    rows = np.flatnonzero(is_python.to_numpy(zero_copy_only=False))
    chosen = documents.take(pa.array(rows))
    texts = document_texts(*(chosen[name] for name in ("content", "encoding", "language")))
    places = np.zeros(len(documents), np.int64)
    places[rows] = np.arange(rows.size)
    measured = measure_syntax(texts, wanted)
    return measured.take(pc.if_else(is_python, pa.array(places), pa.scalar(None, pa.int64())))


@dataclass
class ParseDocuments(beam.PTransform[Any, Any]):
    """Measures the syntax of every document of a run."""

    workspace: Workspace
    parts: Sequence[str]
    options: ParseOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished parts out."""
        units = [Path(part).stem for part in self.parts]
        work = ParsePart(self.workspace, self.options)
        finished: PCollection[str] = begin | ProcessUnits(units, work)
        return finished
