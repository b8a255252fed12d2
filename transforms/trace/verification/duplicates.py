"""Duplicates among problems: functions of the same text, or of the same behavior.

The text of a function is its syntax without docstrings, annotations and the names of what is
local to it, the function's own included. Its behavior is what all its calls led to.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from transforms.syntax_trees import parse_module

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
_MOST_TEXT = 1 << 20


@dataclass(frozen=True)
class Fingerprints:
    """Of one function."""

    text: str
    """A digest; empty where the program has no such function."""

    behavior: str
    """A digest of arguments and outcomes."""


def fingerprints(
    program: str, entry_point: str, behavior: Iterable[tuple[str, str]]
) -> Fingerprints:
    """Those of a function, of whose calls arguments and outcomes are given as text."""
    return Fingerprints(text_fingerprint(program, entry_point), behavior_fingerprint(behavior))


def text_fingerprint(program: str, entry_point: str) -> str:
    """A digest that is the same for functions that differ in names of their own alone."""
    function = find_function(program, entry_point)
    if function is None:
        return ""
    return _digest([ast.dump(_Plain(function).visit(function))])


def behavior_fingerprint(behavior: Iterable[tuple[str, str]]) -> str:
    """A digest that is the same for the same calls with the same outcomes, in any order."""
    return _digest(sorted({"\0".join(pair) for pair in behavior}))


def find_function(program: str, entry_point: str) -> FUNCTION | None:
    """The last function of a name, or method "Class.name", of a program."""
    if len(program) > _MOST_TEXT:
        return None
    try:
        body: list[ast.stmt] = parse_module(program).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    *owners, name = entry_point.split(".")
    for owner in owners:
        classes = [node for node in body if isinstance(node, ast.ClassDef) and node.name == owner]
        body = classes[-1].body if classes else []
    functions = [node for node in body if isinstance(node, FUNCTION) and node.name == name]
    return functions[-1] if functions else None


class _Plain(ast.NodeTransformer):
    """Numbers the local names of a function, and leaves out what is not run."""

    def __init__(self, function: FUNCTION) -> None:
        self._numbers: dict[str, str] = {function.name: "n"}
        for node in ast.walk(function):
            name = _bound(node)
            if name is not None:
                self._numbers.setdefault(name, f"n{len(self._numbers)}")

    def visit(self, node: ast.AST) -> ast.AST:
        """The node in other names."""
        self.generic_visit(node)
        for field in ("name", "id", "arg", "rest"):
            if isinstance(name := getattr(node, field, None), str):
                setattr(node, field, self._numbers.get(name, name))
        for field in ("annotation", "returns", "type_comment"):
            if hasattr(node, field):
                setattr(node, field, None)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            node.decorator_list = []
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:]
        return node


def _bound(node: ast.AST) -> str | None:
    """The name that a node binds."""
    match node:
        case ast.arg(arg=name):
            return name
        case ast.Name(id=name, ctx=ast.Store()):
            return name
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.ExceptHandler(name=name):
            return name
    return None


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
