"""Measures of a function that say how difficult it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from transforms.trace.lifting.results import Lifted
from transforms.trace.lifting.text import parse

_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.With, ast.AsyncWith, ast.Match)
_BRANCHES = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.IfExp,
    ast.ExceptHandler,
    ast.comprehension,
)


@dataclass(frozen=True)
class Measures:
    """Sizes of a function's body."""

    lines: int
    """With something else than white space and comments."""

    complexity: int
    """Cyclomatic: one more than the decisions, those of functions inside and each ``and`` and
    ``or`` among them (McCabe, "A complexity measure", 1976)."""

    nesting: int
    """Blocks in each other, 0 for a body of simple statements."""


def measure(lifted: Lifted) -> Measures:
    """The measures of the body of a lifted function.

    Raises:
      LiftError: it is no Python.
    """
    tree = parse(f"def function():\n{lifted.body}")
    lines = [line.strip() for line in lifted.body.split("\n")]
    return Measures(
        lines=sum(1 for line in lines if line and not line.startswith("#")),
        complexity=1 + sum(map(_decisions, ast.walk(tree))),
        nesting=max(_depths(tree), default=0),
    )


def _decisions(node: ast.AST) -> int:
    if isinstance(node, _BRANCHES):
        return 1 + len(getattr(node, "ifs", ()))
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.Match):
        return len(node.cases)
    return 0


def _depths(tree: ast.Module) -> Iterator[int]:
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        for child in ast.iter_child_nodes(node):
            # ``elif`` is an ``if`` in the other branch of one, and stands no deeper.
            is_elif = (
                isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
            )
            inner = depth + (isinstance(child, _BLOCKS) and not is_elif)
            yield inner
            waiting.append((child, inner))
