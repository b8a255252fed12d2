"""Tokenize: selected documents, their secrets and the run's tokenizer in; ``tokens`` and
``reading_order`` out.

Nothing is shuffled but the names of parts. Each worker compares the fast engine with
the reference on the beginning of the run's own text before it uses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import PBegin, PCollection

from schemas import tables
from schemas import tokens as tokens_table
from transforms.culprits import naming_culprit
from transforms.hashes import content_keys
from transforms.parts import Progress, Receipt, Workspace
from transforms.selected import Selected, iterate_selected
from transforms.stage import ProcessUnits
from transforms.tokenize.encoding import (
    Encoded,
    EncodingOptions,
    RunTokenizer,
    encode_documents,
    load_run_tokenizer,
)
from transforms.tokenize.order import Order, ReadingOrder
from transforms.tokenizers.loading import Sample

ARROW_BATCH_BYTES = 1 << 20
COLUMNS = ["sha256", "repository", "revision", "path"]


@dataclass(frozen=True)
class TokenizeOptions:
    """Which secrets are redacted, what is made of texts, and in which order they are read."""

    redact: tuple[str, ...] = ()
    encoding: EncodingOptions = EncodingOptions()  # noqa: RUF009  frozen, and holds no list
    order: Order = Order.PATH


@dataclass(frozen=True)
class TokenizePart:
    """Tokenizes the selected documents of one part.

    ``tokenizer`` is the digest of the run's tokenizer, ``sample`` where text to
    compare engines on is.
    """

    workspace: Workspace
    options: TokenizeOptions
    tokenizer: str
    sample: Sample

    def __call__(self, unit: str) -> Receipt:
        """Tokenizes the part whose file has this name without its suffix."""
        part = f"{unit}.parquet"
        tokenizer = load_run_tokenizer(self.workspace, self.tokenizer, self.sample)
        schema = tokens_table.schema(tokens_table.token_type(tokenizer.vocabulary))
        order = ReadingOrder(self.options.order)
        counts: Counter[str] = Counter({f"parts.{tokenizer.engine.name}": 1})
        writer = self.workspace.write_table(
            tables.TOKENS, f"{unit}.arrow", schema, row_group_bytes=ARROW_BATCH_BYTES
        )
        with writer, Progress(self.workspace, unit) as progress:
            for selected in iterate_selected(self.workspace, part, self.options.redact, COLUMNS):
                keys = content_keys(selected.rows["sha256"])
                encoded = self._encode(selected, keys, tokenizer)
                writer.write(token_rows(selected.documents, keys, encoded, schema))
                order.add(selected)
                counts.update(count_tokens(selected, encoded))
                progress.add(documents=keys.size, bytes=selected.texts.nbytes)
        ranks = self.workspace.write_table(tables.READING_ORDER, part, tokens_table.READING_ORDER)
        with ranks:
            columns = [pa.array(order.ranks())]
            ranks.write(pa.RecordBatch.from_arrays(columns, schema=tokens_table.READING_ORDER))
        return Receipt.of({tables.TOKENS: writer, tables.READING_ORDER: ranks}, counts)

    def _encode(
        self, selected: Selected, keys: npt.NDArray[np.uint64], tokenizer: RunTokenizer
    ) -> Encoded:
        encoding = self.options.encoding

        def attempt(number: int) -> object:
            one = slice(number, number + 1)
            return encode_documents(selected.only(number), keys[one], tokenizer, encoding)

        def name(number: int) -> str:
            repository, path = (selected.rows[name][number] for name in ("repository", "path"))
            return f"{repository}:{path}"

        with naming_culprit(keys.size, attempt, name):
            return encode_documents(selected, keys, tokenizer, encoding)


def token_rows(
    documents: np.ndarray[tuple[int], np.dtype[np.uint64]],
    keys: np.ndarray[tuple[int], np.dtype[np.uint64]],
    encoded: Encoded,
    schema: pa.Schema,
) -> pa.RecordBatch:
    """Rows of the tokens table for documents with some ids and keys."""
    kind = schema.field("input_ids").type
    values = pa.array(encoded.documents.ids.astype(str(kind.value_type)))
    offsets = pa.array(encoded.documents.offsets)
    listed = pa.LargeListArray.from_arrays(offsets, values, type=kind)
    return pa.RecordBatch.from_arrays([pa.array(documents), pa.array(keys), listed], schema=schema)


def count_tokens(selected: Selected, encoded: Encoded) -> Counter[str]:
    """What the statistics of the table say of some documents, by language where it differs."""
    counts = Counter(
        {
            "documents": encoded.text_tokens.size,
            "bytes": pc.sum(pc.binary_length(selected.texts)).as_py(),
            "tokens": encoded.documents.ids.size,
            "text_tokens": int(encoded.text_tokens.sum()),
            "text_tokens_without_runs": encoded.without_runs,
            **{f"redacted.{name}": count for name, count in selected.redacted.items()},
        }
    )
    languages = selected.rows["language"].dictionary_encode()
    characters = pc.utf8_length(selected.texts.cast(pa.large_string())).to_numpy()
    codes = languages.indices.to_numpy()
    for code, language in enumerate(languages.dictionary.to_pylist()):
        own = codes == code
        counts[f"text_tokens.{language}"] = int(encoded.text_tokens[own].sum())
        counts[f"characters.{language}"] = int(characters[own].sum())
    return counts


@dataclass
class TokenizeDocuments(beam.PTransform[Any, Any]):
    """Tokenizes the selected documents of a run; ``tokenizer`` is the digest of that table."""

    workspace: Workspace
    parts: Sequence[str]
    tokenizer: str
    options: TokenizeOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished parts out."""
        sample = Sample.find(self.workspace, self.parts)
        work = TokenizePart(self.workspace, self.options, self.tokenizer, sample)
        units = [Path(part).stem for part in self.parts]
        finished: PCollection[str] = begin | ProcessUnits(units, work)
        return finished
