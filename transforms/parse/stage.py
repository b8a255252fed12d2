"""Parse: documents in, ``attributes/syntax`` and ``attributes/redundancy`` out.

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
from schemas.redundancy import CHARACTERS_PER_TOKEN, REDUNDANCY
from schemas.syntax import SYNTAX
from transforms.parse.redundancy import measure_redundancy
from transforms.parse.syntax import measure_syntax
from transforms.parts import Progress, Receipt, Workspace, iterate_row_groups
from transforms.recurrence import KEY_COLUMNS, learn_once
from transforms.stage import ProcessUnits
from transforms.stores.store import local_path
from transforms.texts import document_texts
from transforms.tokenizers.engines import Engine
from transforms.tokenizers.loading import Sample, load_engine

_COLUMNS = ["content", *KEY_COLUMNS, "size"]

SCHEMAS = {tables.SYNTAX: SYNTAX, tables.REDUNDANCY: REDUNDANCY}
LANGUAGE = "python"
"""Documents of other languages have no syntax. Notebooks are not asked: cells hold commands
too."""

_NOWHERE = pa.scalar(None, pa.int64())

_Found = dict[str, pa.RecordBatch]


@dataclass(frozen=True)
class ParseOptions:
    """The columns of the two tables that rules ask for.

    ``tokenizer`` is the path of the ``tokenizer.json`` by which text is measured.
    """

    wanted: tuple[str, ...]
    tokenizer: str = ""

    @property
    def wants_tokens(self) -> bool:
        """Whether texts are tokenized."""
        return CHARACTERS_PER_TOKEN in self.wanted


@dataclass(frozen=True)
class ParsePart:
    """Measures what rules ask for of each document of a part, each distinct content once.

    ``sample`` is where the run's text is that engines are compared on.
    """

    workspace: Workspace
    options: ParseOptions
    sample: Sample = Sample()  # noqa: RUF009  frozen, and holds no list

    def __call__(self, unit: str) -> Receipt:
        """Parses the part whose file has this name without its suffix."""
        name = f"{unit}.parquet"
        documents = self.workspace.committed(tables.DOCUMENTS, name)
        with (
            self.workspace.write_tables(name, SCHEMAS) as writers,
            Progress(self.workspace, unit) as progress,
        ):
            for batch, found in self._measured(documents):
                for table, rows in found.items():
                    writers[table].write(rows)
                progress.add(documents=len(batch), bytes=pc.sum(batch["size"]).as_py())
        return Receipt.of(writers)

    def _measured(self, documents: Path) -> Iterator[tuple[pa.RecordBatch, _Found]]:
        options = self.options
        if not options.wanted:
            for batch in iterate_row_groups(documents, ["size"]):
                rows = {table: null_rows(schema, len(batch)) for table, schema in SCHEMAS.items()}
                yield batch, rows
            return
        engine = self._engine() if options.wants_tokens else None
        yield from learn_once(
            documents, _COLUMNS, lambda fresh: measure_documents(fresh, options.wanted, engine)
        )

    def _engine(self) -> Engine:
        return load_engine(local_path(self.options.tokenizer).read_text("utf-8"), self.sample)


def null_rows(schema: pa.Schema, rows: int) -> pa.RecordBatch:
    """So many rows of which nothing is known."""
    return pa.RecordBatch.from_arrays(
        [pa.nulls(rows, field.type) for field in schema], schema=schema
    )


def measure_documents(
    documents: pa.RecordBatch, wanted: Sequence[str], engine: Engine | None
) -> _Found:
    """What is wanted of some documents, by table; their syntax null but in `LANGUAGE`."""
    languages = documents["language"]
    texts = document_texts(documents["content"], documents["encoding"], languages)
    return {
        tables.SYNTAX: _measure_python(texts, languages, wanted),
        tables.REDUNDANCY: measure_redundancy(texts, wanted, engine),
    }


def _measure_python(
    texts: pa.LargeBinaryArray, languages: pa.Array, wanted: Sequence[str]
) -> pa.RecordBatch:
    asked = [name for name in SYNTAX.names if name in wanted]
    if not asked:
        return null_rows(SYNTAX, len(texts))
    is_python = pc.fill_null(pc.equal(languages, LANGUAGE), fill_value=False)
    rows = np.flatnonzero(is_python.to_numpy(zero_copy_only=False))
    places = np.zeros(len(texts), np.int64)
    places[rows] = np.arange(rows.size)
    measured = measure_syntax(texts.take(pa.array(rows)), asked)
    return measured.take(pc.if_else(is_python, pa.array(places), _NOWHERE))


@dataclass
class ParseDocuments(beam.PTransform[Any, Any]):
    """Measures what rules ask for of every document of a run."""

    workspace: Workspace
    parts: Sequence[str]
    options: ParseOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished parts out."""
        units = [Path(part).stem for part in self.parts]
        work = ParsePart(self.workspace, self.options, self.sample())
        finished: PCollection[str] = begin | ProcessUnits(units, work)
        return finished

    def sample(self) -> Sample:
        """Where text to compare engines on is, if texts are tokenized at all."""
        return Sample.find(self.workspace, self.parts) if self.options.wants_tokens else Sample()
