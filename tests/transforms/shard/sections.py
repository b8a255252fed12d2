"""Sections of documents for tests, and files of the staging folder in memory."""

import json

import numpy as np
import pyarrow as pa

from schemas.shards import Split
from transforms.shard.plan import MEASURES
from transforms.shard.sections import Documents
from transforms.shard.staging import PlanFiles


class FilesInMemory(PlanFiles):
    """Files that are not on a disk."""

    def __init__(self):
        object.__setattr__(self, "held", {})

    def write(self, name, rows):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write(rows)
        self.held[name] = bytes(sink.getvalue())
        return self.held[name]

    def write_batches(self, name, schema, batches):
        self.write(name, pa.Table.from_batches(list(batches), schema))

    def map(self, name):
        return pa.ipc.open_stream(self.held[name]).read_all()

    def write_values(self, name, values):
        self.held[name] = json.dumps(values)

    def read_values(self, name):
        return json.loads(self.held[name])


def measures_of(**columns):
    """Measures with some columns; numbers that are not given are 0, documents counted."""
    count = len(next(iter(columns.values())))
    values = {name: [0] * count for name in MEASURES.names}
    values |= {"document": range(count)} | columns
    arrays = [pa.array(list(values[field.name]), field.type) for field in MEASURES]
    return pa.Table.from_arrays(arrays, schema=MEASURES)


def documents_of(measures, split=Split.TRAIN):
    """All documents of measures, in one split."""
    hashes = np.unique(measures["repository_hash"].to_numpy())
    validates = np.full(hashes.size, split is Split.VALIDATION)
    sides = pa.table({"repository_hash": hashes, "validates": validates})
    return Documents.of_split(measures, sides, split)
