"""Names by which importing reaches an object, found by identity in namespaces alone."""

from __future__ import annotations

import sys
from types import FunctionType, GetSetDescriptorType, ModuleType

from transforms.trace.tracer.values import (
    Opaque,
    Walk,
    module_dict,
    type_dict,
    type_module,
    type_mro,
    type_qualname,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

_MODULES = sys.modules
_MOST_CLASSES = 10_000
# Of what constants hold, by constant and by depth.
_MOST_INSIDE = 50
_LEVELS = 3
_PUBLIC = {
    "_io": "io",
    "_pydatetime": "datetime",
    "_pydecimal": "decimal",
    "_pyio": "io",
    "_sre": "re",
    "_thread": "threading",
}


def namespace(module: str) -> Mapping[str, Any]:
    """The namespace of a module that has been imported, or an empty one."""
    found = _MODULES.get(module)
    return module_dict(found) if issubclass(type(found), ModuleType) else {}


def class_attribute(kind: type, name: str) -> Any:
    """What a class or the first of its bases that has it holds under a name; None if none does."""
    for each in type_mro(kind):
        held = type_dict(each)
        if name in held:
            return held[name]
    return None


def of_class(function: Callable[[type], Any]) -> Callable[[type], Any]:
    """Remembers what a function says of each class, by identity: classes define own hashes."""
    known: dict[int, tuple[type, Any]] = {}

    def remembered(kind: type) -> Any:
        found = known.get(id(kind))
        if found is None:
            if len(known) >= _MOST_CLASSES:
                known.clear()
            found = known[id(kind)] = kind, function(kind)
        return found[1]

    return remembered


def resolve(module: str, qualname: str) -> Any:
    """What a name reaches, read without running descriptors; None if nothing."""
    first, *others = qualname.split(".")
    found: Any = namespace(module).get(first)
    for part in others:
        if not issubclass(type(found), type):
            return None
        found = class_attribute(found, part)
    return found


def _importable(module: Any, qualname: Any) -> Iterator[tuple[str, str]]:
    """Where a thing that says it is of a module may be imported from, the best first."""
    if type(module) is str and type(qualname) is str:
        package = module.partition(".")[0]
        if module.startswith("_"):
            yield _PUBLIC.get(module) or module.lstrip("_"), qualname
        elif "._" in module:
            yield package, qualname
        yield module, qualname
        yield package, qualname


def find_name(walk: Walk, value: Any, module: Any, qualname: Any) -> str | None:
    """The name ``module:qualname`` by which a value is reached that says so, or None."""
    known = walk.names.get(id(value))
    if known is not None:
        return known
    for of_module, name in _importable(module, qualname):
        found = resolve(of_module, name)
        if type(found) is staticmethod:
            found = found.__func__
        if found is value and value is not None:
            return of_module + ":" + name
    return None


def class_name(walk: Walk, kind: type) -> str:
    """The name of a class.

    Raises:
      Opaque: no name reaches it.
    """
    name = find_name(walk, kind, type_module(kind), type_qualname(kind))
    if name is None:
        raise Opaque(type_qualname(kind) if type(kind) is type else "class")
    walk.spend(len(name))
    return name


class Constants:
    """Names of what stands at the top of modules that are owned, by the identity of the values.

    A constant that is an object may hold others of its class, as names in a tree do: these are
    its attributes.
    """

    def __init__(self, owns: Callable[[str], bool]) -> None:
        self._owns = owns
        self._modules = self._misses = 0
        self._sizes: dict[str, int] = {}
        """Of the namespaces that have been read."""
        self._names: dict[int, tuple[str, str]] = {}

    def name(self, value: object) -> str | None:
        """The name of a value, or None."""
        name = self._lookup(value)
        if name is None:
            # What is missed may have got its name since; to read all names anew takes time.
            self._misses += 1
            if not self._misses & (self._misses - 1):
                self._modules = 0
                self._sizes.clear()
                name = self._lookup(value)
        return name

    def _lookup(self, value: object) -> str | None:
        if len(_MODULES) != self._modules:
            self._modules = len(_MODULES)
            self._read()
        module, name = self._names.get(id(value), ("", ""))
        # Names may be bound anew, and identities given to others.
        first, *others = name.split(".")
        held = namespace(module).get(first) if module else None
        for other in others:
            held = _held_in(held).get(other)
        return module + ":" + name if held is value and module else None

    def _read(self) -> None:
        # What a name is bound to later is no constant: only what is new is read.
        for module in list(_MODULES):
            if type(module) is str and self._owns(module):
                names = namespace(module)
                if self._sizes.get(module) != len(names):
                    self._sizes[module] = len(names)
                    self._keep(module, list(names.items()))

    def _keep(self, module: str, items: Sequence[tuple[Any, Any]]) -> None:
        """The first module that has a value gives it its name, the last one that it has there."""
        for name, value in items:
            if type(name) is str:
                first, its_name = self._names.get(id(value), (module, name))
                if first == module or namespace(first).get(its_name) is not value:
                    self._names[id(value)] = module, name
        for name, value in items:
            if type(name) is str and self._owns(type_module(type(value)) or ""):
                for identity, longer in _attributes_like(value, (module, name), _LEVELS):
                    self._names.setdefault(identity, longer)


def _attributes_like(
    held: object, name: tuple[str, str], levels: int
) -> Iterator[tuple[int, tuple[str, str]]]:
    """Attributes of the same class as what holds them, those near to it first."""
    kind, inner = type(held), []
    for attribute, value in list(_held_in(held).items()):
        if type(value) is kind and type(attribute) is str and attribute.isidentifier():
            inner.append((value, (name[0], name[1] + "." + attribute)))
    for value, longer in inner[:_MOST_INSIDE]:
        yield id(value), longer
    for value, longer in inner[:_MOST_INSIDE] if levels > 1 else ():
        yield from _attributes_like(value, longer, levels - 1)


def _held_in(value: object) -> Mapping[str, Any]:
    """The dictionary of an object, if it has one."""
    for each in type_mro(type(value)):
        held = type_dict(each).get("__dict__")
        if type(held) is GetSetDescriptorType:
            attributes = held.__get__(value)
            return attributes if type(attributes) is dict else {}
    return {}


def function_in(held: Any, code: Any, depth: int = 4) -> Any:
    """The function of this code in what a namespace holds, through its wrappers; None if not.

    Returns the function itself, whatever decorators, descriptors and closures are around it.
    """
    kind = type(held)
    if kind is FunctionType and held.__code__ is code:
        return held
    if depth:
        for inner in _inside(held, kind):
            found = function_in(inner, code, depth - 1)
            if found is not None:
                return found
    return None


def _inside(held: Any, kind: type) -> Iterator[Any]:
    if kind in (staticmethod, classmethod):
        yield held.__func__
    elif kind is property:
        yield from (held.fget, held.fset, held.fdel)
    elif not issubclass(kind, (type, ModuleType)):
        try:
            attributes = object.__getattribute__(held, "__dict__")
        except AttributeError:
            attributes = {}
        if type(attributes) is dict:
            yield from (attributes[name] for name in _WRAPPED if name in attributes)
        if kind is FunctionType:
            yield from _closed_over(held)


_WRAPPED = ("__wrapped__", "func", "fget", "_func", "function")


def _closed_over(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            held = cell.cell_contents
        except ValueError:
            continue
        if type(held) is FunctionType:
            yield held
