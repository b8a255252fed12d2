"""Shard: tokens in, ``shards`` and ``mixture`` out, and other formats of the shards by choice.

Shuffled are names of files. The measures of documents (80 bytes each) lie in files by part,
in reading order; the one step that plans all shards maps them, and holds in memory some
columns of them at a time, about 150 bytes a document. The writer of a shard gathers its
tokens from memory maps, by a plan that says where they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection

from schemas import shards, tables
from schemas.documents import ROW_BITS
from schemas.manifest import FileEntry
from schemas.mixture import MIXTURE
from schemas.tokenizers import SPECIAL_TOKENS_FILE, TOKENIZER_FILE
from transforms.parts import Progress, Receipt, Workspace, map_stream
from transforms.shard.copies import copies_of_split, mixture_rows, name_repositories
from transforms.shard.dataset_files import dataset_files
from transforms.shard.exports import export_indexes, export_shard
from transforms.shard.measures import Mixture, measure_part
from transforms.shard.packing import count_cuts
from transforms.shard.plan import (
    MEASURES,
    Packing,
    in_reading_order,
    pack_split,
    shard_plans,
)
from transforms.shard.rows import RowGatherer
from transforms.shard.split import choose_validation
from transforms.stage import Begin, Spread, do_unit, write_error
from transforms.stores.files import writing_to

_MEASURES = "measures"
_PLAN = "plan"
_TOKENIZER_UNIT = "tokenizer"


@dataclass(frozen=True)
class ShardOptions:
    """How documents are split, mixed, packed and shuffled.

    ``formats`` are tables in which the shards are written, too. ``identity`` stands for the
    content of the tokens.
    """

    packing: Packing
    validation_fraction: float
    mixture: Mixture = field(default_factory=Mixture)
    formats: tuple[str, ...] = ()
    identity: str = ""


@dataclass
class _Step(beam.DoFn):
    workspace: Workspace
    options: ShardOptions


class MeasurePart(_Step):
    """Name of a tokens part in; writes the measures of its documents in reading order."""

    def process(self, name: str) -> Iterator[tuple[int, str]]:
        """Yields the name under the one key."""
        options = self.options
        measures = measure_part(self.workspace, name, options.packing.seed, options.mixture)
        data = _stream_bytes(in_reading_order(measures))
        self.workspace.files.write(f"{_MEASURES}/{name}", data, durable=False)
        yield 0, name


class PlanSplits(_Step):
    """All names in; writes a plan for each shard, and names the shards to write."""

    def process(self, element: tuple[int, Iterable[str]]) -> Iterator[str]:
        """Yields the name of each shard without its suffix."""
        try:
            plans = self._plan(sorted(element[1], key=tables.part_number))
        except Exception as error:
            write_error(self.workspace, "plan", error)
            raise
        self.workspace.write_receipt(_PLAN, plans.receipt())
        yield from plans.names

    def _plan(self, parts: Sequence[str]) -> _Plans:
        measures = pa.concat_tables(
            map_stream(self.workspace.staged(_MEASURES, name)) for name in parts
        )
        hashes, clusters = (measures[name].to_numpy() for name in ("repository_hash", "cluster"))
        validates = choose_validation(hashes, clusters, self.options.validation_fraction)
        names = name_repositories(self.workspace, measures["document"], self.options.packing.seed)
        token = _token_type(_tokens_path(self.workspace, 0))
        plans = _Plans(self.workspace, self.options, names, token)
        for split, chosen in (
            (shards.Split.TRAIN, ~validates),
            (shards.Split.VALIDATION, validates),
        ):
            plans.add(split, self._choose(split, measures, chosen))
        return plans

    def _choose(
        self, split: shards.Split, measures: pa.Table, chosen: npt.NDArray[np.bool_]
    ) -> pa.Table:
        """The measures of a split, from a file of their own."""
        name = f"{split}.arrow"
        first = 0
        with (
            writing_to(self.workspace.output(_MEASURES, name), durable=False) as file,
            pa.ipc.new_stream(file, MEASURES) as writer,
        ):
            for batch in measures.to_batches():
                writer.write_batch(batch.filter(pa.array(chosen[first : first + len(batch)])))
                first += len(batch)
        return map_stream(self.workspace.staged(_MEASURES, name))


class _Plans:
    """The plans of the shards of all splits, and what is known from them alone."""

    def __init__(
        self,
        workspace: Workspace,
        options: ShardOptions,
        repositories: Mapping[int, str],
        token: pa.DataType,
    ) -> None:
        self._workspace = workspace
        self._token = token
        self._options = options
        self._repositories = repositories
        self._digest = hashlib.sha256(options.identity.encode())
        self._shards: dict[str, list[str]] = {}
        self._rows: dict[str, list[int]] = {}
        self._mixture = [pa.RecordBatch.from_pylist([], schema=MIXTURE)]
        self._counts: dict[str, int] = {}

    def add(self, split: shards.Split, measures: pa.Table) -> None:
        """Plans the shards of a split."""
        packing, mixture = self._options.packing, self._options.mixture
        copies = copies_of_split(measures, split, mixture, packing.seed)
        lengths = measures["length"].to_numpy()
        packed = pack_split(lengths, copies, packing)
        sequences = packed.first.size - 1
        count = -(-sequences // packing.sequences_per_shard)
        for number, plan in enumerate(shard_plans(packed, measures, packing)):
            name = shards.file_name(split, number, count)
            data = _stream_bytes(plan)
            self._digest.update(data)
            self._workspace.files.write(f"{_PLAN}/{name}", data, durable=False)
            self._shards.setdefault(split, []).append(name)
            self._rows.setdefault(split, []).append(plan["row"][-1].as_py() + 1)
        self._mixture.append(mixture_rows(self._repositories, measures, split, copies))
        self._counts |= {
            f"{split}.documents": int((copies.sum(axis=0) > 0).sum()),
            f"{split}.cut": count_cuts(packed),
        }

    @property
    def names(self) -> Iterator[str]:
        """The names of all shards without their suffix."""
        for names in self._shards.values():
            yield from (name.removesuffix(".arrow") for name in names)

    def receipt(self) -> Receipt:
        """Writes what is known without the shards, and says so."""
        mixture = self._workspace.write_table(tables.MIXTURE, tables.part_name(0), MIXTURE)
        rows = pa.Table.from_batches(self._mixture).sort_by("repository")
        with mixture:
            for batch in rows.combine_chunks().to_batches():
                mixture.write(batch)
        files = {tables.MIXTURE: (mixture.entry,), tables.SHARDS: tuple(self._dataset_files())}
        return Receipt(files={**files, **self._indexes()}, statistics=self._counts)

    def _indexes(self) -> Mapping[str, tuple[FileEntry, ...]]:
        if not self._rows:
            return {}
        context_length = self._options.packing.context_length
        formats = self._options.formats
        return export_indexes(self._workspace, formats, self._token, context_length, self._rows)

    def _dataset_files(self) -> Iterator[FileEntry]:
        for name, data in dataset_files(self._shards, self._digest.hexdigest()):
            yield self._workspace.write_file(tables.SHARDS, name, data)


def _stream_bytes(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
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
        split = unit.partition("-")[0]
        packing = self.options.packing
        plan = map_stream(self.workspace.staged(_PLAN, f"{unit}.arrow"))
        parts = np.unique(plan["document"].to_numpy() >> np.uint64(ROW_BITS)).tolist()
        paths = {part: _tokens_path(self.workspace, part) for part in parts}
        schema = shards.schema(_token_type(paths[parts[0]]), packing.context_length)
        counts: dict[str, int] = {}
        progress = Progress(self.workspace, unit)
        writer = self.workspace.write_table(
            tables.SHARDS, f"{unit}.arrow", schema, row_group_bytes=1
        )
        with writer, progress:
            for batch in RowGatherer(paths, packing).gather(plan, schema):
                writer.write(batch)
                progress.add(sequences=len(batch))
                for name, count in count_rows(batch, packing).items():
                    counts[f"{split}.{name}"] = counts.get(f"{split}.{name}", 0) + count
        exported = export_shard(self.workspace, unit, self.options.formats)
        return Receipt(files={tables.SHARDS: (writer.entry,), **exported}, statistics=counts)

    def _write_tokenizer(self) -> Receipt:
        entries = []
        for name in (TOKENIZER_FILE, SPECIAL_TOKENS_FILE):
            data = self.workspace.committed(tables.TOKENIZER, name).read_bytes()
            entries.append(self.workspace.write_file(tables.SHARDS, name, data))
        return Receipt(files={tables.SHARDS: tuple(entries)})


def _tokens_path(workspace: Workspace, part: int) -> Path:
    return workspace.committed(tables.TOKENS, tables.part_name(part, "arrow"))


def _token_type(tokens: Path) -> pa.DataType:
    return map_stream(tokens).schema.field("input_ids").type.value_type


def count_rows(batch: pa.RecordBatch, packing: Packing) -> Mapping[str, int]:
    """Sequences, tokens, padding and copies of documents that begin in rows of a shard."""
    tokens = int(batch["length"].to_numpy().sum())
    return {
        "sequences": len(batch),
        "tokens": tokens,
        "padding": len(batch) * packing.context_length - tokens,
        "copies": int((batch["offsets"].values.to_numpy() == 0).sum()),
    }


@dataclass
class WriteShards(beam.PTransform[Any, Any]):
    """Splits, mixes, packs and shuffles a run's tokens into shards."""

    workspace: Workspace
    parts: Sequence[str]
    options: ShardOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished shards out."""
        arguments = (self.workspace, self.options)
        names = (
            begin
            | "Name parts" >> Begin(list(self.parts), str)
            | "Spread parts" >> Spread(str)
            | "Measure tokens"
            >> beam.ParDo(MeasurePart(*arguments)).with_output_types(tuple[int, str])
            | "Gather measures" >> beam.GroupByKey()
            | "Plan splits" >> beam.ParDo(PlanSplits(*arguments)).with_output_types(str)
        )
        tokenizer = begin | "Name tokenizer" >> Begin([_TOKENIZER_UNIT], str)
        finished: PCollection[str] = (
            (names, tokenizer)
            | "All units" >> beam.Flatten()
            | "Spread shards" >> Spread(str)
            | "Write shards" >> beam.ParDo(WriteShard(*arguments)).with_output_types(str)
        )
        return finished
