"""What tracing found, as rows of ``projects`` and ``functions``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from schemas import functions
from schemas.licenses import LicenseClass
from transforms.trace.examination import Examined
from transforms.trace.project import Project, Traced

_DURATION = re.compile(r"\b\d+(?:\.\d+)? ?(?:s|ms|seconds?|minutes?)\b(?: \(\d+:\d\d:\d\d\))?")


def project_row(project: Project, traced: Traced) -> dict[str, Any]:
    """The row of a project: equal for equal runs of its suite, however long they took."""
    run = traced.run
    return {
        "repository": project.repository,
        "revision": project.revision,
        "state": str(traced.state),
        "detail": _DURATION.sub("(time)", traced.detail),
        "plan": traced.plan,
        "python": traced.environment and str(traced.environment.interpreter),
        "installed": list(traced.environment.installed) if traced.environment else [],
        "steps": [f"{step.name}: {'done' if step.done else 'failed'}" for step in traced.steps],
        "tests_passed": run and run.counts.passed,
        "tests_failed": run and run.counts.failed + run.counts.errors,
        "functions": len(traced.functions),
        "calls": sum(each.traced.seen for each in traced.functions),
        "verified": sum(each.reason is None for each in traced.functions),
    }


def function_rows(project: Project, examined: Iterable[Examined]) -> list[dict[str, Any]]:
    """The rows of the functions of a project, sorted by path and line."""
    rows = [_function_row(project, each) for each in examined]
    return sorted(rows, key=lambda row: (row["path"], row["line"], row["qualname"]))


def _function_row(project: Project, examined: Examined) -> dict[str, Any]:
    function = examined.traced.function
    license_, license_class = project.licenses.get(function.file, (None, LicenseClass.NONE))
    return {
        **dict.fromkeys(functions.SCHEMA.names),
        "repository": project.repository,
        "revision": project.revision,
        "path": function.file,
        "line": function.line,
        "qualname": function.qualname,
        "kind": str(function.kind),
        "license": license_,
        "license_class": str(license_class),
        "seen": examined.traced.seen,
        "calls": len(examined.traced.calls),
        "opaque": [
            {"what": what, "calls": calls} for what, calls in sorted(examined.traced.opaque)
        ],
        "reason": examined.reason,
        "detail": examined.detail,
        **examined.problem,
    }


def count_findings(traced: Traced) -> dict[str, int]:
    """What the receipt of a project counts."""
    counts: dict[str, int] = {f"projects.{traced.state}": 1}
    for each in traced.functions:
        name = f"functions.{each.reason}" if each.reason else "verified"
        counts[name] = counts.get(name, 0) + 1
    counts["cpu_milliseconds"] = round(traced.cpu_seconds * 1000)
    return counts
