"""Trace: ``trees`` in, ``projects`` and ``functions`` out.

An element is a repository: its suite runs in the sandbox of whoever gets it, and what came of
it is staged before the next begins, so that an interrupted run goes on at the repository.
Shuffled are numbers of repositories.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection

from schemas import functions, projects, tables
from transforms.parts import Progress, Receipt, Workspace
from transforms.stage import Begin, Spread, do_unit
from transforms.trace.options import TraceOptions
from transforms.trace.project import ProjectTracer
from transforms.trace.rows import count_findings, function_rows, project_row
from transforms.trace.trees import count_projects, read_project

Numbered = tuple[int, int]
"""The number of a part and that of a repository in it."""

NOBODY = -1
"""Stands for no repository, so that each part is written."""


class ListProjects(beam.DoFn):
    """Number of a part in; numbers of its repositories out, unless the part is finished."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def process(self, part: int) -> Iterator[Numbered]:
        """Yields each repository."""
        if not self._workspace.has_receipt(_unit(part)):
            path = self._workspace.committed(tables.TREES, tables.part_name(part))
            yield from ((part, number) for number in range(count_projects(path)))


class NameParts(beam.DoFn):
    """Number of a part in; the same with no repository out."""

    def __init__(self) -> None:
        """It has no settings."""

    def process(self, part: int) -> Iterator[Numbered]:
        """Yields one pair."""
        yield part, NOBODY


class TraceProject(beam.DoFn):
    """Number of a repository in; runs its suite, and stages what came of it."""

    def __init__(self, workspace: Workspace, options: TraceOptions) -> None:
        self.workspace = workspace
        self._options = options
        self._tracer: ProjectTracer | None = None

    def process(self, element: Numbered) -> Iterator[Numbered]:
        """Yields the repository once it is staged."""
        do_unit(self, _member(*element))
        yield element

    def __call__(self, unit: str) -> Receipt:
        """The work on one repository."""
        name, _, number = unit.rpartition("-")
        path = self.workspace.committed(tables.TREES, f"{name}.parquet")
        with Progress(self.workspace, unit) as progress:
            project = read_project(path, int(number))
            traced = self._open().trace(project)
            findings = {
                "project": project_row(project, traced),
                "functions": function_rows(project, traced.functions),
                "counts": count_findings(traced),
            }
            text = json.dumps(findings).encode()
            self.workspace.files.write(_findings_of(unit), text, durable=False)
            progress.add(repositories=1)
        # What it counts is counted by its part, which may be taken over by another run.
        return Receipt(files={})

    def _open(self) -> ProjectTracer:
        if self._tracer is None:
            place = self.workspace.files.local(f"projects/{os.getpid()}-{get_ident()}")
            self._tracer = ProjectTracer(self._options, place)
        return self._tracer

    def teardown(self) -> None:
        """Ends the sandboxes of this worker."""
        if self._tracer is not None:
            self._tracer.close()
            self._tracer = None

    def __getstate__(self) -> dict[str, Any]:
        return {"workspace": self.workspace, "_options": self._options, "_tracer": None}


class WritePart(beam.DoFn):
    """Numbers of the repositories of a part in; writes what came of all of them."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._numbers: list[int] = []

    def process(self, element: tuple[int, Iterable[int]]) -> Iterator[str]:
        """Yields the name of the finished part."""
        part, numbers = element
        self._numbers = sorted(set(numbers) - {NOBODY})
        do_unit(self, _unit(part))
        yield _unit(part)

    def __call__(self, unit: str) -> Receipt:
        """Writes the part."""
        schemas = {tables.PROJECTS: projects.SCHEMA, tables.FUNCTIONS: functions.SCHEMA}
        counts: Counter[str] = Counter()
        with self.workspace.write_tables(f"{unit}.parquet", schemas) as writers:
            for number in self._numbers:
                text = self.workspace.files.read(_findings_of(f"{unit}-{number:05d}"))
                found = json.loads(text)
                rows = {tables.PROJECTS: [found["project"]], tables.FUNCTIONS: found["functions"]}
                for table, schema in schemas.items():
                    writers[table].write(pa.RecordBatch.from_pylist(rows[table], schema))
                counts.update(found["counts"])
        return Receipt.of(writers, counts)


def _unit(part: int) -> str:
    return Path(tables.part_name(part)).stem


def _member(part: int, number: int) -> str:
    return f"{_unit(part)}-{number:05d}"


def _findings_of(unit: str) -> str:
    return f"traced/{unit}.json"


@dataclass
class TraceProjects(beam.PTransform[Any, Any]):
    """Runs the test suites of repositories, and makes problems of the functions they call."""

    workspace: Workspace
    parts: Sequence[str]
    options: TraceOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished parts out."""
        workspace, options = self.workspace, self.options
        parts = begin | "Begin" >> Begin([tables.part_number(part) for part in self.parts], int)
        named = parts | "Name parts" >> beam.ParDo(NameParts()).with_output_types(Numbered)
        listing = beam.ParDo(ListProjects(workspace)).with_output_types(Numbered)
        tracing = beam.ParDo(TraceProject(workspace, options)).with_output_types(Numbered)
        traced = (
            parts
            | "Spread parts" >> Spread(int)
            | "List repositories" >> listing
            | "Spread repositories" >> Spread(Numbered)
            | "Trace repositories" >> tracing
        )
        finished: PCollection[str] = (
            (named, traced)
            | "Join" >> beam.Flatten()
            | "Gather parts" >> beam.GroupByKey()
            | "Write parts" >> beam.ParDo(WritePart(workspace)).with_output_types(str)
        )
        return finished
