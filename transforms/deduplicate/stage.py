"""Deduplicate: fingerprints in, ``attributes/duplicates`` out; ``copies`` and bands if asked for.

Shuffled are numbers of parts, ranges and batches, and names of slices of files. Hashes,
bands and shingles of documents lie in files of the staging folder, each written by one
step and read by the next. Text is read again only of documents that share a band with
another that their signatures do not rule out.

A part's rows are divided by range of hashes, so that a worker that holds a range finds
all documents that have a hash of it; what it finds is divided by part again, by range of
places, or by batch.
How many ranges there are depends on the budget for memory and changes no result. Where
the first of several workers hands on every part, the grouping after it waits for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection

from schemas import tables
from schemas.bands import BandIndexSettings, bands_schema
from schemas.duplicates import DUPLICATES, Level
from transforms.deduplicate.ascending import find_among
from transforms.deduplicate.band_files import index_entries, save_ordinals
from transforms.deduplicate.bands import Claims, number_buckets
from transforms.deduplicate.batches import decide_batch, describe_members, divide_buckets
from transforms.deduplicate.candidates import CLAIMS, write_claims, write_links
from transforms.deduplicate.claim_blocks import unpack_blocks
from transforms.deduplicate.contents import (
    NO_GROUPS,
    PART_GROUPS,
    group_file,
    groups_of_level,
    merge_groups,
)
from transforms.deduplicate.decisions import describe_part
from transforms.deduplicate.equal_contents import write_groups, write_hashes
from transforms.deduplicate.forests import cut_places, write_forest
from transforms.deduplicate.outcome import decide_part
from transforms.deduplicate.partners import divide_partners
from transforms.deduplicate.ranking import COLUMNS, rank_repositories
from transforms.deduplicate.reader import DeduplicateOptions, RunReader
from transforms.deduplicate.shares import SHARES, compare_repositories
from transforms.deduplicate.slices import NOTHING, Slice, of_folder, read_slices
from transforms.parts import Receipt, Workspace
from transforms.stage import Begin, Spread, do_unit

__all__ = ["DeduplicateDocuments", "DeduplicateOptions"]

COPIES_UNIT = "copies"
INDEX_UNIT = "bands"

PART, RANGE = "part", "range"

Addressed = tuple[int, Slice]
"""A slice, and the number of who is to read it."""

Counted = tuple[int, tuple[int, int]]
"""A range of places and how many documents there are, to be gathered under one number."""

Unit = tuple[str, int]
"""A part or a range of hashes."""


@dataclass
class _Step(beam.DoFn):
    reader: RunReader


class RankRepositories(_Step):
    """Anything in, numbers of parts out once the keep order is written."""

    def process(self, element: int) -> Iterator[int]:
        """Yields every part."""
        reader = self.reader
        repositories, refusals = reader.repositories(COLUMNS), reader.options.refusals
        order = rank_repositories(reader.arrays, repositories, refusals, reader.share)
        if reader.options.index_seed is not None:
            save_ordinals(reader.arrays, order)
        yield from range(reader.parts)


class ClaimContents(_Step):
    """Number of a part in; writes who has which hash of a whole document."""

    def process(self, part: int) -> Iterator[Addressed]:
        """Yields the slice of each range of hashes, and the first range in any case."""
        yield from write_hashes(self.reader, part)
        yield 0, NOTHING


class GroupContents(_Step):
    """Slices of a range of hashes in; writes groups of equal ones, by part."""

    def process(self, element: tuple[int, Iterable[Slice]]) -> Iterator[Addressed]:
        """Yields the slice of each part; the first range yields every part besides."""
        number, slices = element
        yield from write_groups(self.reader, number, slices)
        if not number:
            yield from ((part, NOTHING) for part in range(self.reader.parts))


class ClaimBands(_Step):
    """Slices of a part's groups in; writes claims of bands of what is no exact copy."""

    def process(self, element: tuple[int, Iterable[Slice]]) -> Iterator[Addressed]:
        """Yields the slice of each range of hashes."""
        reader, (part, slices) = self.reader, element
        arrays, places = reader.arrays, reader.order.places(part)
        groups = merge_groups(np.concatenate([NO_GROUPS, *read_slices(arrays, slices)]))
        arrays.save(group_file(part), groups)
        near = Level.NEAR in reader.options.levels
        fingerprints = reader.fingerprints(part, ["signature", "shingles"]) if near else ()
        copies = groups_of_level(groups, Level.EXACT)[0]
        # Those of equal normalized texts stand last.
        if copies.size < groups.size:
            yield part % reader.ranges, (group_file(part), copies.size, groups.size)
        wanted = ~find_among(copies, places)[1]
        arguments = (fingerprints, places, wanted, reader.banding, reader.budget)
        yield from write_claims(arrays, part, *arguments)


