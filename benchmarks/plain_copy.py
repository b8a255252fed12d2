"""A plain copy of a run's documents for programs that want text in columns of strings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.corpus import RUNS, parts
from benchmarks.harness import ROOT
from transforms.buffers import utf8_contents
from transforms.parts import iterate_row_groups

PLAIN = RUNS / ".plain"


def write_plain_copy(run: Path) -> Path:
    """Writes ``id`` (a document's number over all parts) and ``text``, without empty texts."""
    folder = ROOT / PLAIN
    folder.mkdir(exist_ok=True)
    number = 0
    for path in parts(run):
        schema = pa.schema({"id": pa.string(), "text": pa.string()})
        with pq.ParquetWriter(folder / path.name, schema, compression="zstd") as writer:
            for batch in iterate_row_groups(path, ["content", "encoding"]):
                texts = utf8_contents(batch["content"], batch["encoding"])
                ids = pa.array(np.arange(number, number + len(batch)))
                columns = [ids.cast(pa.string()), texts.cast(pa.large_string()).cast(pa.string())]
                has_text = pc.not_equal(pc.binary_length(texts), 0)
                writer.write_table(pa.table(columns, schema=schema).filter(has_text))
                number += len(batch)
    return folder
