"""Shard: tokens in, ``shards`` out.

Shuffled are the measures of documents (40 bytes each). Tokens are not: the writer of a
shard gathers them from memory maps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection

import transforms.coders  # noqa: F401  registers the coder of record batches
from schemas import shards, tables
from schemas.documents import ROW_MASK
from schemas.tokens import TOKENIZER_FILE
from transforms.parts import Progress, Receipt, Workspace, map_stream, read_part, write_whole
from transforms.shard.packing import count_sequences, stream_ends
from transforms.shard.plan import MEASURES, Packing, SplitReader, measure_tokens
from transforms.shard.split import choose_validation, hash_repository
from transforms.stage import do_unit

_PLAN = "plan"
_TOKENIZER_UNIT = "tokenizer"


@dataclass(frozen=True)
class ShardOptions:
    """How documents are split, packed and shuffled."""

    packing: Packing
    validation_fraction: float


@dataclass
class _Step(beam.DoFn):
    workspace: Workspace
    options: ShardOptions


class MeasurePart(_Step):
    """Name of a tokens part in, the measures of its documents out."""

    def process(self, name: str) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yields one batch under the one key."""
        number = tables.part_number(name)
        tokens = map_stream(self.workspace.committed(tables.TOKENS, name))
        hashes = repository_hashes(self.workspace, number, self.options.packing.seed)
        rows = tokens["document"].to_numpy() & np.uint64(ROW_MASK)
        yield 0, measure_tokens(tokens, hashes[rows.astype(np.int64)])


def repository_hashes(
    workspace: Workspace, part: int, seed: int
) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """uint64[documents of the part]: the hash of each document's repository."""
    path = workspace.committed(tables.REPOSITORIES, tables.part_name(part))
    table = read_part(path, ["repository", "files"])
    hashes = [hash_repository(name, seed) for name in table["repository"].to_pylist()]
    return np.repeat(np.array(hashes, dtype=np.uint64), table["files"].to_numpy())


class PlanSplits(_Step):
    """All measures in; writes a plan for each split, and names the shards to write."""

    def process(self, element: tuple[int, Sequence[pa.RecordBatch]]) -> Iterator[str]:
        """Yields the name of each shard without its suffix."""
        measures = pa.Table.from_batches(list(element[1]), MEASURES).sort_by("document")
        hashes = measures["repository_hash"].to_numpy()
        validates = choose_validation(hashes, self.options.validation_fraction)
        for split, chosen in (
            (shards.Split.TRAIN, ~validates),
            (shards.Split.VALIDATION, validates),
        ):
            plan = measures.filter(pa.array(chosen))
            write_whole(self.workspace.staged(_PLAN, f"{split}.arrow"), _stream_bytes(plan))
            yield from shard_names(split, plan, self.options.packing)


def shard_names(split: shards.Split, plan: pa.Table, packing: Packing) -> Iterator[str]:
    """The names of a split's shards without their suffix."""
    ends = stream_ends(plan["length"].to_numpy())
    count = -(-count_sequences(ends, packing.context_length) // packing.sequences_per_shard)
    for number in range(count):
        yield shards.file_name(split, number, count).removesuffix(".arrow")


def _stream_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return bytes(sink.getvalue())


class WriteShard(_Step):
    """Name of a shard in; writes it, and says that it is done."""

    def process(self, unit: str) -> Iterator[str]:
        """Yields the name of the finished shard."""
        do_unit(_Write(self.workspace, self.options), unit)
        yield unit


@dataclass(frozen=True)
class _Write:
    workspace: Workspace
    options: ShardOptions

    def __call__(self, unit: str) -> Receipt:
        if unit == _TOKENIZER_UNIT:
            return self._write_tokenizer()
        split, number, _, _ = unit.split("-")
        packing = self.options.packing
        plan = map_stream(self.workspace.staged(_PLAN, f"{split}.arrow"))
        parts = np.unique(plan["document"].to_numpy() >> np.uint64(32)).tolist()
        names = {part: tables.part_name(part, "arrow") for part in parts}
        paths = {n: self.workspace.committed(tables.TOKENS, name) for n, name in names.items()}
        token = map_stream(paths[parts[0]]).schema.field("input_ids").type.value_type
        schema = shards.schema(token, packing.context_length)
        counts: dict[str, int] = {}
        progress = Progress(self.workspace, unit)
        writer = self.workspace.write_table(
            tables.SHARDS, f"{unit}.arrow", schema, row_group_bytes=1
        )
        with writer, progress:
            for batch in SplitReader(plan, paths, packing).read(int(number), schema):
                writer.write(batch)
                progress.add(sequences=len(batch))
                for name, count in count_rows(batch, packing).items():
                    counts[f"{split}.{name}"] = counts.get(f"{split}.{name}", 0) + count
        return Receipt(files={tables.SHARDS: (writer.entry,)}, statistics=counts)

    def _write_tokenizer(self) -> Receipt:
        data = self.workspace.committed(tables.TOKENS, TOKENIZER_FILE).read_bytes()
        entry = self.workspace.write_file(tables.SHARDS, TOKENIZER_FILE, data)
        return Receipt(files={tables.SHARDS: (entry,)})


def count_rows(batch: pa.RecordBatch, packing: Packing) -> Mapping[str, int]:
    """Sequences, tokens, padding and beginnings of documents in rows of a shard."""
    tokens = int(batch["length"].to_numpy().sum())
    return {
        "sequences": len(batch),
        "tokens": tokens,
        "padding": len(batch) * packing.context_length - tokens,
        "documents": int((batch["offsets"].values.to_numpy() == 0).sum()),
    }


@dataclass
class WriteShards(beam.PTransform[Any, Any]):
    """Splits, packs and shuffles a run's tokens into shards."""

    workspace: Workspace
    parts: Sequence[str]
    options: ShardOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished shards out."""
        arguments = (self.workspace, self.options)
        names = (
            begin
            | "Name parts" >> beam.Create(list(self.parts))
            | "Spread parts" >> beam.Reshuffle()
            | "Measure tokens"
            >> beam.ParDo(MeasurePart(*arguments)).with_output_types(tuple[int, pa.RecordBatch])
            | "Gather measures" >> beam.GroupByKey()
            | "Plan splits" >> beam.ParDo(PlanSplits(*arguments)).with_output_types(str)
        )
        tokenizer = begin | "Name tokenizer" >> beam.Create([_TOKENIZER_UNIT])
        finished: PCollection[str] = (
            (names, tokenizer)
            | "All units" >> beam.Flatten()
            | "Spread shards" >> beam.Reshuffle()
            | "Write shards" >> beam.ParDo(WriteShard(*arguments)).with_output_types(str)
        )
        return finished
