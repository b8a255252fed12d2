"""Deduplicate: fingerprints in, ``attributes/duplicates`` out; ``copies`` and bands if asked for.

Shuffled are numbers of parts and batches and names of files. Hashes, bands and shingles
of documents lie in files of the staging folder, each written by one step and read by
the next. Text is read again only of documents that share a band with another that their
signatures do not rule out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection

from schemas import tables
from schemas.bands import BandIndexSettings, bands_schema
from schemas.duplicates import DUPLICATES, Level
from schemas.fingerprints import HASH_BYTES
from transforms.deduplicate.ascending import find_among
from transforms.deduplicate.band_files import index_entries
from transforms.deduplicate.batches import decide_batch
from transforms.deduplicate.candidates import BATCHES, PLAUSIBLE, find_candidates, write_claims
from transforms.deduplicate.clusters import NO_BATCH
from transforms.deduplicate.contents import CLAIM_BYTES, claim_hashes, group_equal
from transforms.deduplicate.copies import count_shared, describe_copies, largest_shares
from transforms.deduplicate.decisions import describe_part, resolve
from transforms.deduplicate.keep import COLUMNS, Places, rank_repositories
from transforms.deduplicate.reader import DeduplicateOptions, RunReader
from transforms.deduplicate.shingle_files import write_shingles
from transforms.parts import Progress, Receipt, Workspace
from transforms.stage import Spread, do_unit

__all__ = ["DeduplicateDocuments", "DeduplicateOptions"]

COPIES_UNIT = "copies"
INDEX_UNIT = "bands"

_DECISIONS = "decisions.npy"
_SHARES = "shares.npy"
# Hashes of bytes and of normalized text, by the level that compares them.
_HASH_COLUMNS = {Level.EXACT: "content_hash", Level.NORMALIZED: "normalized_hash"}

Named = tuple[int, str]


@dataclass
class _Step(beam.DoFn):
    reader: RunReader


class RankRepositories(_Step):
    """Anything in, numbers of parts out once the keep order is written."""

    def process(self, element: int) -> Iterator[int]:
        """Yields every part."""
        reader = self.reader
        order = rank_repositories(reader.repositories(COLUMNS), reader.options.refusals)
        order.save(reader.arrays)
        yield from range(self.reader.parts)


class ClaimContents(_Step):
    """Number of a part in; writes who has which hash of a whole document."""

    def process(self, part: int) -> Iterator[Named]:
        """Yields the name of the part's files."""
        places = self.reader.order.places(part)
        name = f"part-{part:05d}.npy"
        levels = [level for level in _HASH_COLUMNS if level in self.reader.options.levels]
        columns = [_HASH_COLUMNS[level] for level in levels]
        batches = list(self.reader.fingerprints(part, columns)) if columns else []
        for level, column in zip(levels, columns, strict=True):
            hashes = pa.chunked_array([batch[column] for batch in batches], pa.binary(HASH_BYTES))
            self.reader.arrays.save(
                f"{level}/{name}", claim_hashes(hashes.combine_chunks(), places)
            )
        yield 0, name


class GroupContents(_Step):
    """All names in; writes groups of equal hashes, then numbers of parts out."""

    def process(self, element: tuple[int, Iterable[str]]) -> Iterator[int]:
        """Yields every part."""
        arrays, names = self.reader.arrays, sorted(element[1])
        ranges = self.reader.budget.ranges(4 * CLAIM_BYTES)
        copies = np.zeros(0, dtype=np.uint32)
        for level in _HASH_COLUMNS:
            if level in self.reader.options.levels:
                claims = [arrays.map(f"{level}/{name}") for name in names]
                members, firsts = group_equal(claims, ranges)
                # The best of equal texts is the best of equal bytes too, so it is never a copy.
                original = ~_among(members, copies)
                arrays.save(f"{level}.npy", np.stack((members[original], firsts[original])))
                copies = members if level is Level.EXACT else copies
        yield from range(self.reader.parts)


