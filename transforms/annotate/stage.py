"""Annotate: documents in; attributes quality, fingerprint, contamination and secrets out.

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
from schemas.contamination import CONTAMINATION
from schemas.fingerprints import fingerprint_schema
from schemas.quality import QUALITY
from schemas.secrets import SECRETS
from transforms.annotate.contamination.index import BenchmarkIndex
from transforms.annotate.contamination.matching import find_contamination
from transforms.annotate.fingerprints import FingerprintOptions, fingerprint_texts
from transforms.annotate.quality import add_evidence_of_names, measure_texts
from transforms.annotate.secrets.finding import find_secrets
from transforms.buffers import binary_buffers
from transforms.parts import Progress, Receipt, Workspace
from transforms.recurrence import KEY_COLUMNS, learn_once
from transforms.shingles import hash_words
from transforms.stage import ProcessUnits
from transforms.texts import document_texts

_COLUMNS = ["path", "content", *KEY_COLUMNS, "size"]


@dataclass(frozen=True)
class AnnotateOptions:
    """How documents are signed, and what they are compared with.

    ``normalized`` asks for hashes of the text without comments and blank space, too;
    ``benchmarks`` is the path of a `BenchmarkIndex`, empty where there are no benchmarks.
    """

    permutations: int
    seed: int
    normalized: bool = False
    benchmarks: str = ""

    @property
    def fingerprints(self) -> FingerprintOptions:
        """Those that fingerprints depend on."""
        return FingerprintOptions(self.permutations, self.seed, self.normalized)


@dataclass(frozen=True)
class AnnotatePart:
    """Computes all attributes of one part in one pass, each distinct content once."""

    workspace: Workspace
    options: AnnotateOptions

    def __call__(self, unit: str) -> Receipt:
        """Annotates the part whose file has this name without its suffix."""
        name = f"{unit}.parquet"
        documents = self.workspace.committed(tables.DOCUMENTS, name)
        index = BenchmarkIndex.load(self.options.benchmarks)
        schemas = {
            tables.QUALITY: QUALITY,
            tables.FINGERPRINT: fingerprint_schema(self.options.permutations),
            tables.CONTAMINATION: CONTAMINATION,
            tables.SECRETS: SECRETS,
        }

        def learn_new(fresh: pa.RecordBatch) -> dict[str, pa.RecordBatch]:
            return learn(fresh, self.options.fingerprints, index)

        with (
            self.workspace.write_tables(name, schemas) as writers,
            Progress(self.workspace, unit) as progress,
        ):
            for batch, found in learn_once(documents, _COLUMNS, learn_new):
                found[tables.QUALITY] = add_evidence_of_names(found[tables.QUALITY], batch["path"])
                for table, rows in found.items():
                    writers[table].write(rows)
                progress.add(documents=len(batch), bytes=pc.sum(batch["size"]).as_py())
        return Receipt.of(writers)


def learn(
    documents: pa.RecordBatch, signing: FingerprintOptions, index: BenchmarkIndex | None
) -> dict[str, pa.RecordBatch]:
    """What the texts of some documents say, whatever they are called, by table."""
    languages = documents["language"]
    texts = document_texts(documents["content"], documents["encoding"], languages)
    words = hash_words(*binary_buffers(texts))
    sha256 = documents["sha256"]
    return {
        tables.QUALITY: measure_texts(texts, languages),
        tables.FINGERPRINT: fingerprint_texts(texts, sha256, languages, signing, words),
        tables.CONTAMINATION: find_contamination(texts, index, words),
        tables.SECRETS: find_secrets(texts),
    }


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
