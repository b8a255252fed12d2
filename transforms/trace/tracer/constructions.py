"""What objects were made from: the arguments that constructors of the project were called with.

An object that is as its constructor left it, or that holds all of its arguments still, is one
that the same call makes again. Neither it nor what it holds is kept alive: an object is known by
its identity, and by a picture of its state, which has to be the same.
"""

from __future__ import annotations

from collections import deque
from types import CodeType, FrameType, FunctionType, WrapperDescriptorType

from transforms.trace.tracer.names import class_attribute, class_name
from transforms.trace.tracer.objects import Snapshots, attributes_of, held_under
from transforms.trace.tracer.parameters import (
    ABSENT,
    VARARGS,
    VARKEYWORDS,
    arrange,
    given,
    parameters_of,
)
from transforms.trace.tracer.values import MOST_LEVELS, Opaque, type_module, type_mro

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

CONSTRUCTORS = ("__init__", "__new__")
MOST_OBJECTS = 4_000
"""That are remembered at a time; the oldest are forgotten."""

_MOST_WATCHED = 300
_WATCHED_FOR_USE = 50
"""Calls of a constructor that are watched, and how many more for each object that was of use."""

_MOST_PENDING = 500
_MOST_ARGUMENT_NODES = 500
_MOST_PARTS = 300
_MOST_ITEMS = 30
_DEPTH = 3
"""Of a picture: all parts, items of one container, and how far it looks into what is held."""

_call_of_type = type.__dict__["__call__"]
_ITERATED: tuple[Any, ...] = ((), [], "", "\u0100", b"", range(0), {}, set())
_HINTED = {*(id(type(iter(each))) for each in _ITERATED), id(type(reversed([])))}
_PLAIN = {id(each) for each in (type(None), bool, int, str, bytes, complex)}


class _Watched:
    """A call of a constructor that has started."""

    __slots__ = ("arguments", "code", "kind", "nodes", "values")

    def __init__(self, kind: type, code: CodeType) -> None:
        self.kind = kind
        self.code = code
        self.arguments: tuple[list[Any], dict[str, Any]] | None = None
        """Their snapshots, positional and by keyword; None if there are none."""
        self.nodes = 0
        self.values: dict[str, int] | None = None
        """Their identities by the names of the parameters; None where some have no name."""


class _Made:
    """An object of which is known what it was made from."""

    __slots__ = ("held", "kind", "levels", "state", "watched")

    def __init__(self, watched: _Watched, value: object) -> None:
        attributes = attributes_of(value, watched.kind)
        self.watched = watched
        self.held = _holders(watched, attributes)
        self.state = _picture(value, watched.kind, attributes)
        self.levels = -1


class Constructions:
    """Remembers the arguments of constructors of classes that are owned.

    ``walk`` makes a walk over values.
    """

    def __init__(self, owns: Callable[[str], bool], walk: Callable[[], Snapshots]) -> None:
        self._owns = owns
        self._walk = walk
        self._left: dict[int, int] = {}
        self._pending: dict[int, _Watched] = {}
        self._made: dict[int, _Made] = {}

    def start(self, code: CodeType, frame: FrameType) -> bool:
        """Takes the arguments of a constructor that starts; False if it is watched no more."""
        left = self._left.get(id(code), _MOST_WATCHED) - 1
        self._left[id(code)] = left
        if left < 0:
            return False
        if code.co_argcount:
            first = frame.f_locals.get(code.co_varnames[0])
            kind: Any = first if code.co_name == "__new__" else type(first)
            if self._is_made_by(kind, code):
                if len(self._pending) >= _MOST_PENDING:  # most of them raised something
                    self._pending.clear()
                self._pending[id(frame)] = self._watch(kind, code, frame.f_locals)
        return True

    def end(self, code: CodeType, frame: FrameType, value: object) -> None:
        """Looks at the object once the constructor is over, which returns ``value``."""
        watched = self._pending.pop(id(frame), None)
        if watched is None or watched.code is not code:
            return
        if code.co_name == "__init__":
            value = frame.f_locals.get(code.co_varnames[0])
        if type(value) is watched.kind:
            self._made.pop(id(value), None)
            if len(self._made) >= MOST_OBJECTS:
                del self._made[next(iter(self._made))]
            self._made[id(value)] = _Made(watched, value)

    def take(self, walk: Snapshots, value: object, kind: type, level: int) -> Any:
        """The call that makes an object anew, or None where that is not known."""
        made = self._made.get(id(value))
        if made is None or made.watched.kind is not kind:
            return None
        attributes = attributes_of(value, kind)
        state = _picture(value, kind, attributes)
        tree = None
        if made.held is not None and _differ_in(made, state, value, attributes) <= set(made.held):
            tree = self._call_again(made, walk, attributes, level)
        if tree is None and state == made.state:
            tree = _recall(made, walk, level)
        if tree is not None:
            self._left[id(made.watched.code)] += _WATCHED_FOR_USE
        return tree

    def _is_made_by(self, kind: Any, code: CodeType) -> bool:
        """Whether a call of a class has come to this constructor with its own arguments."""
        if not issubclass(type(kind), type) or not self._owns(type_module(kind)):
            return False
        if class_attribute(type(kind), "__call__") is not _call_of_type:
            return False
        if _function(kind, code.co_name).__code__ is not code:
            return False
        init = class_attribute(kind, "__init__")
        return code.co_name == "__init__" or type(init) is WrapperDescriptorType

    def _watch(self, kind: type, code: CodeType, held: dict[str, Any]) -> _Watched:
        watched = _Watched(kind, code)
        parameters = parameters_of(code, _function(kind, code.co_name))[1:]
        if code.co_name == "__init__" and not code.co_flags & (VARARGS | VARKEYWORDS):
            watched.values = {each.name: id(held.get(each.name)) for each in parameters}
        walk = self._walk()
        walk.nodes = _MOST_ARGUMENT_NODES
        try:
            positional, keywords = given(code, parameters, held)
            by_name = {name: walk.take(value, 1) for name, value in keywords.items()}
            watched.arguments = walk.items(positional, 1), by_name
            watched.nodes = _MOST_ARGUMENT_NODES - walk.nodes
        except (KeyError, Opaque):
            pass
        return watched

    def _call_again(
        self, made: _Made, walk: Snapshots, attributes: dict[str, Any], level: int
    ) -> Any:
        """The call of its class with what an object holds of its arguments now."""
        left = walk.nodes, walk.text
        kind, code = made.watched.kind, made.watched.code
        parameters = parameters_of(code, _function(kind, code.co_name))[1:]
        names = {parameter: name for name, parameter in (made.held or {}).items()}
        values = [
            attributes.get(names[each.name], ABSENT) if each.name in names else each.default
            for each in parameters
        ]
        if any(each is ABSENT for each in values):
            return None
        positional, keywords = arrange(parameters, values)
        try:
            by_name = {name: walk.take(item, level) for name, item in keywords.items()}
            return {"call": [class_name(walk, kind), walk.items(positional, level), by_name]}
        except Opaque:
            walk.nodes, walk.text = left
            return None


