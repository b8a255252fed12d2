"""Forms: the function that is lifted, and how it stands in its program.

A method stands at the end of its class, which is then the last statement. Where something needs
the class before that, as subclasses and constants do, it stands behind all of them as a function
of its receiver, with one line in the class that calls it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from transforms.trace.lifting.pieces import Piece, Unit
from transforms.trace.lifting.resolution import Own

_QUIET_DECORATORS = frozenset(
    {"abstractmethod", "override", "final", "contextmanager", "lru_cache", "cache"}
)
"""They do the same to a function as to a method, and leave no mark on it."""

_CLASS_FUNCTIONS = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})


@dataclass(frozen=True)
class Entry:
    """The function that is lifted."""

    piece: Piece
    unit: Unit
    """The statement itself, or the member of a class."""

    getter: ast.expr | None = None
    """The decorator that makes a property of it, which it then stands without."""

    stands_apart: bool = False
    """A method that is made a function."""

    @property
    def function(self) -> ast.FunctionDef:
        """The definition of the function."""
        function = self.unit.function
        if not isinstance(function, ast.FunctionDef):
            raise TypeError("an entry without a function")
        return function

    @property
    def name(self) -> str:
        """Of the function, or of its class."""
        if not isinstance(self.piece.node, ast.FunctionDef | ast.ClassDef):
            raise TypeError(f"a definition was expected, got {type(self.piece.node).__name__}")
        return self.piece.node.name

    @property
    def owner(self) -> Own:
        """What the name stands for."""
        return Own(self.piece.module, self.name)

    @property
    def key(self) -> Own:
        """What has to be whole at the end of the program and no sooner."""
        if self.stands_apart:
            return Own(self.piece.module, f"{self.name}.{self.function.name}")
        return self.owner

    @property
    def is_member(self) -> bool:
        """Whether it stands in a class."""
        return isinstance(self.piece.node, ast.ClassDef) and not self.stands_apart

    @property
    def receives(self) -> bool:
        """Whether its first argument is an object of its class."""
        names = {decorator_name(each) for each in self.function.decorator_list}
        is_bound = not names & {"staticmethod", "classmethod"}
        in_class = isinstance(self.piece.node, ast.ClassDef)
        return in_class and is_bound and self.function.name not in _CLASS_FUNCTIONS

    @property
    def has_stand_in(self) -> bool:
        """Whether something may take its place in its class."""
        return self.getter is not None or self.stands_apart


def apart(entry: Entry) -> Entry | None:
    """The same method as a function behind its class, None where it would be another then."""
    function = entry.function
    others = [each for each in function.decorator_list if each is not entry.getter]
    in_class = {name for unit in entry.piece.units for name in unit.bound}
    if (
        entry.is_member
        and entry.receives
        and first_parameter(function) is not None
        and all(decorator_name(each) in _QUIET_DECORATORS for each in others)
        and not in_class & entry.unit.read_at_once
        and not any(_is_of_class(each, entry.name) for each in ast.walk(function))
    ):
        return replace(entry, stands_apart=True)
    return None


def _is_of_class(node: ast.AST, class_name: str) -> bool:
    """Whether it means something else outside of a class."""
    match node:
        case ast.Name(id=name) if name == "__class__" or _is_private(name):
            return True
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) if name == class_name:
            return True
        case ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
            return _is_private(name)
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return _is_private(name) or name == class_name
    return False


def _is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def first_parameter(function: ast.FunctionDef) -> ast.arg | None:
    """Which parameter takes the receiver."""
    positional = [*function.args.posonlyargs, *function.args.args]
    return positional[0] if positional else None


def handed_on(function: ast.FunctionDef) -> tuple[str, str]:
    """Parameters that take all that a method does, and arguments that hand it on."""
    given = function.args
    if given.posonlyargs or given.vararg or given.kwarg or given.kwonlyargs or given.defaults:
        return "self, *arguments, **keywords", "self, *arguments, **keywords"
    names = ", ".join(each.arg for each in given.args)
    return names, names


def bare_supers(function: ast.FunctionDef) -> Iterator[ast.Call]:
    """Calls of ``super`` that leave the class to the compiler."""
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Name(id="super"), args=[], keywords=[]):
                yield node


def decorator_name(node: ast.expr) -> str:
    """The last part of the name of a decorator, whether it is called or not."""
    node = node.func if isinstance(node, ast.Call) else node
    name: str = getattr(node, "id", getattr(node, "attr", ""))
    return name
