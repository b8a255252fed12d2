"""What became of the test suite of a repository, and of the functions that it called."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.runs import Run
from schemas import tables
from schemas.problems import KEPT, NOT_VERIFIED
from transforms.collect.rows import task_id
from transforms.parts import read_part

_FUNCTION_COLUMNS = [
    *("repository", "revision", "path", "line", "qualname", "kind", "seen", "calls"),
    *("opaque", "reason", "detail"),
]
_INDENT = "    "


@dataclass(frozen=True)
class Tracing:
    """The rows of ``projects`` of a repository, and its functions with what became of them.

    Functions are those of one file, or of all; each has ``outcome``: `KEPT` for a problem, or
    why it is none, and ``task_id``: its own, or that of the problem that stands for it.
    """

    projects: list[dict[str, Any]] = field(default_factory=list)
    functions: list[dict[str, Any]] = field(default_factory=list)


def explain_tracing(run: Run, repository: str, path: str | None) -> Tracing:
    """Looks up a repository, or one file of it; nothing is found where nothing was traced."""
    projects: list[dict[str, Any]] = []
    functions: list[dict[str, Any]] = []
    manifest = run.manifest(tables.PROJECTS)
    for entry in manifest.files if manifest else ():
        found = read_part(run.file(tables.PROJECTS, entry.name)).to_pylist()
        here = [row for row in found if row["repository"] == repository]
        for project in here:
            project["plan"] = json.loads(project["plan"]) if project["plan"] else None
        projects += here
        if here:
            functions += _functions(run, entry.name, repository, path)
    return Tracing(projects, functions)


def _functions(run: Run, part: str, repository: str, path: str | None) -> Iterator[dict[str, Any]]:
    rows = read_part(run.file(tables.FUNCTIONS, part), _FUNCTION_COLUMNS).to_pylist()
    collected: list[dict[str, Any]] = [{"reason": NOT_VERIFIED, "kept": None}] * len(rows)
    if run.manifest(tables.PROBLEM_SELECTION) is not None:
        collected = read_part(run.file(tables.PROBLEM_SELECTION, part)).to_pylist()
    for row, selection in zip(rows, collected, strict=True):
        if row["repository"] == repository and path in (None, row["path"]):
            reason = row["reason"] or selection["reason"] or KEPT
            yield {
                **row,
                "outcome": reason,
                "task_id": selection["kept"] or (task_id(row) if reason == KEPT else None),
            }


def tell_tracing(tracing: Tracing, path: str | None) -> Iterator[str]:
    """The lines about it that ``repomill why`` prints."""
    for project in tracing.projects:
        yield from _tell_project(project)
    if path is None:
        bins = Counter(each["outcome"] for each in tracing.functions)
        if bins:
            yield f"  {bins.total():,} functions were called by its tests:"
        for name, count in sorted(bins.items(), key=lambda item: (-item[1], item[0])):
            yield f"  {count:>8,}  {'problems' if name == KEPT else name}"
        return
    for each in tracing.functions:
        yield from _tell_function(each)


def _tell_project(project: Mapping[str, Any]) -> Iterator[str]:
    python = f" with Python {project['python']}" if project["python"] else ""
    yield f"  test suite of {project['revision']}: {project['state']}{python}"
    if project["tests_passed"] is not None:
        passed, failed = project["tests_passed"], project["tests_failed"]
        yield f"{_INDENT}{passed:,} tests passed, {failed:,} failed"
    for line in project["detail"].splitlines():
        yield f"{_INDENT}| {line}"
    for key, value in (project["plan"] or {}).items():
        for line in _lines(value):
            yield f"{_INDENT}{key}: {line}"
    for step in project["steps"]:
        yield f"{_INDENT}step: {step}"


def _lines(value: Any) -> list[str]:
    """A part of a plan, one thing a line."""
    if value in (None, "", [], {}):
        return []
    if isinstance(value, list):
        return [text for each in value for text in _lines(each)]
    if isinstance(value, dict):
        parts = (f"{key} {' '.join(_lines(each))}" for key, each in value.items() if each)
        return ["; ".join(parts)]
    return [str(value)]


def _tell_function(function: Mapping[str, Any]) -> Iterator[str]:
    said = {KEPT: f"problem {function['task_id']}"}.get(function["outcome"], function["outcome"])
    if function["outcome"] != KEPT and function["task_id"]:
        said += f" of {function['task_id']}"
    detail = f": {function['detail']}" if function["detail"] else ""
    yield (
        f"  line {function['line']}  {function['qualname']} ({function['kind']}, "
        f"{function['seen']:,} calls): {said}{detail}"
    )
