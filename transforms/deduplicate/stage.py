"""Deduplicate: fingerprints in, ``attributes/duplicates`` out.

Shuffled are claims (32 bytes: hash, rank, document) once for each document's content
and ``bands`` times for each document that is the only or best of its content, then
one row for each drop. Text is read again only for documents that share a band with
another, to make their shingles, which are compared by memory map.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection

import transforms.coders  # noqa: F401  registers the coder of record batches
from schemas import tables
from schemas.duplicates import DUPLICATES
from transforms.deduplicate.bands import optimal_banding
from transforms.deduplicate.keep import COLUMNS, KeepOrder, rank_repositories
from transforms.deduplicate.steps import (
    claim_bands,
    claim_contents,
    describe_part,
    divide_by_key,
    divide_by_part,
    drop_exact,
    drop_near,
    share_buckets,
    write_shingles,
)
from transforms.parts import Progress, Receipt, Workspace, read_part
from transforms.stage import do_unit

PARTITIONS = 16
"""Ranges of the hash space: enough to occupy workers, while each part's batch for each
range is large against the cost of an Arrow stream of its own."""

_SHINGLES = "shingles"

Keyed = tuple[int, pa.RecordBatch]
Grouped = tuple[int, Mapping[str, Sequence[Any]]]


@dataclass(frozen=True)
class DeduplicateOptions:
    """What counts as a near-duplicate."""

    threshold: float
    permutations: int


@dataclass(frozen=True)
class PartReader:
    """Reads what deduplication needs to know of a part."""

    workspace: Workspace
    parts: int

    @cached_property
    def keep_order(self) -> KeepOrder:
        """The rank of every document."""
        return rank_repositories(
            [self._read(tables.REPOSITORIES, n, COLUMNS) for n in range(self.parts)]
        )

    def fingerprint(self, part: int, column: str) -> pa.Array:
        """One column of a part's fingerprints."""
        table = self._read(tables.FINGERPRINT, part, [column])
        return table[column].combine_chunks()

    def _read(self, table: str, part: int, columns: list[str]) -> pa.Table:
        return read_part(self.workspace.committed(table, tables.part_name(part)), columns)


@dataclass
class _Step(beam.DoFn):
    reader: PartReader
    options: DeduplicateOptions


class ClaimContents(_Step):
    """Number of a part in, its claims by partition out."""

    def process(self, part: int) -> Iterator[Keyed]:
        """Yields one batch a partition."""
        hashes = self.reader.fingerprint(part, "content_hash")
        claims = claim_contents(part, hashes, self.reader.keep_order.ranks(part))
        yield from divide_by_key(claims, PARTITIONS)


class ClaimBands(_Step):
    """Number of a part with its exact drops in, claims of bands by partition out."""

    def process(self, element: Grouped) -> Iterator[Keyed]:
        """Yields one batch a partition."""
        part, groups = element
        lists = self.reader.fingerprint(part, "signature")
        signatures = lists.flatten().to_numpy().reshape(len(lists), self.options.permutations)
        drops = [batch["document"].to_numpy() for batch in groups["exact"]]
        dropped = np.concatenate(drops) if drops else np.zeros(0, dtype=np.uint64)
        banding = optimal_banding(self.options.threshold, self.options.permutations)
        ranks = self.reader.keep_order.ranks(part)
        yield from divide_by_key(claim_bands(part, signatures, ranks, dropped, banding), PARTITIONS)


class WriteShingles(_Step):
    """Claims by part in; writes those documents' shingles, and says which file has them."""

    def process(self, element: tuple[int, Sequence[pa.RecordBatch]]) -> Iterator[tuple[int, str]]:
        """Yields the name of the file that was written."""
        part, claims = element
        name = tables.part_name(part, "arrow")
        wanted = np.concatenate([batch["document"].to_numpy() for batch in claims])
        workspace = self.reader.workspace
        documents = workspace.committed(tables.DOCUMENTS, tables.part_name(part))
        write_shingles(documents, part, wanted, workspace.staged(_SHINGLES, name))
        Progress(workspace, name).add(candidates=np.unique(wanted).size)
        yield 0, name


