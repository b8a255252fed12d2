"""Tokenize: documents, their selection and their secrets in, ``tokens`` out.

Nothing is shuffled but the names of parts. Each worker compares the fast engine with
the reference on the beginning of the run's own text before it uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import PBegin, PCollection

from schemas import tables
from schemas import tokens as tokens_table
from schemas.documents import document_id
from transforms.parts import Progress, Receipt, Workspace, iterate_row_groups, read_part
from transforms.redaction import redact_texts
from transforms.stage import ProcessUnits
from transforms.texts import document_texts
from transforms.tokenizers.engines import Engine
from transforms.tokenizers.loading import load_engine, load_tokenizer, read_sample

ARROW_BATCH_BYTES = 1 << 20
TOKENIZER_UNIT = "tokenizer"


@dataclass(frozen=True)
class TokenizePart:
    """Tokenizes the selected documents of one part."""

    workspace: Workspace
    tokenizer: str
    sample: bytes
    redact: tuple[str, ...] = ()

    def __call__(self, unit: str) -> Receipt:
        """Tokenizes the part whose file has this name without its suffix."""
        if unit == TOKENIZER_UNIT:
            return self._write_tokenizer()
        source = f"{unit}.parquet"
        part = tables.part_number(unit)
        rule = read_part(self.workspace.committed(tables.SELECTION, source))["rule"]
        selected = rule.is_null().to_numpy()
        spans = self._spans(source)
        token = tokens_table.token_type(load_tokenizer(self.tokenizer).get_vocab_size())
        schema = tokens_table.schema(token)
        engine = load_engine(self.tokenizer, self.sample)
        progress = Progress(self.workspace, unit)
        counts = {"documents": 0, "bytes": 0, "tokens": 0, f"parts.{engine.name}": 1}
        counts |= {f"redacted.{name}": 0 for name in self.redact}
        writer = self.workspace.write_table(
            tables.TOKENS, f"{unit}.arrow", schema, row_group_bytes=ARROW_BATCH_BYTES
        )
        with writer, progress:
            first = 0
            documents = self.workspace.committed(tables.DOCUMENTS, source)
            for batch in iterate_row_groups(documents, ["content", "encoding", "language"]):
                rows = np.flatnonzero(selected[first : first + len(batch)])
                if rows.size:
                    chosen = batch.take(pa.array(rows))
                    columns = chosen["content"], chosen["encoding"], chosen["language"]
                    texts = document_texts(*columns)
                    if spans is not None:
                        of_rows = spans.take(pa.array(rows + first))
                        texts, redacted = redact_texts(texts, of_rows, self.redact)
                        for name, count in redacted.items():
                            counts[f"redacted.{name}"] += count
                    ids = document_id(part, first) + rows.astype(np.uint64)
                    encoded = encode_texts(engine, texts, pa.array(ids), schema)
                    writer.write(encoded)
                    counts["documents"] += rows.size
                    counts["bytes"] += pc.sum(pc.binary_length(texts)).as_py()
                    counts["tokens"] += len(encoded["input_ids"].values)
                    progress.add(documents=rows.size, bytes=texts.nbytes)
                first += len(batch)
        return Receipt.of({tables.TOKENS: writer}, counts)

    def _spans(self, source: str) -> pa.ListArray | None:
        """The spans of secrets of a part; None where none are to be redacted."""
        if not self.redact:
            return None
        secrets = self.workspace.committed(tables.SECRETS, source)
        return read_part(secrets, ["spans"])["spans"].combine_chunks()

    def _write_tokenizer(self) -> Receipt:
        data = load_tokenizer(self.tokenizer).to_str().encode()
        entry = self.workspace.write_file(tables.TOKENS, tokens_table.TOKENIZER_FILE, data)
        return Receipt(files={tables.TOKENS: (entry,)})


def encode_texts(
    engine: Engine, texts: pa.LargeBinaryArray, ids: pa.UInt64Array, schema: pa.Schema
) -> pa.RecordBatch:
    """Rows of the tokens table for UTF-8 texts and the ids of their documents."""
    tokens, offsets = engine.encode(texts)
    kind = schema.field("input_ids").type
    values = pa.array(tokens.astype(str(kind.value_type)))
    listed = pa.LargeListArray.from_arrays(pa.array(offsets), values, type=kind)
    return pa.RecordBatch.from_arrays([ids, listed], schema=schema)


@dataclass
class TokenizeDocuments(beam.PTransform[Any, Any]):
    """Tokenizes the selected documents of a run, without secrets of the classes to redact."""

    workspace: Workspace
    parts: Sequence[str]
    tokenizer: str
    redact: tuple[str, ...] = ()

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished parts out."""
        units = [*(Path(part).stem for part in self.parts), TOKENIZER_UNIT]
        sample = read_sample(self.workspace, self.parts)
        work = TokenizePart(self.workspace, self.tokenizer, sample, self.redact)
        finished: PCollection[str] = begin | ProcessUnits(units, work)
        return finished
