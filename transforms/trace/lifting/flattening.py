"""Flattening: the statements of a module that run, from branches that are known to be taken."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from transforms.trace.lifting.conditions import GLOBALS, truth
from transforms.trace.lifting.text import first_line

Imports = Callable[[ast.Import | ast.ImportFrom], bool | None]
"""Whether an import works, None where that is not known."""

_OF_IMPORTS = frozenset({"ImportError", "ModuleNotFoundError"})
_CATCHING = _OF_IMPORTS | {"Exception", "BaseException"}
_HARMLESS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass)
_Branches = Sequence[Sequence[ast.stmt]]


@dataclass(frozen=True)
class Flat:
    """A statement of a module's top level."""

    node: ast.stmt
    typing_only: bool
    """Only a type checker reads it."""


def flatten(
    body: Sequence[ast.stmt], imports: Imports, wanted_line: int | None = None
) -> Iterator[Flat]:
    """The statements that run, in order.

    Args:
      body: of a module, or of a function that is treated like one.
      imports: whether an import works.
      wanted_line: of a function that ran; the branches that it stands in were taken.
    """
    return _Flattening(imports, wanted_line).run(body)


class _Flattening:
    def __init__(self, imports: Imports, wanted_line: int | None) -> None:
        self._imports = imports
        self._wanted_line = wanted_line
        self._bound: set[str] = set()

    def run(self, body: Sequence[ast.stmt]) -> Iterator[Flat]:
        names = _single_values(body)
        for node in body:
            branch = self._branch(node, names)
            if branch is None:
                self._bound.update(_bound(node))
                yield Flat(node, typing_only=False)
                continue
            yield from self.run(branch)
            if isinstance(node, ast.If) and _is_for_checkers(node.test) and not node.orelse:
                yield from (Flat(each, typing_only=True) for each in node.body)

    def _branch(self, node: ast.stmt, names: Mapping[str, ast.expr]) -> Sequence[ast.stmt] | None:
        """The statements that take the place of one, None where it stays."""
        branches: _Branches = []
        if isinstance(node, ast.If):
            branches = [node.body, node.orelse]
        elif isinstance(node, ast.Try):
            handlers = (handler.body for handler in node.handlers)
            branches = [[*node.body, *node.orelse], *handlers]
        taken = _holding(self._wanted_line, branches)
        if taken is not None:
            return taken
        if isinstance(node, ast.If):
            here: list[ast.expr] = [ast.Constant(name) for name in sorted(self._bound)]
            holds = truth(node.test, {**names, GLOBALS: ast.Tuple(here, ast.Load())})
            return None if holds is None else node.body if holds else node.orelse
        tried = _suppressing(node) if isinstance(node, ast.With) else node
        return _branch_of_try(tried, self._imports) if isinstance(tried, ast.Try) else None


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    else:
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                yield each.id


def _suppressing(node: ast.With) -> ast.Try | None:
    """A block in ``contextlib.suppress`` as the statement that does the same."""
    match node.items:
        case [ast.withitem(context_expr=ast.Call(func=function, args=types, keywords=[]))]:
            if getattr(function, "id", getattr(function, "attr", "")) == "suppress":
                handler = ast.ExceptHandler(ast.Tuple(types, ast.Load()), None, [])
                return ast.Try(node.body, [handler], [], [])
    return None


def _branch_of_try(node: ast.Try, imports: Imports) -> Sequence[ast.stmt] | None:
    handler = next((each for each in node.handlers if _catches(each)), None)
    if handler is None:
        return None
    only_imports = all(_names(each) <= _OF_IMPORTS for each in node.handlers)
    done: list[ast.stmt] = []
    for statement in node.body:
        works = _works(statement, imports, only_imports)
        if works is None:
            return None
        if not works:
            # A name of a handler is gone after it, so nothing below can need it.
            return [*done, *handler.body, *node.finalbody] if not handler.name else None
        done.append(statement)
    return [*node.body, *node.orelse, *node.finalbody]


def _works(node: ast.stmt, imports: Imports, only_imports: bool) -> bool | None:
    """Whether a statement raises nothing that a handler catches."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return imports(node)
    if only_imports and not isinstance(node, ast.Raise):
        return True
    if isinstance(node, _HARMLESS):
        return True
    if isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Constant):
        return True
    return None


def _catches(handler: ast.ExceptHandler) -> bool:
    return not _names(handler).isdisjoint(_CATCHING)


def _names(handler: ast.ExceptHandler) -> set[str]:
    """Of the exceptions that a handler is for."""
    if handler.type is None:
        return {"BaseException"}
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {getattr(each, "id", "") for each in types}


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
