"""Rows of functions for tests: what a trace might have found."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet

from schemas import functions, tables
from transforms.collect.rules import Rules
from transforms.parts import Workspace


def function(name: str, **changes: Any) -> dict[str, Any]:
    """A verified function that adds a number of its own, with changes."""
    row: dict[str, Any] = {field.name: None for field in functions.SCHEMA}
    row |= {
        "repository": "pypi/tool",
        "revision": "1.0",
        "path": "tool.py",
        "line": 1,
        "qualname": name,
        "kind": "function",
        "license": "MIT",
        "license_class": "permissive",
        "seen": 5,
        "calls": 3,
        "opaque": [],
        "detail": "",
        "entry_point": name,
        "docstring": "Adds one.",
        "prompt": f'def {name}(x):\n    """Adds one."""\n',
        "prompt_without_docstring": f"def {name}(x):\n",
        "body": "    return x + 1\n",
        "test": "def check(candidate):\n    assert candidate(1) == 2\n",
        "cases": 1,
        "replays": 5,
        "line_coverage": 1.0,
        "branch_coverage": 1.0,
        "mutants": 3,
        "mutants_killed": 3,
        "body_lines": 1,
        "complexity": 1,
        "packages": [],
        "text_fingerprint": name,
        "behavior_fingerprint": f"does {name}",
    }
    return row | changes


def rules(**changes: Any) -> Rules:
    """Rules that the function above satisfies, with changes."""
    bounds: dict[str, Any] = {
        "max_body_lines": 10,
        "min_complexity": 1,
        "max_complexity": 10,
        "max_prompt_characters": 100,
        "min_line_coverage": 0.5,
        "min_mutants_killed": 0.5,
    }
    return Rules(**(bounds | changes))


def write_functions(workspace: Workspace, *parts: list[dict[str, Any]]) -> list[str]:
    """Writes committed parts of functions, and gives their names."""
    names = []
    for number, rows in enumerate(parts):
        names.append(tables.part_name(number))
        path = workspace.committed(tables.FUNCTIONS, names[-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        pa.parquet.write_table(pa.Table.from_pylist(rows, functions.SCHEMA), path)
    return names
