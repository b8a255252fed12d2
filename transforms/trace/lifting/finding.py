"""Finding: the definition of a function that ran, by its qualified name and line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from transforms.trace.lifting.results import LiftError, LiftReason
from transforms.trace.lifting.text import first_line

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Found:
    """A definition, and what it stands in from the outside in."""

    node: Definition
    scopes: tuple[ast.ClassDef | Definition, ...]


def find(tree: ast.Module, qualname: str, line: int) -> Found:
    """The definition with a qualified name whose first line, or first decorator, is given.

    Where no line is right, the only one of that name is taken.

    Raises:
      LiftError: there is none.
    """
    if qualname.rpartition(".")[2].startswith("<"):
        raise LiftError(LiftReason.NOT_FOUND, f"{qualname} has no name")
    found = [each for each in _definitions(tree) if _qualname(each) == qualname]
    exact = [each for each in found if first_line(each.node) <= line <= each.node.lineno]
    chosen = exact or (found if len(found) == 1 else [])
    if not chosen:
        raise LiftError(LiftReason.NOT_FOUND, f"{qualname} in line {line}")
    return chosen[-1]


def _definitions(tree: ast.Module) -> Iterator[Found]:
    waiting: list[tuple[ast.AST, tuple[ast.ClassDef | Definition, ...]]] = [(tree, ())]
    while waiting:
        node, scopes = waiting.pop()
        if isinstance(node, Definition):
            yield Found(node, scopes)
        inner = scopes
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = (*scopes, node)
        waiting += [
            (child, inner)
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case)
        ]


def _qualname(found: Found) -> str:
    parts = []
    for scope in found.scopes:
        parts += [scope.name] if isinstance(scope, ast.ClassDef) else [scope.name, "<locals>"]
    return ".".join([*parts, found.node.name])
