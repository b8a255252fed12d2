"""What is traced: which files, which functions they define, and what those are called with."""

from __future__ import annotations

import os
from types import CodeType, FrameType, FunctionType

from transforms.trace.tracer.names import function_in, namespace
from transforms.trace.tracer.parameters import Parameter, given, parameters_of
from transforms.trace.tracer.values import type_dict, type_module, type_mro, type_qualname

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

_OPTIMIZED, _GENERATOR, _COROUTINE = 0x1, 0x20, 0x80 | 0x100 | 0x200
_MOST_NAMES = 50_000
_OUTSIDE = ("site-packages", "dist-packages", ".tox", ".nox", ".venv", "node_modules")
_TESTS = ("test", "tests", "conftest.py", "setup.py", "noxfile.py")
_LOCAL = "<locals>"
_abspath, _basename, _realpath, _separator = (
    os.path.abspath,
    os.path.basename,
    os.path.realpath,
    os.sep,
)


class Scope:
    """Which files are traced: those in some folders that hold no tests."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = tuple({each for root in roots for each in (_abspath(root), _realpath(root))})
        self._paths: dict[str, str | None] = {}
        self._owned: dict[str, bool] = {}

    def path(self, filename: str) -> str | None:
        """The absolute path of a file that is traced, or None."""
        if filename not in self._paths:
            if len(self._paths) > _MOST_NAMES:
                self._paths.clear()
            self._paths[filename] = None if filename[:1] == "<" else self._find(_abspath(filename))
        return self._paths[filename]

    def _find(self, path: str) -> str | None:
        for root in self._roots:
            if path == root:
                return path
            if path.startswith(root + _separator):
                parts = path[len(root) + 1 :].split(_separator)
                if not any(part in _OUTSIDE for part in parts) and not _is_test(parts):
                    return path
        return None

    def owns(self, module: str) -> bool:
        """Whether a module that has been imported is traced."""
        if module not in self._owned:
            file = namespace(module).get("__file__")
            if type(file) is not str or module == "__main__":
                return False
            self._owned[module] = self.path(file) is not None
        return self._owned[module]


def _is_test(parts: Sequence[str]) -> bool:
    name = parts[-1]
    return (
        any(part in _TESTS for part in parts)
        or name.startswith("test_")
        or name.endswith(("_test.py", "_tests.py"))
        or name == "tests.py"
    )


class Traced:
    """A function that is traced, and how much of it has been."""

    def __init__(self, number: int, code: CodeType, path: str) -> None:
        self.number = number
        self.code = code
        """Held, so that no other code object ever has its `id`."""
        self.path = path
        self.function: FunctionType | None = None
        self.qualname = self.kind = self.module = ""
        self.is_decorated = self.is_done = self.is_found = False
        self.refusal: str | None = None
        """Why none of its calls can be recorded."""
        self.parameters: list[Parameter] = []
        self.seen = self.last_new = self.nodes = 0
        self.kept: set[int] = set()
        self.opaque: dict[str, int] = {}
        self.file_number = -1

    def describe(self, frame: FrameType) -> None:
        """Finds out what the function is; not before it has been defined."""
        module = frame.f_globals.get("__name__")
        self.module = module if type(module) is str else ""
        owner, held, function = _find(frame, self.code)
        self.function = function
        self.parameters = parameters_of(self.code, function)
        name = self.code.co_name
        if function is None:
            self.kind = "nested"
            self.qualname = getattr(self.code, "co_qualname", _LOCAL + "." + name)
        else:
            self.qualname = name if owner is None else type_qualname(owner) + "." + name
            self.kind = _kind(owner, held, name)
            self.is_decorated = _undecorated(held) is not function
        if self.code.co_flags & _COROUTINE:
            self.kind = "coroutine"
        self.refusal = self._refusal()
        self.is_found = function is not None or _LOCAL in self.qualname

    def _refusal(self) -> str | None:
        if self.kind == "coroutine":
            return "coroutine"
        if self.kind == "nested" and self.code.co_freevars:
            return "closure"
        return "constructor" if self.code.co_name in _CONSTRUCTORS else None

    def fields(self) -> list[Any]:
        """What a record of the function itself says."""
        code = self.code
        is_generator = bool(code.co_flags & _GENERATOR)
        where = [self.number, self.path, self.module, self.qualname, code.co_firstlineno]
        return [*where, self.kind, is_generator, self.is_decorated]

    def arguments(self, frame: FrameType) -> tuple[list[Any], list[Any], dict[str, Any]]:
        """Receiver (a list of one or none), positional and keyword arguments as objects."""
        held, parameters, receiver = frame.f_locals, self.parameters, []
        if self.kind in ("method", "property", "class_method") and parameters:
            receiver, parameters = [held[parameters[0].name]], parameters[1:]
        positional, keywords = given(self.code, parameters, held)
        return receiver, positional, keywords


_CONSTRUCTORS = ("__init__", "__new__", "__del__", "__init_subclass__", "__post_init__")


def is_function(code: CodeType) -> bool:
    """Whether a code object is of a function with a name: no lambda, class or comprehension."""
    return bool(code.co_flags & _OPTIMIZED) and code.co_name[:1] != "<"


def _find(frame: FrameType, code: CodeType) -> tuple[type | None, Any, FunctionType | None]:
    """The class that holds a function, what it holds under its name, and the function."""
    for owner, held in _places(frame, code):
        function = function_in(held, code)
        if function is not None:
            return owner, held, function
    return None, None, None


def _places(frame: FrameType, code: CodeType) -> Iterator[tuple[type | None, Any]]:
    """Where a function may stand under its name: classes, or None for its module, and what."""
    top, name = frame.f_globals, code.co_name
    qualname = getattr(code, "co_qualname", None)
    if qualname is not None:
        owner, scope = None, top
        *outer, _ = qualname.split(".")
        for part in outer:
            owner = scope.get(part)
            if not issubclass(type(owner), type):
                return
            scope = type_dict(owner)
        yield from _under(owner, scope, name)
        return
    yield from _under(None, top, name)
    first = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
    for owner in type_mro(first if issubclass(type(first), type) else type(first)):
        yield from _under(owner, type_dict(owner), name)
    module = top.get("__name__")
    for held in list(top.values()):
        if issubclass(type(held), type) and type_module(held) == module:
            yield from _in_classes(held, name)


def _in_classes(owner: type, name: str) -> Iterator[tuple[type | None, Any]]:
    names = type_dict(owner)
    yield from _under(owner, names, name)
    for held in list(names.values()):
        if issubclass(type(held), type) and type_qualname(held).startswith(type_qualname(owner)):
            yield from _under(held, type_dict(held), name)


def _under(
    owner: type | None, scope: Mapping[str, Any], name: str
) -> Iterator[tuple[type | None, Any]]:
    if name in scope:
        yield owner, scope[name]
    elif owner is not None and name.startswith("__"):
        private = "_" + type_qualname(owner).rpartition(".")[2].lstrip("_") + name
        if private in scope:
            yield owner, scope[private]


def _kind(owner: type | None, held: Any, name: str) -> str:
    if owner is None:
        return "function"
    if type(held) is staticmethod or name == "__new__":
        return "static_method"
    if type(held) is classmethod or name in ("__init_subclass__", "__class_getitem__"):
        return "class_method"
    if type(held) is FunctionType or callable(type(held).__dict__.get("__call__")):
        return "method"
    return "property" if hasattr(type(held), "__get__") else "method"


def _undecorated(held: Any) -> Any:
    if type(held) in (staticmethod, classmethod):
        return held.__func__
    return held.fget if type(held) is property else held
