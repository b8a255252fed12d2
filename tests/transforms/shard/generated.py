"""Runs of many documents whose measures are drawn, without any text or tokens of theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas import tables, tokens
from schemas.documents import document_id
from tests.transforms.builders import write_table
from transforms.parts import PartWriter, Workspace
from transforms.shard.measures import NO_GROUP
from transforms.shard.options import Division, ShardOptions
from transforms.shard.plan import MEASURES, Packing
from transforms.shard.reader import PlanReader, measures_file
from transforms.shard.sections import count_pieces
from transforms.shard.split import hash_repository
from transforms.shard.staging import PlanFiles

SEED, CONTEXT = 1, 2048
TOKENS = 3600
"""Of a document, on average: those of one of 11.7 kB."""
SHARED = 0.1
"""So many documents are in the cluster of any other."""


def write_measures(folder: Path, documents: int, parts: int, of_repository: int) -> Workspace:
    """Stages the measures of a run, in whose repositories are so many documents each."""
    workspace = Workspace(run=str(folder), staging=str(folder / "staging"))
    for part in range(parts):
        rng = np.random.default_rng(part)
        count = documents // parts
        owners = np.arange(count) // of_repository
        names = [f"repository-{part}-{number}" for number in range(owners[-1] + 1)]
        _write_repositories(workspace, part, names, np.bincount(owners))
        hashes = np.array([hash_repository(name, SEED) for name in names], np.uint64)
        ids = np.arange(count, dtype=np.uint64) + np.uint64(document_id(part, 0))
        others = rng.integers(0, parts, count) << 32 | rng.integers(0, count, count)
        lengths = rng.exponential(TOKENS, count).astype(np.int64)
        columns = {
            "document": ids,
            "rank": np.arange(count),
            "key": rng.integers(0, 2**64, count, np.uint64),
            "repository_hash": hashes[owners],
            "cluster": np.where(rng.random(count) < SHARED, others.astype(np.uint64), ids),
            "weight": np.ones(count),
            "group": np.full(count, NO_GROUP),
            "chunk": np.zeros(count, np.int64),
            "start": np.cumsum(lengths) - lengths,
            "length": lengths,
        }
        name = measures_file(tables.part_name(part, "arrow"))
        PlanFiles(workspace).write(name, pa.RecordBatch.from_pydict(columns, schema=MEASURES))
    none = pa.RecordBatch.from_pylist([], schema=tokens.schema(pa.uint16()))
    write_table(workspace, tables.TOKENS, 0, none)
    return workspace


def _write_repositories(
    workspace: Workspace, part: int, names: list[str], files: npt.NDArray[np.int64]
) -> None:
    rows = pa.table({"repository": names, "source": ["generated"] * len(names), "files": files})
    with PartWriter(
        workspace.committed(tables.REPOSITORIES, tables.part_name(part)), rows.schema
    ) as writer:
        writer.write(rows.to_batches()[0])


def reader_of(workspace: Workspace, method: str, pieces: int) -> PlanReader:
    """Such a run, of which so many pieces are planned at a time."""
    packing = Packing(CONTEXT, 1 << 12, SEED, end_of_text=0, method=method)
    division = Division(pieces, pieces)
    return PlanReader(workspace, ShardOptions(packing, 0.01, division=division))


def measured_parts(reader: PlanReader) -> list[tuple[str, int]]:
    """The names of the parts of such a run with their pieces."""
    folder = reader.files.path("measures")
    lengths = {
        path.name: reader.files.map(measures_file(path.name))["length"].to_numpy()
        for path in sorted(folder.iterdir())
    }
    return [(name, count_pieces(each, CONTEXT)) for name, each in lengths.items()]