class ClaimBands(_Step):
    """Number of a part in; writes claims of bands and sketches of what is no exact copy."""

    def process(self, part: int) -> Iterator[Named]:
        """Yields the names of files that were written, and an empty one."""
        yield 0, ""
        if Level.NEAR not in self.reader.options.levels:
            return
        places = self.reader.order.places(part)
        copies, _ = self.reader.groups(Level.EXACT)
        first = 0
        batches = self.reader.fingerprints(part, ["signature", "shingles"])
        for number, batch in enumerate(batches):
            owners = places[first : first + len(batch)]
            first += len(batch)
            wanted = ~_among(owners, copies)
            name = f"part-{part:05d}-{number:05d}.npy"
            write_claims(self.reader.arrays, name, batch, owners, wanted, self.reader.banding)
            yield 0, name


class FindCandidates(_Step):
    """All names in; writes batches and their buckets, then numbers of parts out."""

    def process(self, element: tuple[int, Iterable[str]]) -> Iterator[int]:
        """Yields every part."""
        reader = self.reader
        find_candidates(
            reader.arrays,
            sorted(name for name in element[1] if name),
            reader.groups(Level.NORMALIZED),
            reader.banding,
            reader.most_unequal,
            reader.budget,
        )
        yield from range(reader.parts)


class WriteIndex(_Step):
    """All names in; writes the index of bands."""

    def process(self, element: tuple[int, Iterable[str]]) -> Iterator[str]:
        """Yields the name of the unit."""
        names = sorted(name for name in element[1] if name)
        do_unit(_WriteIndex(self.reader, tuple(names)), INDEX_UNIT)
        yield INDEX_UNIT


@dataclass(frozen=True)
class _WriteIndex:
    reader: RunReader
    names: tuple[str, ...]

    @property
    def workspace(self) -> Workspace:
        return self.reader.workspace

    def __call__(self, unit: str) -> Receipt:
        reader, files = self.reader, []
        seed = reader.options.index_seed or 0
        schema = bands_schema(
            BandIndexSettings(reader.options.permutations, seed, **asdict(reader.banding))
        )
        arguments = (reader.arrays, self.names, reader.order, reader.banding.bands, reader.budget)
        for number, entries in enumerate(index_entries(*arguments)):
            name = tables.part_name(number, "arrow")
            with self.workspace.write_table(tables.BANDS, name, schema) as writer:
                writer.write(pa.RecordBatch.from_arrays([pa.array(entries)], schema=schema))
            files.append(writer.entry)
        return Receipt(files={tables.BANDS: tuple(files)})


class WriteShingles(_Step):
    """Number of a part in; writes the shingles of its documents that may match others."""

    def process(self, part: int) -> Iterator[tuple[int, int]]:
        """Yields the part for the first batch and for each that has documents in it."""
        arrays, workspace = self.reader.arrays, self.reader.workspace
        places = self.reader.order.places(part)
        rows = np.flatnonzero(arrays.map(PLAUSIBLE)[places])
        documents = workspace.committed(tables.DOCUMENTS, tables.part_name(part))
        write_shingles(arrays, part, documents, rows)
        Progress(workspace, f"part-{part:05d}").add(candidates=rows.size)
        batches = np.unique(arrays.map(BATCHES)[places])
        for batch in sorted({0, *batches.tolist()} - {NO_BATCH}):
            yield batch, part


class DecideBatch(_Step):
    """Number of a batch in, once all its shingles are written; writes its drops."""

    def process(self, element: tuple[int, Iterable[int]]) -> Iterator[Named]:
        """Yields the name of the file of drops."""
        name = f"drops/batch-{element[0]:05d}.npy"
        self.reader.arrays.save(name, decide_batch(self.reader, element[0]))
        yield 0, name


