"""Which documents the shards were made of, and how many of their tokens each one gave.

A row for each document, in the order of documents. The shards are read once for every
million documents, so that memory does not grow with the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import UserError
from pipeline.exports import exporting
from pipeline.runs import Run
from schemas import tables
from schemas.documents import ROW_MASK, document_id
from schemas.documents import SCHEMA as DOCUMENTS
from schemas.manifest import Manifest
from schemas.shards import Split, is_shard
from transforms.parts import iterate_row_groups, map_stream
from transforms.shard.locate import count_pieces

DOCUMENTS_A_PASS = 1 << 20

DOCUMENT_COLUMNS = (
    *("repository", "revision", "path", "sha256"),
    *("license", "license_class", "license_evidence", "license_confidence"),
)
"""What is said of a document, as its own table says it."""

_COUNTS = (
    pa.field("split", pa.string(), nullable=False),
    pa.field("shards", pa.list_(pa.string()), nullable=False),
    pa.field("shard_tokens", pa.list_(pa.int64()), nullable=False),
    pa.field("tokens", pa.int64(), nullable=False),
    pa.field("copies", pa.int64(), nullable=False),
)
SCHEMA = pa.schema([*(DOCUMENTS.field(name) for name in DOCUMENT_COLUMNS), *_COUNTS])


@dataclass(frozen=True)
class LicenseShare:
    """What the documents of one license expression gave."""

    license: str
    documents: int
    tokens: int


@dataclass
class Attribution:
    """What an attribution adds up to.

    ``tokens`` are all in the shards: those of text and one end-of-text for each copy of a
    document, of which there are ``copies``.
    """

    documents: int = 0
    copies: int = 0
    tokens: int = 0
    padding: int = 0
    documents_by_license: Counter[str] = field(default_factory=Counter)
    tokens_by_license: Counter[str] = field(default_factory=Counter)

    def add(self, rows: pa.RecordBatch) -> None:
        """Counts the documents of some rows."""
        for license_, tokens in zip(
            rows["license"].to_pylist(), rows["tokens"].to_pylist(), strict=True
        ):
            name = license_ or "none found"
            self.documents_by_license[name] += 1
            self.tokens_by_license[name] += tokens
            self.documents += 1
            self.tokens += tokens
        self.copies += pc.sum(rows["copies"]).as_py()

    @property
    def licenses(self) -> list[LicenseShare]:
        """The licenses, that of the most tokens first."""
        found = [
            LicenseShare(name, self.documents_by_license[name], tokens)
            for name, tokens in self.tokens_by_license.items()
        ]
        return sorted(found, key=lambda share: (-share.tokens, share.license))

    def to_json(self) -> dict[str, Any]:
        """The sums as plain values."""
        return {
            "documents": self.documents,
            "copies": self.copies,
            "tokens": self.tokens,
            "padding": self.padding,
            "licenses": [asdict(share) for share in self.licenses],
        }


def write_attribution(run: Run, output: Path | str) -> Attribution:
    """Writes a row for each document that has tokens in the shards of a run.

    Raises:
      UserError: the run has no shards, or not of the documents that it holds now.
    """
    shards = _shards_manifest(run)
    attribution = Attribution(padding=_total(shards, "padding"))
    with exporting(output, SCHEMA) as write:
        for parts in _passes(run):
            pieces = _gather_pieces(run, shards, parts)
            for part in parts:
                for rows in _attribute_part(run, part, pieces):
                    attribution.add(rows)
                    write(rows)
        expected = _total(shards, "tokens"), _total(shards, "copies")
        if (attribution.tokens, attribution.copies) != expected:
            raise UserError(
                f"the shards hold {attribution.tokens:,} tokens of {attribution.copies:,} copies "
                f"of documents and their manifest says {expected[0]:,} of {expected[1]:,}: "
                f"`repomill verify {run.name}` says what is damaged"
            )
    return attribution


def _shards_manifest(run: Run) -> Manifest:
    shards, tokens = run.manifest(tables.SHARDS), run.manifest(tables.TOKENS)
    if shards is None:
        raise UserError(f"{run.name} has no shards yet: `repomill run CONFIG` makes them")
    found = run.manifest(tables.DOCUMENTS)
    if (
        tokens is None
        or found is None
        or shards.inputs.get(tables.TOKENS) != tokens.digest
        or tokens.inputs.get(tables.DOCUMENTS) != found.digest
    ):
        raise UserError(
            f"the shards of {run.name} were made of other documents than it holds now: "
            "run the same configuration again, and `repomill status` says what is stale"
        )
    return shards


def _total(shards: Manifest, name: str) -> int:
    return sum(shards.statistics.get(f"{split}.{name}", 0) for split in Split)


def _passes(run: Run) -> Iterator[list[int]]:
    """Numbers of neighboring parts of about a million documents together."""
    manifest = run.manifest(tables.DOCUMENTS)
    parts: list[int] = []
    rows = 0
    for entry in manifest.files if manifest else ():
        if parts and rows + entry.rows > DOCUMENTS_A_PASS:
            yield parts
            parts, rows = [], 0
        parts.append(tables.part_number(entry.name))
        rows += entry.rows
    if parts:
        yield parts


@dataclass(frozen=True)
class _Pieces:
    """Tokens of documents in files of shards, by document and then file, in columns."""

    names: Sequence[str]
    document: npt.NDArray[np.uint64]
    shard: npt.NDArray[np.int32]
    tokens: npt.NDArray[np.int64]
    copies: npt.NDArray[np.int64]

    def of_part(self, part: int) -> _Pieces:
        """Those of the documents of one part."""
        limits = np.array([document_id(part, 0), document_id(part + 1, 0)], np.uint64)
        own = slice(*np.searchsorted(self.document, limits))
        return _Pieces(
            self.names, self.document[own], self.shard[own], self.tokens[own], self.copies[own]
        )


def _gather_pieces(run: Run, shards: Manifest, parts: Sequence[int]) -> _Pieces:
    """What the shards hold of the documents of neighboring parts."""
    names = [entry.name for entry in shards.files if is_shard(entry.name)]
    documents, numbers = [np.zeros(0, np.uint64)], [np.zeros(0, np.int32)]
    tokens, copies = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    first, end = document_id(parts[0], 0), document_id(parts[-1] + 1, 0)
    for number, name in enumerate(names):
        found = count_pieces(map_stream(run.file(tables.SHARDS, name)), first, end)
        documents.append(found.documents)
        numbers.append(np.full(found.documents.size, number, np.int32))
        tokens.append(found.tokens)
        copies.append(found.copies)
    document = np.concatenate(documents)
    order = np.argsort(document, kind="stable")
    return _Pieces(
        names,
        document[order],
        np.concatenate(numbers)[order],
        np.concatenate(tokens)[order],
        np.concatenate(copies)[order],
    )


def _attribute_part(run: Run, part: int, pieces: _Pieces) -> Iterator[pa.RecordBatch]:
    """The rows of the documents of a part that have tokens, in batches."""
    own = pieces.of_part(part)
    rows = (own.document & np.uint64(ROW_MASK)).astype(np.int64)
    path = run.file(tables.DOCUMENTS, tables.part_name(part))
    first = 0
    for group in iterate_row_groups(path, list(DOCUMENT_COLUMNS)):
        begin, end = np.searchsorted(rows, [first, first + len(group)])
        if begin < end:
            yield _join(group, rows[begin:end] - first, own, slice(begin, end))
        first += len(group)


def _join(
    group: pa.RecordBatch, rows: npt.NDArray[np.int64], pieces: _Pieces, own: slice
) -> pa.RecordBatch:
    """Documents of a row group with their counts; ``rows`` has the row of each piece."""
    distinct, starts = np.unique(rows, return_index=True)
    offsets = pa.array(np.append(starts, rows.size).astype(np.int32))
    names = pa.array(pieces.names).take(pa.array(pieces.shard[own]))
    split = [pieces.names[shard].partition("-")[0] for shard in pieces.shard[own][starts]]
    counts: Mapping[str, Any] = {
        "split": pa.array(split),
        "shards": pa.ListArray.from_arrays(offsets, names),
        "shard_tokens": pa.ListArray.from_arrays(offsets, pa.array(pieces.tokens[own])),
        "tokens": pa.array(np.add.reduceat(pieces.tokens[own], starts)),
        "copies": pa.array(np.add.reduceat(pieces.copies[own], starts)),
    }
    said = group.take(pa.array(distinct))
    columns = [said[name] for name in DOCUMENT_COLUMNS]
    columns += [counts[column.name] for column in _COUNTS]
    arrays = [
        column.cast(kind) for column, kind in zip(columns, (f.type for f in SCHEMA), strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
