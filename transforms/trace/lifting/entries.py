"""Entries: the function that is lifted as a piece of its module, wherever it stands in it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Protocol

from transforms.trace.lifting.finding import Definition, Found, find
from transforms.trace.lifting.forms import Entry, decorator_name
from transforms.trace.lifting.modules import Module, Project
from transforms.trace.lifting.pieces import Piece, Unit
from transforms.trace.lifting.resolution import Resolver
from transforms.trace.lifting.results import LiftError, LiftReason
from transforms.trace.lifting.scopes import parameters
from transforms.trace.lifting.text import first_line

_GETTERS = frozenset({"cached_property", "lazy_property", "reify"})
"""Decorators that make what a method returns an attribute, besides those called a property."""

_SETTERS = frozenset({"setter", "deleter"})
_LIFTED_LOCALS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign)
_Scopes = Sequence[ast.ClassDef | Definition]


class Located(Protocol):
    """A function as a tracer names it."""

    @property
    def module(self) -> str:
        """Dotted name of its module."""

    @property
    def qualname(self) -> str:
        """Its qualified name."""

    @property
    def line(self) -> int:
        """The first of its code, that of its first decorator where it has any."""


def find_entry(project: Project, resolver: Resolver, function: Located) -> Entry:
    """The function as a piece; a function in another as one of a module of its own.

    Raises:
      LiftError: there is none of that name, or of a kind that is not lifted.
    """
    if function.module not in project.sources:
        raise LiftError(LiftReason.NOT_FOUND, f"no module {function.module}")
    _check_is_no_test(project.sources.path(function.module), function.qualname)
    found = find(project.sources.source(function.module).tree, function.qualname, function.line)
    getter = _getter(found)
    module = project.module(function.module)
    functions = [place for place, each in enumerate(found.scopes) if isinstance(each, Definition)]
    if functions:
        if functions[-1] != len(found.scopes) - 1:
            raise LiftError(LiftReason.NESTED_CLASS, function.qualname)
        module = _enclose(project, resolver, module, found.scopes, first_line(found.node))
        return _entry_of_local(module, found)
    if len(found.scopes) > 1:
        raise LiftError(LiftReason.NESTED_CLASS, function.qualname)
    outer = found.scopes[0] if found.scopes else found.node
    piece = _piece_of(module, outer) or _piece_in_branch(project, resolver, module, outer)
    return Entry(piece, _unit_of(piece, found.node), getter)


def check_is_last(resolver: Resolver, entry: Entry) -> None:
    """Sees that nothing binds the name again, as that would have to stand after the body.

    Raises:
      LiftError: something does.
    """
    if entry.stands_apart:
        return
    module = resolver.module(entry.piece.module)
    later = [
        piece
        for piece in module.binders.get(entry.name, ())
        if piece.number > entry.piece.number and not piece.typing_only
    ]
    if later:
        detail = f"line {later[0].node.lineno} binds {entry.name} again"
        raise LiftError(LiftReason.NEEDS_CODE_AFTER, detail)
    after = entry.piece.units[entry.piece.units.index(entry.unit) + 1 :]
    function = entry.function
    again = [unit for unit in after if unit.function and unit.function.name == function.name]
    if not all(entry.getter and _is_setter(unit, function.name) for unit in again):
        raise LiftError(LiftReason.NEEDS_CODE_AFTER, f"{function.name} is defined again")


def _check_is_no_test(path: str, qualname: str) -> None:
    parts = path.replace("\\", "/").split("/")
    name = parts[-1]
    is_test = name.startswith(("test_", "conftest.")) or name.endswith("_test.py")
    if is_test or {"tests", "test"} & set(parts[:-1]) or name in ("tests.py", "test.py"):
        raise LiftError(LiftReason.TEST_CODE, path)
    if any(part.startswith("test_") for part in qualname.split(".")):
        raise LiftError(LiftReason.TEST_CODE, qualname)


def _getter(found: Found) -> ast.expr | None:
    """The decorator that makes a property of a method; the kind of the function is checked."""
    node = found.node
    if isinstance(node, ast.AsyncFunctionDef):
        raise LiftError(LiftReason.COROUTINE, node.name)
    if ast.get_docstring(node, clean=False) is not None and len(node.body) == 1:
        raise LiftError(LiftReason.EMPTY_BODY, node.name)
    names = list(map(decorator_name, node.decorator_list))
    is_getter = bool(names) and _is_getter(names[0])
    others = names[1:] if is_getter else names
    if any(_is_property(name) for name in others):
        raise LiftError(LiftReason.PROPERTY, node.name)
    return node.decorator_list[0] if is_getter else None


def _is_getter(name: str) -> bool:
    return name in _GETTERS or (name.endswith("property") and "class" not in name)


def _is_property(name: str) -> bool:
    return name in _GETTERS | _SETTERS | {"getter"} or name.endswith("property")


def _is_setter(unit: Unit, name: str) -> bool:
    """Whether it is a part of a property that is read as well."""
    function = unit.function
    return function is not None and any(
        isinstance(each, ast.Attribute)
        and each.attr in _SETTERS
        and isinstance(each.value, ast.Name)
        and each.value.id == name
        for each in function.decorator_list
    )


def _piece_of(module: Module, node: ast.stmt) -> Piece | None:
    return next((piece for piece in module.pieces if piece.node is node), None)


def _piece_in_branch(project: Project, resolver: Resolver, module: Module, node: ast.stmt) -> Piece:
    """The piece of a definition in a branch that nothing but its having run says was taken."""
    again = project.flattened(module.name, first_line(node))
    resolver.add(again)
    piece = _piece_of(again, node)
    if piece is None:
        raise LiftError(LiftReason.NOT_FOUND, f"line {node.lineno} stands in a loop or block")
    return piece


def _unit_of(piece: Piece, node: Definition) -> Unit:
    for unit in piece.units:
        if unit.function is node:
            return unit
    raise LiftError(LiftReason.NOT_FOUND, f"{node.name} is no member that stands by itself")


# Functions in functions


def _enclose(
    project: Project, resolver: Resolver, module: Module, scopes: _Scopes, line: int
) -> Module:
    """The innermost of some functions as a module inside of those around it."""
    name = module.name
    for scope in scopes:
        name = f"{name}.<{scope.name}>"
        if isinstance(scope, ast.ClassDef):
            continue
        flat = project.flatten(module.real_name, scope.body, line)
        inner = project.make_module(name, module.real_name, module.source, flat, module)
        inner.closed = _closed(scope, inner.pieces)
        resolver.add(inner)
        module = inner
    return module


def _closed(scope: Definition, pieces: Iterable[Piece]) -> frozenset[str]:
    """Names of a function that nothing else than a call of it gives a value."""
    names = {parameter.arg for parameter in parameters(scope.args)}
    seen: set[str] = set()
    for piece in pieces:
        lifted = isinstance(piece.node, _LIFTED_LOCALS) and not _waits(piece.node)
        names |= piece.binds & seen if lifted else piece.binds
        seen |= piece.binds
    for node in ast.walk(scope):
        if isinstance(node, ast.Nonlocal):
            names.update(node.names)
    return frozenset(names)


def _waits(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return False
    return any(isinstance(each, ast.Yield | ast.YieldFrom | ast.Await) for each in ast.walk(node))


def _entry_of_local(module: Module, found: Found) -> Entry:
    piece = _piece_of(module, found.node)
    if piece is None:
        flat = f"{found.node.name} is defined in a branch of a function"
        raise LiftError(LiftReason.CLOSURE, flat)
    if found.node.name in module.closed:
        raise LiftError(LiftReason.CLOSURE, found.node.name)
    unit = piece.units[0]
    if any(isinstance(scope, ast.ClassDef) for scope in found.scopes):
        private = [name for name in unit.attributes if name.startswith("__") and name[-2:] != "__"]
        if private or any(use.name in ("super", "__class__") for use in unit.uses):
            raise LiftError(LiftReason.CLOSURE, "the class around it")
    return Entry(piece, unit)