class ResolveDrops(_Step):
    """All names in; writes what became of every document, then numbers of parts out."""

    def process(self, element: tuple[int, Iterable[str]]) -> Iterator[int]:
        """Yields every part."""
        reader = self.reader
        drops = (reader.arrays.load(name) for name in sorted(element[1]))
        decisions = resolve(reader.order.documents, drops, reader.groups(Level.EXACT))
        reader.arrays.save(_DECISIONS, decisions)
        if Level.REPOSITORY in reader.options.levels:
            self._compare_repositories(decisions["kept"])
        yield from range(reader.parts)

    def _compare_repositories(self, clusters: Places) -> None:
        order = self.reader.order
        parts = list(self.reader.repositories(["repository", "revision"]))
        first = np.cumsum([0, *(len(part) for part in parts)])
        named = pa.concat_tables(parts).take(pa.array(first[order.part] + order.entry))
        names = named["repository"].combine_chunks().dictionary_encode().indices
        owners = order.repositories(np.arange(order.documents, dtype=np.int64))
        shared = count_shared(clusters, owners, names.to_numpy().astype(np.int64))
        files = np.diff(order.starts)
        self.reader.arrays.save(_SHARES, largest_shares(shared, files))
        rows = describe_copies(shared, files, named)
        do_unit(_WriteTable(self.reader.workspace, tables.COPIES, rows), COPIES_UNIT)


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
        arrays, order = self.reader.arrays, self.reader.order
        decisions = arrays.map(_DECISIONS)[order.places(tables.part_number(unit))]
        asked = Level.REPOSITORY in self.reader.options.levels
        shares = arrays.load(_SHARES) if asked else None
        writer = self.workspace.write_table(tables.DUPLICATES, f"{unit}.parquet", DUPLICATES)
        with writer:
            writer.write(describe_part(decisions, order, shares))
        return Receipt.of({tables.DUPLICATES: writer})


def _among(places: Places, ascending: Places) -> npt.NDArray[np.bool_]:
    """Which places are among some in ascending order."""
    return find_among(ascending, places)[1]


@dataclass
class DeduplicateDocuments(beam.PTransform[Any, Any]):
    """Decides for every document of a run whether a kept one makes it superfluous."""

    workspace: Workspace
    parts: int
    options: DeduplicateOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished parts out."""
        reader = RunReader(self.workspace, self.parts, self.options)
        bands = (
            begin
            | "Begin" >> beam.Create([0])
            | "Rank repositories" >> beam.ParDo(RankRepositories(reader)).with_output_types(int)
            | "Spread parts to claim contents" >> Spread(int)
            | "Claim contents" >> beam.ParDo(ClaimContents(reader)).with_output_types(Named)
            | "Gather contents" >> beam.GroupByKey()
            | "Group contents" >> beam.ParDo(GroupContents(reader)).with_output_types(int)
            | "Spread parts to claim bands" >> Spread(int)
            | "Claim bands" >> beam.ParDo(ClaimBands(reader)).with_output_types(Named)
            | "Gather bands" >> beam.GroupByKey()
        )
        if self.options.index_seed is not None:
            bands | "Write index" >> beam.ParDo(WriteIndex(reader)).with_output_types(str)
        finished: PCollection[str] = (
            bands
            | "Find candidates" >> beam.ParDo(FindCandidates(reader)).with_output_types(int)
            | "Spread parts to write shingles" >> Spread(int)
            | "Write shingles"
            >> beam.ParDo(WriteShingles(reader)).with_output_types(tuple[int, int])
            | "Gather batches" >> beam.GroupByKey()
            | "Decide batches" >> beam.ParDo(DecideBatch(reader)).with_output_types(Named)
            | "Gather drops" >> beam.GroupByKey()
            | "Resolve drops" >> beam.ParDo(ResolveDrops(reader)).with_output_types(int)
            | "Spread parts to write" >> Spread(int)
            | "Write duplicates" >> beam.ParDo(WriteDuplicates(reader)).with_output_types(str)
        )
        return finished