class FindCandidates(_Step):
    """Slices of a range of hashes in; writes buckets, links, and entries of the index of bands.

    Equal normalized texts link documents, too; of each part one range hears of them.
    """

    def process(self, element: tuple[int, Iterable[Slice]]) -> Iterator[Addressed]:
        """Yields the slice of each range of places, and the first range in any case."""
        reader, (number, received) = self.reader, element
        arrays, slices = reader.arrays, list(received)
        blocks = list(read_slices(arrays, of_folder(slices, CLAIMS)))
        claims, sizes = unpack_blocks(blocks, reader.banding.bands)
        if reader.options.index_seed is not None:
            self._write_index(number, claims)
        buckets = number_buckets(claims, sizes)
        grouped = [NO_GROUPS, *read_slices(arrays, of_folder(slices, PART_GROUPS))]
        links = groups_of_level(np.concatenate(grouped), Level.NORMALIZED)
        arguments = (links, reader.most_unequal, reader.sketches_at_once, reader.ranges)
        yield from write_links(arrays, reader.order, number, buckets, *arguments)
        yield 0, NOTHING

    def _write_index(self, number: int, claims: Claims) -> None:
        reader = self.reader
        seed = reader.options.index_seed or 0
        settings = BandIndexSettings(reader.options.permutations, seed, **asdict(reader.banding))
        name, schema = tables.part_name(number, "arrow"), bands_schema(settings)
        entries = index_entries(reader.arrays, claims)
        with reader.workspace.write_table(tables.BANDS, name, schema) as writer:
            writer.write(pa.RecordBatch.from_arrays([pa.array(entries)], schema=schema))
        with reader.arrays.writing(_index_receipt(number)) as file:
            file.write(Receipt.of({tables.BANDS: writer}).to_json().encode())


class ContractLinks(_Step):
    """Slices of links of a range of places in; writes what of them connects the documents."""

    def process(self, element: tuple[int, Iterable[Slice]]) -> Iterator[Counted]:
        """Yields the range and how many documents of it may match another."""
        reader, (number, slices) = self.reader, element
        capacity = reader.links_at_once
        yield 0, (number, write_forest(reader.arrays, number, slices, capacity))


class DividePartners(_Step):
    """All ranges in; divides documents that may match into batches, then units of work out."""

    def process(self, element: tuple[int, Iterable[tuple[int, int]]]) -> Iterator[Unit]:
        """Yields every part and every range of hashes."""
        reader = self.reader
        sizes = {number: partners for number, partners in element[1] if partners}
        cuts = cut_places(reader.order.documents, reader.ranges)
        arguments = (reader.member_bytes, reader.links_at_once, reader.share)
        divide_partners(reader.arrays, sizes, cuts, *arguments)
        if reader.options.index_seed is not None:
            self._finish_index(range(reader.ranges))
        yield from ((PART, number) for number in range(reader.parts))
        yield from ((RANGE, number) for number in range(reader.ranges))

    def _finish_index(self, ranges: Iterable[int]) -> None:
        paths = (self.reader.arrays.path(_index_receipt(number)) for number in ranges)
        receipts = [Receipt.from_json(path.read_text()) for path in paths]
        files = tuple(entry for receipt in receipts for entry in receipt.files[tables.BANDS])
        self.reader.workspace.write_receipt(INDEX_UNIT, Receipt({tables.BANDS: files}))


def _index_receipt(number: int) -> str:
    return f"index/range-{number:05d}.json"


class DivideByBatch(_Step):
    """A part or a range in; writes shingles and members, or buckets, by batch."""

    def process(self, unit: Unit) -> Iterator[Addressed]:
        """Yields the slice of each batch, and the first batch in any case."""
        kind, number = unit
        if kind == PART:
            yield from describe_members(self.reader, number)
        else:
            yield from divide_buckets(self.reader, number)
        yield 0, NOTHING