def _function(kind: type, name: str) -> Any:
    held = class_attribute(kind, name)
    function = held.__func__ if type(held) is staticmethod else held
    return function if type(function) is FunctionType else _function


def _recall(made: _Made, walk: Snapshots, level: int) -> Any:
    """The call that made an object."""
    watched = made.watched
    if watched.arguments is None:
        return None
    positional, keywords = watched.arguments
    if made.levels < 0:
        made.levels = _levels(positional, max(map(_levels, keywords.values()), default=0))
    if walk.nodes < watched.nodes or level + made.levels > MOST_LEVELS:
        return None
    walk.nodes -= watched.nodes
    return {"call": [class_name(walk, watched.kind), positional, keywords]}


def _levels(tree: Any, least: int = 0) -> int:
    if type(tree) is dict:
        tree = list(tree.values())
    if type(tree) is not list:
        return least
    return 1 + max(map(_levels, tree), default=least)


def _holders(watched: _Watched, attributes: dict[str, Any]) -> dict[str, str] | None:
    """Parameters by the attributes that hold what was given; None if some are held by none."""
    if watched.values is None:
        return None
    held = {}
    for parameter in parameters_of(watched.code, _function(watched.kind, "__init__"))[1:]:
        name = held_under(parameter.name, watched.kind, attributes)
        if name is not None and id(attributes[name]) == watched.values[parameter.name]:
            held[name] = parameter.name
        elif watched.values[parameter.name] != id(parameter.default):
            return None
    return held


def _differ_in(
    made: _Made, state: dict[str, Any], value: object, attributes: dict[str, Any]
) -> set[str]:
    """The attributes that are not as the constructor left them.

    One does not count that was None and is what holds the object now, as the node above does in
    a tree: what is made anew stands alone.
    """
    found = {name for name in {*made.state, *state} if made.state.get(name) != state.get(name)}
    return {
        name
        for name in found
        if made.state.get(name) != _NOTHING or not _holds(attributes.get(name), value)
    }


def _holds(owner: Any, value: object) -> bool:
    """Whether an object has another in one of the lists that it holds."""
    for held in attributes_of(owner, type(owner)).values():
        if type(held) in (list, tuple) and any(each is value for each in held):
            return True
    return False


_NOTHING = (id(type(None)), None)
_CONTENT = ""
"""The name of what an object holds as a container."""

_CONTAINERS_READ: tuple[tuple[type, Callable[[Any], Iterable[Any]]], ...] = (
    (list, list.__iter__),
    (tuple, tuple.__iter__),
    (deque, deque.__iter__),
    (dict, lambda value: [part for pair in dict.items(value) for part in pair]),
)
_SIZED: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    *((set, set.__len__), (frozenset, frozenset.__len__), (bytearray, bytearray.__len__)),
    *((str, str.__str__), (int, int.__int__), (float, float.__repr__), (bytes, bytes.__len__)),
)


class _Painter:
    """Draws one picture: nested tuples of numbers and texts, which compare as such."""

    def __init__(self) -> None:
        self._left = _MOST_PARTS

    def draw(self, value: Any, depth: int = _DEPTH) -> Any:
        """A value, as far as it may change without another taking its place."""
        kind = type(value)
        self._left -= 1
        if id(kind) in _PLAIN:
            return id(kind), value
        if kind is float:
            return id(kind), repr(value)
        if id(kind) in _HINTED:
            return id(value), value.__length_hint__()
        drawn = self.content(value, depth) if depth and self._left > 0 else None
        return id(value), drawn

    def content(self, value: Any, depth: int) -> Any:
        """What a container of a built-in type, or of a class that extends one, holds."""
        bases = type_mro(type(value))
        for kind, read in _CONTAINERS_READ:
            if kind in bases:
                items = list(read(value))
                return len(items), *(self.draw(each, depth - 1) for each in items[:_MOST_ITEMS])
        for kind, measure in _SIZED:
            if kind in bases:
                return measure(value)
        return None


def _picture(value: object, kind: type, attributes: dict[str, Any]) -> dict[str, Any]:
    """The state of an object."""
    painter = _Painter()
    drawn = {name: painter.draw(held) for name, held in attributes.items()}
    drawn[_CONTENT] = painter.content(value, _DEPTH)
    return drawn
