"""Arguments of ``setup()`` in a setup.py, read from its syntax and never run."""

from __future__ import annotations

import ast
from typing import Any

from transforms.trace.plans.literals import assign, called_name, keyword_values

_MAX_DEPTH = 20


def setup_arguments(tree: ast.Module) -> dict[str, Any]:
    """Those keyword arguments of a call of `setup` whose values are plain; others are left out."""
    names: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for statement in _statements(tree.body):
        if isinstance(statement, ast.Assign):
            assign(statement, names)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            call = statement.value
            if called_name(call) == "setup":
                found |= keyword_values(call, names)
    return found


def _statements(body: list[ast.stmt], depth: int = 0) -> list[ast.stmt]:
    """Statements of a module, those inside of ``if`` and ``try`` and functions among them."""
    found: list[ast.stmt] = []
    for statement in body:
        found.append(statement)
        if depth < _MAX_DEPTH and not isinstance(statement, ast.ClassDef):
            for field in ("body", "orelse", "finalbody"):
                found += _statements(getattr(statement, field, []), depth + 1)
    return found
