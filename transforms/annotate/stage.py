"""Annotate: documents in, ``attributes/quality`` and ``attributes/fingerprint`` out.

Nothing is shuffled but the names of parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import PBegin, PCollection

from schemas import tables
from schemas.fingerprints import CONTENT_HASH_BYTES, fingerprint_schema
from schemas.quality import QUALITY
from transforms.annotate.quality import measure_quality
from transforms.annotate.signatures import permutation_constants, sign_texts
from transforms.buffers import binary_buffers, utf8_contents
from transforms.parts import Progress, Receipt, Workspace, iterate_row_groups
from transforms.stage import ProcessUnits


@dataclass(frozen=True)
class AnnotateOptions:
    """How documents are signed."""

    permutations: int
    seed: int


@dataclass(frozen=True)
class AnnotatePart:
    """Computes all attributes of one part in one pass over its text."""

    workspace: Workspace
    options: AnnotateOptions

    def __call__(self, unit: str) -> Receipt:
        """Annotates the part whose file has this name without its suffix."""
        name = f"{unit}.parquet"
        documents = self.workspace.committed(tables.DOCUMENTS, name)
        progress = Progress(self.workspace, unit)
        quality = self.workspace.write_table(tables.QUALITY, name, QUALITY)
        schema = fingerprint_schema(self.options.permutations)
        fingerprint = self.workspace.write_table(tables.FINGERPRINT, name, schema)
        with quality, fingerprint, progress:
            for batch in iterate_row_groups(documents, ["content", "encoding", "sha256", "size"]):
                texts = utf8_contents(batch["content"], batch["encoding"])
                quality.write(measure_quality(texts))
                fingerprint.write(fingerprint_texts(texts, batch["sha256"], self.options))
                progress.add(documents=len(batch), bytes=pc.sum(batch["size"]).as_py())
        files = {tables.QUALITY: (quality.entry,), tables.FINGERPRINT: (fingerprint.entry,)}
        return Receipt(files=files)


def fingerprint_texts(
    texts: pa.LargeBinaryArray, sha256: pa.StringArray, options: AnnotateOptions
) -> pa.RecordBatch:
    """The fingerprints of UTF-8 texts whose stored bytes have these hashes."""
    constants = permutation_constants(options.permutations, options.seed)
    signatures, shingles = sign_texts(*binary_buffers(texts), *constants)
    hashes = [bytes.fromhex(value.as_py())[:CONTENT_HASH_BYTES] for value in sha256]
    schema = fingerprint_schema(options.permutations)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(hashes, schema.field("content_hash").type),
            pa.FixedSizeListArray.from_arrays(
                pa.array(signatures.reshape(-1)), type=schema.field("signature").type
            ),
            pa.array(shingles),
        ],
        schema=schema,
    )


@dataclass
class AnnotateDocuments(beam.PTransform[Any, Any]):
    """Annotates every part of a run's documents."""

    workspace: Workspace
    parts: Sequence[str]
    options: AnnotateOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished parts out."""
        units = [Path(part).stem for part in self.parts]
        work = AnnotatePart(self.workspace, self.options)
        finished: PCollection[str] = begin | ProcessUnits(units, work)
        return finished
