"""Collect: ``functions`` in, ``problems`` and ``problem_selection`` out.

Shuffled are claims, of some 200 bytes for each verified function: its fingerprints and its
name. Functions of one fingerprint meet twice: by what they say, and then by what they do.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection

from schemas import problems, tables
from schemas.problems import KEPT, PROBLEMS_FILE, SELECTION, SIGNATURES_FILE, Rejection
from transforms.collect.copies import CLAIMS, DROPS, bucket_of, keep_best
from transforms.collect.rows import json_lines, problem_row, rank, task_id
from transforms.collect.rules import Rules
from transforms.collect.sets import set_rows
from transforms.parts import Receipt, Workspace, read_part
from transforms.problemsets.problem_files import read_problems
from transforms.stage import Begin, ProcessUnits, Spread, do_unit
from transforms.stores.store import local_path

UNIT = "files"
_LINES = "lines"

Keyed = tuple[int, pa.RecordBatch]
"""A batch, and the number of the bucket or part that it is for."""


@dataclass(frozen=True)
class CollectOptions:
    """Which functions become problems; claims are divided among so many buckets."""

    rules: Rules
    buckets: int
    sets: tuple[str, ...] = ()
    """Files of problems that are taken as they are."""


class ClaimTexts(beam.DoFn):
    """Number of a part in; claims of its functions by what they say out."""

    def __init__(self, workspace: Workspace, options: CollectOptions) -> None:
        self._workspace = workspace
        self._options = options

    def process(self, part: int) -> Iterator[Keyed]:
        """Yields the claims for each bucket."""
        functions = _functions(self._workspace, part)
        claims = [
            {
                "fingerprint": each["text_fingerprint"],
                "behavior": each["behavior_fingerprint"],
                "rank": rank(each),
                "task_id": task_id(each),
                "part": part,
                "row": row,
            }
            for row, each in enumerate(functions)
            if self._options.rules.rejection(each) is None
        ]
        yield from _by_bucket(claims, self._options.buckets)


class KeepBest(beam.DoFn):
    """Claims of a bucket in; the next claims of what stays out."""

    def __init__(self, buckets: int) -> None:
        self._buckets = buckets

    def process(self, element: tuple[int, Iterable[pa.RecordBatch]]) -> Iterator[Keyed]:
        """Yields what stays under its other fingerprint."""
        kept, _ = keep_best(element[1])
        claims = [
            each | {"fingerprint": each["behavior"], "behavior": None} for each in kept.to_pylist()
        ]
        yield from _by_bucket(claims, self._buckets)


class DropCopies(beam.DoFn):
    """Claims of a bucket in; what does not stay out, by part."""

    def __init__(self, reason: Rejection) -> None:
        self._reason = reason

    def process(self, element: tuple[int, Iterable[pa.RecordBatch]]) -> Iterator[Keyed]:
        """Yields the drops of each part."""
        _, others = keep_best(element[1])
        drops: dict[int, list[dict[str, Any]]] = {}
        for each in others.to_pylist():
            drop = {"row": each["row"], "reason": str(self._reason), "kept": each["kept"]}
            drops.setdefault(each["part"], []).append(drop)
        for part, rows in drops.items():
            yield part, pa.RecordBatch.from_pylist(rows, DROPS)


class NoDrops(beam.DoFn):
    """Number of a part in; no drops for it out, so that each part is written."""

    def __init__(self) -> None:
        """It has no settings."""

    def process(self, part: int) -> Iterator[Keyed]:
        """Yields one empty batch."""
        yield part, pa.RecordBatch.from_pylist([], DROPS)


class WritePart(beam.DoFn):
    """Drops of a part in; writes its problems and why the others are none."""

    def __init__(self, workspace: Workspace, options: CollectOptions) -> None:
        self._workspace = workspace
        self._options = options

    def process(self, element: tuple[int, Iterable[pa.RecordBatch]]) -> Iterator[tuple[int, int]]:
        """Yields the part once it is written."""
        part, batches = element
        drops = {row["row"]: row for batch in batches for row in batch.to_pylist()}
        do_unit(_PartWork(self._workspace, self._options, drops), _unit(part))
        yield 0, part


@dataclass(frozen=True)
class _PartWork:
    workspace: Workspace
    options: CollectOptions
    drops: dict[int, dict[str, Any]]

    def __call__(self, unit: str) -> Receipt:
        name = f"{unit}.parquet"
        functions = _functions(self.workspace, tables.part_number(name))
        selection = [self._select(row, each) for row, each in enumerate(functions)]
        found = [
            problem_row(each)
            for each, chosen in zip(functions, selection, strict=True)
            if chosen["reason"] is None
        ]
        schemas = {tables.PROBLEMS: problems.SCHEMA, tables.PROBLEM_SELECTION: SELECTION}
        with self.workspace.write_tables(name, schemas) as writers:
            writers[tables.PROBLEMS].write(pa.RecordBatch.from_pylist(found, problems.SCHEMA))
            rows = pa.RecordBatch.from_pylist(selection, SELECTION)
            writers[tables.PROBLEM_SELECTION].write(rows)
        for file, has_docstring in _FILES.items():
            lines = json_lines(
                each for each in found if (each["docstring"] is not None) is has_docstring
            )
            self.workspace.files.write(f"{_LINES}/{file}/{unit}", lines)
        bins = Counter(f"problems.{row['reason'] or KEPT}" for row in selection)
        documented = sum(each["docstring"] is not None for each in found)
        return Receipt.of(writers, {**bins, "documented": documented})

    def _select(self, row: int, function: dict[str, Any]) -> dict[str, Any]:
        rejection = self.options.rules.rejection(function)
        if rejection is not None:
            return {"reason": str(rejection), "kept": None}
        drop = self.drops.get(row)
        return {"reason": drop and drop["reason"], "kept": drop and drop["kept"]}


_FILES = {PROBLEMS_FILE: True, SIGNATURES_FILE: False}
"""Files of problems, and whether those in it have a docstring."""


class JoinLines(beam.DoFn):
    """All parts in; writes the files that have the problems of all of them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def process(self, element: tuple[int, Iterable[int]]) -> Iterator[str]:
        """Yields the name of the finished unit."""
        do_unit(_JoinWork(self._workspace, tuple(sorted(element[1]))), UNIT)
        yield UNIT


