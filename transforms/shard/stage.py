"""Shard: tokens in, ``shards`` and ``mixture`` out, and other formats of the shards by choice.

Shuffled are names of parts and numbers of sections and buckets. What is known of documents lies
in files of the staging folder, each written by one step and read by the next. Documents are
measured by part, and packed by section, which is some parts; the pieces of a section are
divided by bucket, which is some shards. The writer of a shard gathers its tokens from memory
maps, by a plan that says where they are.

Between two steps for sections, one worker puts together what all of them have left, and holds
nothing of single documents. Sections depend on the documents alone, not on workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection

from schemas import shards, tables
from schemas.documents import ROW_BITS
from schemas.tokenizers import SPECIAL_TOKENS_FILE, TOKENIZER_FILE
from transforms.parts import Progress, Receipt, Workspace
from transforms.shard.choices import choose_splits
from transforms.shard.exports import export_shard
from transforms.shard.limits import limit_repositories, weigh_repositories
from transforms.shard.measures import measure_part
from transforms.shard.options import ShardOptions
from transforms.shard.plan import Packing, in_reading_order
from transforms.shard.reader import SECTIONS, PlanReader, measures_file
from transforms.shard.receipt import finish_plan, token_type, tokens_path, write_plans
from transforms.shard.rows import RowGatherer
from transforms.shard.sections import count_pieces, divide_parts
from transforms.shard.sequences import count_sequences, divide_sequences, lay_out_shards
from transforms.shard.staging import PlanFiles
from transforms.shard.summaries import link_range, summarize_groups, summary_file, write_clusters
from transforms.stage import Begin, Spread, do_unit, write_error

__all__ = ["ShardOptions", "WriteShards"]

_PLAN_UNIT = "plan"
_TOKENIZER_UNIT = "tokenizer"

Measured = tuple[int, tuple[str, int]]
"""The name of a part and about how many pieces it makes, under the one key."""

Keyed = tuple[int, int]
"""A number, and the key under which it is gathered."""

Gathered = tuple[int, Iterable[int]]
"""Numbers that have been gathered under a key."""


@dataclass
class _Step(beam.DoFn):
    reader: PlanReader


@contextmanager
def _reporting(reader: PlanReader, unit: str) -> Iterator[None]:
    """Leaves an error where the driver finds it."""
    try:
        yield
    except Exception as error:
        write_error(reader.workspace, unit, error)
        raise


class MeasurePart(_Step):
    """Name of a tokens part in; writes the measures of its documents in reading order."""

    def process(self, name: str) -> Iterator[Measured]:
        """Yields the name with its pieces."""
        reader, options = self.reader, self.reader.options
        with _reporting(reader, name):
            measures = measure_part(reader.workspace, name, options.packing.seed, options.mixture)
            reader.files.write(measures_file(name), in_reading_order(measures))
        lengths = measures["length"].to_numpy()
        yield 0, (name, count_pieces(lengths, options.packing.context_length))


class DivideParts(_Step):
    """All parts in; writes which of them make a section."""

    def process(self, element: tuple[int, Iterable[tuple[str, int]]]) -> Iterator[int]:
        """Yields every section."""
        sections = divide_parts(element[1], self.reader.options.division.section_pieces)
        self.reader.files.write_values(SECTIONS, sections)
        yield from range(len(sections))


class SummarizeSection(_Step):
    """A section in; writes what of its documents counts for others."""

    def process(self, section: int) -> Iterator[Keyed]:
        """Yields the section under the range of clusters that has its number."""
        reader = self.reader
        with _reporting(reader, _unit(section)):
            measures = reader.measures(section)
            reader.files.write(summary_file(section), summarize_groups(measures))
            if reader.options.validation_fraction:
                write_clusters(reader.files, section, reader.sections, measures)
        yield section, section


class LinkRange(_Step):
    """A range of clusters in; writes which repositories of several sections they join."""

    def process(self, element: Gathered) -> Iterator[Keyed]:
        """Yields the range."""
        reader, number = self.reader, element[0]
        if reader.options.validation_fraction:
            link_range(reader.files, number, reader.sections)
        yield 0, number


class ChooseSplits(_Step):
    """All ranges in; writes which repositories validate, and what documents weigh."""

    def process(self, element: Gathered) -> Iterator[int]:
        """Yields every section."""
        reader, options = self.reader, self.reader.options
        with _reporting(reader, _PLAN_UNIT):
            fraction = options.validation_fraction
            choose_splits(reader.files, reader.sections, fraction, options.mixture)
        yield from range(reader.sections)


class WeighRepositories(_Step):
    """A section in; writes the tokens of its repositories in each epoch."""

    def process(self, section: int) -> Iterator[Keyed]:
        """Yields the section."""
        with _reporting(self.reader, _unit(section)):
            weigh_repositories(self.reader, section)
        yield 0, section


class LimitRepositories(_Step):
    """All sections in; writes how many tokens a repository may have in each epoch."""

    def process(self, element: Gathered) -> Iterator[int]:
        """Yields every section."""
        with _reporting(self.reader, _PLAN_UNIT):
            limit_repositories(self.reader)
        yield from range(self.reader.sections)


class CountSequences(_Step):
    """A section in; writes how many sequences it has, and what of its repositories is there."""

    def process(self, section: int) -> Iterator[Keyed]:
        """Yields the section."""
        with _reporting(self.reader, _unit(section)):
            count_sequences(self.reader, section)
        yield 0, section


class LayOutShards(_Step):
    """All sections in; writes which shards there are, and what buckets of them."""

    def process(self, element: Gathered) -> Iterator[int]:
        """Yields every section."""
        with _reporting(self.reader, _PLAN_UNIT):
            lay_out_shards(self.reader)
        yield from range(self.reader.sections)


class DivideSequences(_Step):
    """A section in; writes its sequences, by bucket."""

    def process(self, section: int) -> Iterator[Keyed]:
        """Yields every bucket for the first section."""
        with _reporting(self.reader, _unit(section)):
            divide_sequences(self.reader, section)
        if not section:
            yield from ((bucket, section) for bucket in range(self.reader.layout().buckets))


class PlanBucket(_Step):
    """A bucket in; writes the plan of each of its shards."""

    def process(self, element: Gathered) -> Iterator[Keyed]:
        """Yields the bucket."""
        bucket = element[0]
        with _reporting(self.reader, f"bucket-{bucket:05d}"):
            write_plans(self.reader, bucket)
        yield 0, bucket


class FinishPlan(_Step):
    """All buckets in; writes what is known of all shards, and names the shards to write."""

    def process(self, element: Gathered) -> Iterator[str]:
        """Yields the name of each shard without its suffix."""
        with _reporting(self.reader, _PLAN_UNIT):
            self.reader.workspace.write_receipt(_PLAN_UNIT, finish_plan(self.reader))
        layout = self.reader.layout()
        for split in shards.Split:
            yield from (name.removesuffix(".arrow") for name in layout.names(split))


def _unit(section: int) -> str:
    return f"section-{section:05d}"


class WriteShard(_Step):
    """Name of a shard in; writes it, and says that it is done."""

    def process(self, unit: str) -> Iterator[str]:
        """Yields the name of the finished shard."""
        do_unit(_Write(self.reader.workspace, self.reader.options), unit)
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
        plan = PlanFiles(self.workspace).map(f"{unit}.arrow")
        parts = np.unique(plan["document"].to_numpy() >> np.uint64(ROW_BITS)).tolist()
        paths = {part: tokens_path(self.workspace, part) for part in parts}
        schema = shards.schema(token_type(paths[parts[0]]), packing.context_length)
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
        reader = PlanReader(self.workspace, self.options)
        chosen = (
            begin
            | "Name parts" >> Begin(list(self.parts), str)
            | "Spread parts" >> Spread(str)
            | "Measure tokens" >> beam.ParDo(MeasurePart(reader)).with_output_types(Measured)
            | "Gather measures" >> beam.GroupByKey()
            | "Divide parts" >> beam.ParDo(DivideParts(reader)).with_output_types(int)
            | "Spread sections to summarize" >> Spread(int)
            | "Summarize sections" >> beam.ParDo(SummarizeSection(reader)).with_output_types(Keyed)
            | "Gather clusters" >> beam.GroupByKey()
            | "Link repositories" >> beam.ParDo(LinkRange(reader)).with_output_types(Keyed)
            | "Gather links" >> beam.GroupByKey()
            | "Choose splits" >> beam.ParDo(ChooseSplits(reader)).with_output_types(int)
        )
        if reader.limited:
            chosen = (
                chosen
                | "Spread sections to weigh" >> Spread(int)
                | "Weigh repositories"
                >> beam.ParDo(WeighRepositories(reader)).with_output_types(Keyed)
                | "Gather weights" >> beam.GroupByKey()
                | "Limit repositories"
                >> beam.ParDo(LimitRepositories(reader)).with_output_types(int)
            )
        names = (
            chosen
            | "Spread sections to count" >> Spread(int)
            | "Count sequences" >> beam.ParDo(CountSequences(reader)).with_output_types(Keyed)
            | "Gather counts" >> beam.GroupByKey()
            | "Lay out shards" >> beam.ParDo(LayOutShards(reader)).with_output_types(int)
            | "Spread sections to divide" >> Spread(int)
            | "Divide sequences" >> beam.ParDo(DivideSequences(reader)).with_output_types(Keyed)
            | "Gather pieces" >> beam.GroupByKey()
            | "Plan shards" >> beam.ParDo(PlanBucket(reader)).with_output_types(Keyed)
            | "Gather plans" >> beam.GroupByKey()
            | "Finish plan" >> beam.ParDo(FinishPlan(reader)).with_output_types(str)
        )
        tokenizer = begin | "Name tokenizer" >> Begin([_TOKENIZER_UNIT], str)
        finished: PCollection[str] = (
            (names, tokenizer)
            | "All units" >> beam.Flatten()
            | "Spread shards" >> Spread(str)
            | "Write shards" >> beam.ParDo(WriteShard(reader)).with_output_types(str)
        )
        return finished