class DecideBatch(_Step):
    """Slices of a batch in; writes its drops, then numbers of parts out."""

    def process(self, element: tuple[int, Iterable[Slice]]) -> Iterator[int]:
        """Yields every part for the first batch."""
        batch, slices = element
        decide_batch(self.reader, batch, slices)
        if not batch:
            yield from range(self.reader.parts)


class CompareRepositories(_Step):
    """Numbers of parts in, the same out; for the first, writes copies of repositories."""

    def process(self, part: int) -> Iterator[int]:
        """Yields the part."""
        if not part:
            rows = compare_repositories(self.reader)
            do_unit(_WriteTable(self.reader.workspace, tables.COPIES, rows), COPIES_UNIT)
        yield part


@dataclass(frozen=True)
class _WriteTable:
    workspace: Workspace
    table: str
    rows: pa.RecordBatch

    def __call__(self, unit: str) -> Receipt:
        writer = self.workspace.write_table(self.table, tables.part_name(0), self.rows.schema)
        with writer:
            writer.write(self.rows)
        return Receipt.of({self.table: writer})


class WriteDuplicates(_Step):
    """Number of a part in; writes the part, and says that it is done."""

    def process(self, part: int) -> Iterator[str]:
        """Yields the name of the finished part."""
        do_unit(_WritePart(self.reader), f"part-{part:05d}")
        yield tables.part_name(part)


@dataclass(frozen=True)
class _WritePart:
    reader: RunReader

    @property
    def workspace(self) -> Workspace:
        return self.reader.workspace

    def __call__(self, unit: str) -> Receipt:
        decisions = decide_part(self.reader, tables.part_number(unit))
        asked = Level.REPOSITORY in self.reader.options.levels
        shares = self.reader.arrays.map(SHARES) if asked else None
        writer = self.workspace.write_table(tables.DUPLICATES, f"{unit}.parquet", DUPLICATES)
        with writer:
            writer.write(describe_part(decisions, self.reader.order, shares))
        return Receipt.of({tables.DUPLICATES: writer})


@dataclass
class DeduplicateDocuments(beam.PTransform[Any, Any]):
    """Decides for every document of a run whether a kept one makes it superfluous."""

    workspace: Workspace
    parts: int
    options: DeduplicateOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished parts out."""
        reader = RunReader(self.workspace, self.parts, self.options)
        decided = (
            begin
            | "Begin" >> Begin([0], int)
            | "Rank repositories" >> beam.ParDo(RankRepositories(reader)).with_output_types(int)
            | "Spread parts to claim contents" >> Spread(int)
            | "Claim contents" >> beam.ParDo(ClaimContents(reader)).with_output_types(Addressed)
            | "Gather contents" >> beam.GroupByKey()
            | "Group contents" >> beam.ParDo(GroupContents(reader)).with_output_types(Addressed)
            | "Gather groups" >> beam.GroupByKey()
            | "Claim bands" >> beam.ParDo(ClaimBands(reader)).with_output_types(Addressed)
            | "Gather bands" >> beam.GroupByKey()
            | "Find candidates" >> beam.ParDo(FindCandidates(reader)).with_output_types(Addressed)
            | "Gather links" >> beam.GroupByKey()
            | "Contract links" >> beam.ParDo(ContractLinks(reader)).with_output_types(Counted)
            | "Gather forests" >> beam.GroupByKey()
            | "Divide partners" >> beam.ParDo(DividePartners(reader)).with_output_types(Unit)
            | "Spread units to divide" >> Spread(Unit)
            | "Divide by batch" >> beam.ParDo(DivideByBatch(reader)).with_output_types(Addressed)
            | "Gather batches" >> beam.GroupByKey()
            | "Decide batches" >> beam.ParDo(DecideBatch(reader)).with_output_types(int)
        )
        if Level.REPOSITORY in self.options.levels:
            compare = beam.ParDo(CompareRepositories(reader)).with_output_types(int)
            decided = (
                decided
                | "Spread parts to compare" >> Spread(int)
                | "Compare repositories" >> compare
            )
        finished: PCollection[str] = (
            decided
            | "Spread parts to write" >> Spread(int)
            | "Write duplicates" >> beam.ParDo(WriteDuplicates(reader)).with_output_types(str)
        )
        return finished
