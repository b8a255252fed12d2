"""Snapshots of objects of classes in Python: the call that would make one equal to them.

Only what stands in namespaces is read: no property, no `__reduce__` and no `__eq__` of the
program runs. A guess may be wrong; whoever replays calls finds that out.
"""

from __future__ import annotations

import sys
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    WrapperDescriptorType,
)

from transforms.trace.tracer.names import class_attribute, class_name, of_class
from transforms.trace.tracer.parameters import (
    ABSENT,
    Parameter,
    arrange,
    parameters_of,
)
from transforms.trace.tracer.standard import BY_TYPE, standard_taker
from transforms.trace.tracer.values import (
    MOST_TEXT,
    Opaque,
    Walk,
    call,
    type_dict,
    type_module,
    type_mro,
    type_qualname,
    write_json,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_ARGUMENTS = BaseException.__dict__["args"].__get__
_HEAP_TYPE = 1 << 9
_MOST_FAILURES = 30

_DERIVED: Sequence[tuple[type, Callable[[Walk, Any, int], Any]]] = (
    (dict, lambda walk, value, level: {"dict": walk.pairs(value, level)}),
    (list, lambda walk, value, level: walk.items(list.__iter__(value), level)),
    (tuple, lambda walk, value, level: {"tuple": walk.items(tuple.__iter__(value), level)}),
    (set, lambda walk, value, level: walk.take(set.__or__(set(), value), level)),
    (frozenset, lambda walk, value, level: walk.take(set.__or__(set(), value), level)),
    (str, lambda walk, value, level: walk.take(str.__str__(value), level)),
    (int, lambda walk, value, level: walk.take(int.__int__(value), level)),
    (float, lambda walk, value, level: walk.take(float.__float__(value), level)),
)
"""What objects of subclasses of built-in types are made from."""


class Snapshots(Walk):
    """A walk that knows classes, functions and objects as well.

    ``constant`` gives the name of a constant, ``remembered`` the call that made an object.
    """

    constant: Callable[[object], str | None] | None = None
    remembered: Callable[[Snapshots, object, type, int], Any] | None = None

    def __init__(
        self, names: Mapping[int, str], owns: Callable[[str], bool], consume: bool = False
    ) -> None:
        super().__init__(names, owns, consume)
        self.failures: dict[int, list[Any]] = {}
        """Classes by identity, each with how many of its objects in a row were opaque."""

    def take_other(self, value: Any, level: int) -> Any:
        """A value that is not of the types that have a tag of their own."""
        kind = type(value)
        if id(value) in self.names:
            return {"name": self.names[id(value)]}
        taker = BY_TYPE.get(id(kind)) or standard_taker(kind)
        left = self.nodes, self.text
        try:
            if taker is not None:
                return taker(self, value, level)
            if issubclass(kind, type):
                return {"name": class_name(self, value)}
            return self._take_of_python(value, kind, level)
        except Opaque:
            name = self.constant(value) if self.constant is not None else None
            if name is not None:
                self.nodes, self.text = left
                return {"name": name}
            if self.consume and class_attribute(kind, "__next__") is not None:
                self.nodes, self.text = left
                return {"iterator": self.items(value, level)}
            raise

    def _take_of_python(self, value: Any, kind: type, level: int) -> Any:
        """An object, unless many of its class were in vain."""
        if self.remembered is not None:
            tree = self.remembered(self, value, kind, level)
            if tree is not None:
                return tree
        held = self.failures.setdefault(id(kind), [kind, 0])
        if held[1] >= _MOST_FAILURES:
            raise Opaque(type_qualname(kind))
        held[1] += 1
        tree = self._take_object(value, kind, level)
        held[1] = 0
        return tree

    def _take_object(self, value: Any, kind: type, level: int) -> Any:
        if _is_enumeration(kind):
            return self._take_member(value, kind)
        name = class_name(self, kind)
        if _is_named_tuple(kind):
            return call(name, *self.items(tuple.__iter__(value), level))
        if _is_generated(kind):
            return self._take_fields(name, value, kind, level)
        is_made_in_c = _is_made_in_c(kind)
        if issubclass(kind, BaseException) and is_made_in_c:
            return call(name, *self.items(_exception_arguments(value), level))
        if id(kind) not in self.names and not self.owns(type_module(kind)):
            raise Opaque(type_qualname(kind))
        for base, take in _DERIVED if is_made_in_c else ():
            if issubclass(kind, base) and _makes_as(kind, base):
                if attributes_of(value, kind):
                    raise Opaque(type_qualname(kind))
                return call(name, take(self, value, level + 1))
        return self._take_matched(name, value, kind, level)

    def _take_member(self, value: Any, kind: type) -> Any:
        attributes = attributes_of(value, kind)
        member, name = attributes.get("_name_"), class_name(self, kind)
        members = class_attribute(kind, "_member_map_")
        if type(member) is str and type(members) is dict and members.get(member) is value:
            return {"name": name + "." + member}
        return call(name, self.take(attributes.get("_value_"), 0))

    def _take_fields(self, name: str, value: Any, kind: type, level: int) -> Any:
        """An object of a class whose `__init__` was generated from its fields."""
        attributes = attributes_of(value, kind)
        parameters = _parameters_of_init(kind)
        held = _attributes_of_parameters(kind)
        values = [attributes.get(held.get(each.name, each.name), ABSENT) for each in parameters]
        if any(each is ABSENT for each in values):
            raise Opaque(type_qualname(kind))
        return self._call(name, parameters, values, level)

    def _take_matched(self, name: str, value: Any, kind: type, level: int) -> Any:
        """An object whose attributes have the names of the parameters of `__init__`."""
        if not _is_of_python(kind):
            raise Opaque(type_qualname(kind))
        attributes = attributes_of(value, kind)
        parameters = _parameters_of_init(kind)
        if parameters is None:
            if attributes:
                raise Opaque(type_qualname(kind))
            return call(name)
        values = []
        unexplained = dict(attributes)
        for parameter in parameters:
            held = held_under(parameter.name, kind, attributes)
            unexplained.pop(held or "", None)
            values.append(attributes[held] if held else parameter.default)
        is_short = any(each is ABSENT for each in values)
        if not is_short and all(map(_is_empty, unexplained.values())):
            return self._call(name, parameters, values, level)
        if issubclass(kind, BaseException):
            arguments = _ARGUMENTS(value)
            least = sum(each.default is ABSENT for each in parameters)
            if least <= len(arguments) <= len(parameters):
                return call(name, *self.items(arguments, level))
        raise Opaque(type_qualname(kind))

    def _call(
        self, name: str, parameters: Sequence[Parameter], values: Sequence[Any], level: int
    ) -> Any:
        positional, keywords = arrange(parameters, values)
        by_keyword = {key: self.take(value, level) for key, value in keywords.items()}
        return {"call": [name, self.items(positional, level), by_keyword]}


def attributes_of(value: object, kind: type) -> dict[str, Any]:
    """What an object holds in its dictionary and its slots; descriptors of the program rest."""
    found: dict[str, Any] = {}
    for name, read in _readers(kind):
        try:
            attribute = read(value)
        except AttributeError:
            continue
        if name is not None:
            found.setdefault(name, attribute)
        elif issubclass(type(attribute), dict):
            for key, item in dict.items(attribute):
                found.setdefault(key, item)
    return found


@of_class
def _readers(kind: type) -> list[tuple[str | None, Callable[[object], Any]]]:
    """Slots by their names, and dictionaries, of a class and its bases."""
    found: list[tuple[str | None, Callable[[object], Any]]] = []
    for each in type_mro(kind):
        names = type_dict(each)
        if "__slots__" in names:
            for name, member in list(names.items()):
                if type(member) is MemberDescriptorType:
                    found.append((name, member.__get__))
        held = names.get("__dict__")
        if type(held) is GetSetDescriptorType:
            found.append((None, held.__get__))
    return found


@of_class
def _parameters_of_init(kind: type) -> list[Parameter] | None:
    """None if it is not written in Python."""
    init = class_attribute(kind, "__init__")
    return parameters_of(init.__code__, init)[1:] if type(init) is FunctionType else None


def held_under(parameter: str, kind: type, attributes: Mapping[str, Any]) -> str | None:
    """The attribute of an object whose name is that of a parameter, more or less."""
    private = "_" + type_qualname(kind).rpartition(".")[2].lstrip("_") + "__" + parameter
    for name in (parameter, "_" + parameter, private, parameter.rstrip("_"), parameter + "_"):
        if name in attributes:
            return name
    return None


def _is_empty(value: object) -> bool:
    kind = type(value)
    if value is None or kind in (bool, int, str, bytes):
        return not value
    return kind in (list, tuple, dict, set, frozenset) and not len(value)  # type: ignore[arg-type]


def _is_enumeration(kind: type) -> bool:
    enum = sys.modules.get("enum")
    return enum is not None and issubclass(type(kind), enum.EnumMeta)


def _file_of(function: object) -> str:
    if type(function) is staticmethod:
        function = function.__func__
    return function.__code__.co_filename if type(function) is FunctionType else ""


@of_class
def _is_named_tuple(kind: type) -> bool:
    return (
        issubclass(kind, tuple)
        and type(class_attribute(kind, "_fields")) is tuple
        and _file_of(class_attribute(kind, "__new__")).startswith("<")
    )


@of_class
def _is_generated(kind: type) -> bool:
    """Whether `__init__` is one that dataclasses or attrs made."""
    file = _file_of(class_attribute(kind, "__init__"))
    if file == "<string>":
        return type(class_attribute(kind, "__dataclass_fields__")) is dict
    return file.startswith("<attrs generated")


@of_class
def _attributes_of_parameters(kind: type) -> dict[str, str]:
    """For classes of attrs, whose private attributes have parameters without the underscore."""
    attributes = class_attribute(kind, "__attrs_attrs__") or ()
    found = {}
    for each in tuple.__iter__(attributes) if issubclass(type(attributes), tuple) else ():
        found[getattr(each, "alias", None) or each.name.lstrip("_")] = each.name
    return found


@of_class
def _is_made_in_c(kind: type) -> bool:
    return (
        type(class_attribute(kind, "__init__")) is WrapperDescriptorType
        and type(class_attribute(kind, "__new__")) is BuiltinFunctionType
    )


def _makes_as(kind: type, base: type) -> bool:
    return all(
        class_attribute(kind, name) is class_attribute(base, name)
        for name in ("__init__", "__new__")
    )


@of_class
def _is_of_python(kind: type) -> bool:
    """Whether all that makes an object of a class is its `__init__`."""
    if type(class_attribute(kind, "__new__")) is not BuiltinFunctionType:
        return False
    if issubclass(kind, BaseException):
        return True
    others: list[type] = [each for each in type_mro(kind) if each is not object]
    return all(type.__dict__["__flags__"].__get__(each) & _HEAP_TYPE for each in others)


def _exception_arguments(value: BaseException) -> tuple[Any, ...]:
    if issubclass(type(value), OSError):
        arguments = OSError.__reduce__(value)[1]
        return arguments if type(arguments) is tuple else ()
    return _ARGUMENTS(value)  # type: ignore[no-any-return]


def snapshot(
    value: object,
    names: Mapping[str, object] | None = None,
    own_modules: Sequence[str] = (),
    consume: bool = False,
) -> Any:
    """The snapshot of a value, for others than the tracer.

    ``names`` are objects by their names ``module:qualname``, where those are not what importing
    gives: classes, functions and constants of a program that was made from modules.
    ``own_modules`` are modules whose classes may be rebuilt, beside those in ``names``. With
    ``consume``, an iterator that has no other form becomes the list of what it yields, in which
    code of the program runs and may raise anything.

    Raises:
      Opaque: there is none.
    """
    by_id = {id(each): name for name, each in (names or {}).items()}
    walk = Snapshots(by_id, frozenset(own_modules).__contains__, consume)
    tree = walk.take(value)
    if len(write_json(tree)) > MOST_TEXT:
        raise Opaque("large")
    return tree


def snapshot_error(error: BaseException, names: Mapping[str, object] | None = None) -> Any:
    """The snapshot of an exception as the outcome of a call; its `__str__` runs.

    Raises:
      Opaque: no name reaches its class, or its message is too long.
    """
    walk = Snapshots({id(each): name for name, each in (names or {}).items()}, _owns_none)
    kind = type(error)
    return {"raised": [class_name(walk, kind), walk.take(str(error))]}


def _owns_none(module: str) -> bool:
    return False
