"""Flattening: the statements of a module that run, from branches that are known to be taken."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from transforms.trace.lifting.conditions import truth
from transforms.trace.lifting.text import first_line

Imports = Callable[[ast.Import | ast.ImportFrom], bool | None]
"""Whether an import works, None where that is not known."""

_CATCHING = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_HARMLESS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass)
_Branches = Sequence[Sequence[ast.stmt]]


@dataclass(frozen=True)
class Flat:
    """A statement of a module's top level."""

    node: ast.stmt
    typing_only: bool
    """Only a type checker reads it."""


def flatten(
    body: Iterable[ast.stmt],
    imports: Imports,
    wanted_line: int | None = None,
    *,
    typing_only: bool = False,
) -> Iterator[Flat]:
    """The statements that run, in order.

    Args:
      body: of a module, or of a function that is treated like one.
      imports: whether an import works.
      wanted_line: of a function that ran; the branches that it stands in were taken.
    """
    body = list(body)
    names = _single_values(body)
    for node in body:
        branch = _branch(node, imports, names, wanted_line)
        if branch is None:
            yield Flat(node, typing_only)
            continue
        yield from flatten(branch, imports, wanted_line, typing_only=typing_only)
        if isinstance(node, ast.If) and _is_for_checkers(node.test) and not node.orelse:
            yield from (Flat(each, typing_only=True) for each in node.body)


def _branch(
    node: ast.stmt,
    imports: Imports,
    names: Mapping[str, ast.expr],
    wanted_line: int | None,
) -> Sequence[ast.stmt] | None:
    """The statements that take the place of one, None where it stays."""
    if isinstance(node, ast.If):
        holds = truth(node.test, names)
        if holds is not None:
            return node.body if holds else node.orelse
        return _holding(wanted_line, [node.body, node.orelse])
    if isinstance(node, ast.Try):
        return _branch_of_try(node, imports) or _holding(
            wanted_line,
            [[*node.body, *node.orelse], *(handler.body for handler in node.handlers)],
        )
    return None


def _branch_of_try(node: ast.Try, imports: Imports) -> Sequence[ast.stmt] | None:
    handler = next((each for each in node.handlers if _catches(each)), None)
    if handler is None:
        return None
    done: list[ast.stmt] = []
    for statement in node.body:
        works = _works(statement, imports)
        if works is None:
            return None
        if not works:
            # A name of a handler is gone after it, so nothing below can need it.
            return [*done, *handler.body, *node.finalbody] if not handler.name else None
        done.append(statement)
    return [*node.body, *node.orelse, *node.finalbody]


def _works(node: ast.stmt, imports: Imports) -> bool | None:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return imports(node)
    if isinstance(node, _HARMLESS):
        return True
    if isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Constant):
        return True
    return None


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(name, ast.Name) and name.id in _CATCHING for name in names)


def _holding(line: int | None, branches: _Branches) -> Sequence[ast.stmt] | None:
    """The branch that a line is in."""
    if line is None:
        return None
    for branch in branches:
        if branch and first_line(branch[0]) <= line <= (branch[-1].end_lineno or 0):
            return [each for each in branch if not isinstance(each, ast.Raise | ast.Return)]
    return None


def _single_values(body: Iterable[ast.stmt]) -> dict[str, ast.expr]:
    """What names stand for that are assigned once."""
    found: dict[str, ast.expr] = {}
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id not in found:
                    found[target.id] = node.value
                elif isinstance(target, ast.Name):
                    found[target.id] = ast.Name("")
    return found


def _is_for_checkers(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))