@dataclass(frozen=True)
class _JoinWork:
    workspace: Workspace
    parts: tuple[int, ...]

    def __call__(self, unit: str) -> Receipt:
        entries = tuple(
            self.workspace.write_file(tables.PROBLEMS, file, self._members(file)) for file in _FILES
        )
        return Receipt({tables.PROBLEMS: entries})

    def _members(self, file: str) -> Iterator[memoryview]:
        for part in self.parts:
            yield memoryview(self.workspace.files.read(f"{_LINES}/{file}/{_unit(part)}"))


def _unit(part: int) -> str:
    return Path(tables.part_name(part)).stem


def _functions(workspace: Workspace, part: int) -> list[dict[str, Any]]:
    path = workspace.committed(tables.FUNCTIONS, tables.part_name(part))
    rows: list[dict[str, Any]] = read_part(path).to_pylist()
    return rows


def _by_bucket(claims: Iterable[dict[str, Any]], buckets: int) -> Iterator[Keyed]:
    divided: dict[int, list[dict[str, Any]]] = {}
    for claim in claims:
        bucket = bucket_of(claim["fingerprint"], claim["task_id"], buckets)
        divided.setdefault(bucket, []).append(claim)
    for bucket, rows in divided.items():
        yield bucket, pa.RecordBatch.from_pylist(rows, CLAIMS)


@dataclass(frozen=True)
class CollectSet:
    """Takes the problems of one file of a set."""

    workspace: Workspace
    sets: tuple[str, ...]

    def __call__(self, unit: str) -> Receipt:
        """Reads the set of this number."""
        path = local_path(self.sets[int(unit.removeprefix("set-"))])
        with path.open("rb") as file:
            revision = hashlib.file_digest(file, "sha256").hexdigest()
        found = read_problems(path).problems
        rows = list(set_rows(path.name.partition(".")[0], revision, found))
        with self.workspace.write_table(
            tables.PROBLEMS, f"{unit}.parquet", problems.SCHEMA
        ) as writer:
            writer.write(pa.RecordBatch.from_pylist(rows, problems.SCHEMA))
        return Receipt.of({tables.PROBLEMS: writer}, {"set_problems": len(rows)})


@dataclass
class CollectProblems(beam.PTransform[Any, Any]):
    """Makes problems of the verified functions that are wanted, each once."""

    workspace: Workspace
    parts: Sequence[str]
    options: CollectOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, the name of the last unit out."""
        workspace, options = self.workspace, self.options
        numbers = begin | "Begin" >> Begin([tables.part_number(part) for part in self.parts], int)
        claims = (
            numbers
            | "Spread parts" >> Spread(int)
            | "Claim texts" >> beam.ParDo(ClaimTexts(workspace, options)).with_output_types(Keyed)
        )
        drops = [numbers | "No drops" >> beam.ParDo(NoDrops()).with_output_types(Keyed)]
        # Two steps and not one of two outputs, whose second would have no coder of its type.
        for reason in (Rejection.DUPLICATE_TEXT, Rejection.DUPLICATE_BEHAVIOR):
            keep, drop = beam.ParDo(KeepBest(options.buckets)), beam.ParDo(DropCopies(reason))
            gathered = claims | f"Gather for {reason}" >> beam.GroupByKey()
            claims = gathered | f"Keep best for {reason}" >> keep.with_output_types(Keyed)
            drops.append(gathered | f"Drop copies for {reason}" >> drop.with_output_types(Keyed))
        sets = [f"set-{number:05d}" for number in range(len(options.sets))]
        taken = begin | "Sets" >> ProcessUnits(sets, CollectSet(workspace, options.sets))
        joined: PCollection[str] = (
            drops
            | "Join drops" >> beam.Flatten()
            | "Gather drops" >> beam.GroupByKey()
            | "Write parts"
            >> beam.ParDo(WritePart(workspace, options)).with_output_types(tuple[int, int])
            | "Gather parts" >> beam.GroupByKey()
            | "Join lines" >> beam.ParDo(JoinLines(workspace)).with_output_types(str)
        )
        finished: PCollection[str] = (joined, taken) | "Finished" >> beam.Flatten()
        return finished
