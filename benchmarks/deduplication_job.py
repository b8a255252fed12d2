"""Only the deduplication of a crawled run: fingerprints, then the stage, on Beam's local runner.

`repomill run` measures everything else about a document in the same pass; this leaves
that out, for comparison with programs that only deduplicate.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa

from benchmarks.harness import own_peak_memory
from pipeline.folder import RunFolder
from runners.direct import pipeline_options
from runners.settings import EngineSettings
from schemas import tables
from schemas.fingerprints import fingerprint_schema
from schemas.manifest import Manifest
from transforms.annotate.fingerprints import FingerprintOptions, fingerprint_texts
from transforms.deduplicate.stage import DeduplicateDocuments, DeduplicateOptions
from transforms.parts import Receipt, Workspace
from transforms.recurrence import KEY_COLUMNS, learn_once
from transforms.stage import ProcessUnits
from transforms.texts import document_texts

WORKERS = 1
_COLUMNS = ["content", *KEY_COLUMNS]


@dataclass(frozen=True)
class FingerprintPart:
    """Writes the fingerprints of one part's documents, and no other attribute."""

    workspace: Workspace
    options: FingerprintOptions

    def __call__(self, unit: str) -> Receipt:
        """Signs the part whose file has this name without its suffix."""
        name = f"{unit}.parquet"
        schema = fingerprint_schema(self.options.permutations)
        documents = self.workspace.committed(tables.DOCUMENTS, name)
        writer = self.workspace.write_table(tables.FINGERPRINT, name, schema)
        with writer:
            for _, found in learn_once(documents, _COLUMNS, self._sign):
                writer.write(found[tables.FINGERPRINT])
        return Receipt.of({tables.FINGERPRINT: writer})

    def _sign(self, documents: pa.RecordBatch) -> dict[str, pa.RecordBatch]:
        languages = documents["language"]
        texts = document_texts(documents["content"], documents["encoding"], languages)
        rows = fingerprint_texts(texts, documents["sha256"], languages, self.options)
        return {tables.FINGERPRINT: rows}


def deduplicate(path: Path) -> None:
    """Fingerprints and deduplicates the documents of a run that has no attributes yet."""
    run = RunFolder(path)
    options = DeduplicateOptions()
    signing = FingerprintOptions(options.permutations, seed=1, normalized=False)
    documents = run.manifest(tables.DOCUMENTS)
    if documents is None:
        raise ValueError(f"{path} has no documents")
    units = [Path(entry.name).stem for entry in documents.files]
    _run_stage(
        run,
        "annotate",
        tables.FINGERPRINT,
        lambda workspace: ProcessUnits(units, FingerprintPart(workspace, signing)),
    )
    _run_stage(
        run,
        "deduplicate",
        tables.DUPLICATES,
        lambda workspace: DeduplicateDocuments(workspace, len(units), options),
    )


def _run_stage(
    run: RunFolder, name: str, table: str, graph: Callable[[Workspace], beam.PTransform[Any, Any]]
) -> None:
    workspace = run.open_staging(name, "deduplication_job")
    options = pipeline_options(EngineSettings(workers=WORKERS))
    with beam.Pipeline(options=options) as pipeline:
        pipeline | name.capitalize() >> graph(workspace)
    files = [receipt.files.get(table, ()) for receipt in workspace.receipts().values()]
    entries = sorted((entry for each in files for entry in each), key=lambda entry: entry.name)
    manifest = Manifest(table, name, "", "", {}, {}, tuple(entries))
    run.publish(name, [manifest])


if __name__ == "__main__":
    deduplicate(Path(sys.argv[1]))
    print(own_peak_memory())