class DropNear(_Step):
    """All shared claims, exact drops and shingle files in, all drops by part out."""

    def process(self, element: Grouped) -> Iterator[Keyed]:
        """Yields one batch a part that has drops."""
        groups = element[1]
        files = [
            self.reader.workspace.staged(_SHINGLES, name) for name in sorted(groups["shingles"])
        ]
        drops = drop_near(groups["claims"], groups["exact"], files, self.options.threshold)
        yield from divide_by_part(drops)


class WriteDuplicates(_Step):
    """Number of a part with its drops in; writes the part, and says that it is done."""

    def process(self, element: Grouped) -> Iterator[str]:
        """Yields the name of the finished part."""
        part, groups = element
        do_unit(_WritePart(self.reader, tuple(groups["drops"])), f"part-{part:05d}")
        yield tables.part_name(part)


@dataclass(frozen=True)
class _WritePart:
    reader: PartReader
    drops: tuple[pa.RecordBatch, ...]

    @property
    def workspace(self) -> Workspace:
        return self.reader.workspace

    def __call__(self, unit: str) -> Receipt:
        part = tables.part_number(unit)
        rows = len(self.reader.keep_order.ranks(part))
        writer = self.workspace.write_table(tables.DUPLICATES, f"{unit}.parquet", DUPLICATES)
        with writer:
            writer.write(describe_part(part, rows, self.drops))
        return Receipt(files={tables.DUPLICATES: (writer.entry,)})


@dataclass
class DeduplicateDocuments(beam.PTransform[Any, Any]):
    """Decides for every document of a run whether a kept one makes it superfluous."""

    workspace: Workspace
    parts: int
    options: DeduplicateOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished parts out."""
        reader = PartReader(self.workspace, self.parts)
        arguments = (reader, self.options)
        parts = (
            begin
            | "Number parts" >> beam.Create(range(self.parts))
            | "Spread parts" >> beam.Reshuffle().with_output_types(int)
        )
        keyed = parts | "Key parts" >> beam.Map(lambda part: (part, 0)).with_output_types(
            tuple[int, int]
        )
        exact = (
            parts
            | "Claim contents" >> beam.ParDo(ClaimContents(*arguments)).with_output_types(Keyed)
            | "Group contents" >> beam.GroupByKey()
            | "Drop exact duplicates"
            >> beam.FlatMapTuple(
                lambda _, claims: divide_by_part(drop_exact(claims))
            ).with_output_types(Keyed)
        )
        shared = (
            {"part": keyed, "exact": exact}
            | "Join exact drops" >> beam.CoGroupByKey()
            | "Claim bands" >> beam.ParDo(ClaimBands(*arguments)).with_output_types(Keyed)
            | "Group bands" >> beam.GroupByKey()
            | "Share buckets"
            >> beam.MapTuple(lambda _, claims: share_buckets(claims)).with_output_types(
                pa.RecordBatch
            )
        )
        shingles = (
            shared
            | "Divide candidates" >> beam.FlatMap(divide_by_part).with_output_types(Keyed)
            | "Group candidates" >> beam.GroupByKey()
            | "Write shingles"
            >> beam.ParDo(WriteShingles(*arguments)).with_output_types(tuple[int, str])
        )
        evidence = {
            "claims": shared
            | "Gather claims" >> beam.Map(lambda b: (0, b)).with_output_types(Keyed),
            "exact": exact
            | "Gather exact drops" >> beam.Map(lambda e: (0, e[1])).with_output_types(Keyed),
            "shingles": shingles,
        }
        drops = (
            evidence
            | "Join evidence" >> beam.CoGroupByKey()
            | "Drop near-duplicates" >> beam.ParDo(DropNear(*arguments)).with_output_types(Keyed)
        )
        finished: PCollection[str] = (
            {"part": keyed, "drops": drops}
            | "Join drops" >> beam.CoGroupByKey()
            | "Write duplicates" >> beam.ParDo(WriteDuplicates(*arguments)).with_output_types(str)
        )
        return finished
