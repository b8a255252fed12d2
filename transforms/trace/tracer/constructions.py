"""What objects were made from: the arguments that constructors of the project were called with.

Objects of a class that hold all of their arguments are made again from what they hold now. Of
other classes the arguments themselves are remembered, and an object that is as its constructor
left it is made by the same call. Neither is kept alive: an object is known by its identity, and
by a picture of its state, which has to be the same. Nothing of the project runs for it.
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
from transforms.trace.tracer.values import MOST_LEVELS, Opaque, Walk, type_module, type_mro

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

CONSTRUCTORS = ("__init__", "__new__")
MOST_OBJECTS = 4_000
"""That are remembered at a time; the oldest are forgotten."""

_MOST_KINDS = 5_000
"""Classes that are known; suites may make them without end."""

_MOST_STARTS = 3_000
"""Of one constructor, those of subclasses included."""

_MOST_WATCHED, _WATCHED_FOR_USE = 300, 10
"""Calls of a class that are watched, and how many more for each object that was of use."""

_MOST_PENDING = 500
_MOST_ARGUMENT_NODES = 300
_MOST_PARTS, _MOST_ITEMS, _DEPTH = 200, 20, 3
"""Of a picture: all parts, items of one container, and how far it looks into what is held."""

_OBJECT_NODES = 40
"""What an object counts for in a walk."""

_call_of_type = type.__dict__["__call__"]
_ITERATED: tuple[Any, ...] = ((), [], "", "\u0100", b"", range(0), {}, set())
_HINTED = {*(id(type(iter(each))) for each in _ITERATED), id(type(reversed([])))}
_PLAIN = {id(each) for each in (type(None), bool, int, str, bytes, complex)}


class _Class:
    """A class, and what is known of how its objects are made."""

    def __init__(self, kind: type, code: CodeType) -> None:
        self.kind = kind
        self.code = code
        self.left = _MOST_WATCHED
        self.parameters = parameters_of(code, _function(kind, code.co_name))[1:]
        self.holds = code.co_name == "__init__" and not code.co_flags & (VARARGS | VARKEYWORDS)
        """Whether objects hold all of their arguments, as far as is known."""
        self.holders: dict[str, str] = {}
        """The attributes that do, by the names of parameters."""
        self.others: dict[str, Any] | None = None
        """Pictures of the other attributes of new objects; `_VARIES` where they differ."""
        self._fixed: list[tuple[str, Any]] = []
        self._names: set[str] = set()
        self._name = ""

    def name(self, walk: Walk) -> str:
        """The name of the class; raises `Opaque`."""
        if not self._name:
            self._name = class_name(walk, self.kind)
        return self._name

    def learn(self, identities: Mapping[str, int], attributes: Mapping[str, Any]) -> None:
        """Looks at an object that has just been made of arguments with these identities."""
        for parameter in self.parameters:
            name = held_under(parameter.name, self.kind, attributes)
            if name is not None and id(attributes[name]) == identities[parameter.name]:
                self.holders[parameter.name] = name
            elif identities[parameter.name] != id(parameter.default):
                self.holds = False
                return
        painter, held = _Painter(), set(self.holders.values())
        now = {name: painter.draw(each) for name, each in attributes.items() if name not in held}
        before = now if self.others is None else self.others
        self.others = {
            name: now[name] if name in now and before.get(name) == now[name] else _VARIES
            for name in {*before, *now} - held
        }
        self._fixed = [each for each in self.others.items() if each[1] is not _VARIES]
        self._names = held | set(self.others)

    def is_as_made(self, value: object, attributes: Mapping[str, Any]) -> bool:
        """Whether an object is as one that was just made of what it holds, as far as is known.

        It may have an attribute that was None and is what holds the object now, as the node
        above does in a tree: what is made anew stands alone.
        """
        if not self.holds or self.others is None or not self._names.issuperset(attributes):
            return False
        painter = _Painter()
        for name, then in self._fixed:
            held = attributes.get(name, ABSENT)
            if painter.draw(held) != then and (then != _NOTHING or not _holds(held, value)):
                return False
        return True


class _Made:
    """What an object was made from, and how it was then."""

    __slots__ = ("known", "levels", "nodes", "state", "tree")

    def __init__(self, known: _Class, tree: list[Any], nodes: int) -> None:
        self.known = known
        self.tree = tree
        """Snapshots of its arguments: positional ones, and those with names."""
        self.nodes = nodes
        self.levels = -1
        self.state: dict[str, Any] = {}


class _Pending:
    """A call of a constructor that has started."""

    __slots__ = ("identities", "known", "made")

    def __init__(self, known: _Class, held: Mapping[str, Any]) -> None:
        self.known = known
        self.identities = {each.name: id(held.get(each.name)) for each in known.parameters}
        self.made: _Made | None = None


class Constructions:
    """Remembers the arguments of constructors of classes that are owned.

    ``walk`` makes a walk over values.
    """

    def __init__(self, owns: Callable[[str], bool], walk: Callable[[], Snapshots]) -> None:
        self._owns = owns
        self._walk = walk
        self._starts: dict[int, int] = {}
        self._classes: dict[int, _Class | None] = {}
        self._pending: dict[int, _Pending] = {}
        self._made: dict[int, _Made] = {}
        self._kept: list[Any] = []
        """Whatever is known by its identity and is not to be another."""

    def start(self, code: CodeType, frame: FrameType) -> bool:
        """Takes the arguments of a constructor that starts; False if it is watched no more."""
        starts = self._starts[id(code)] = self._starts.get(id(code), 0) + 1
        if starts > _MOST_STARTS or not code.co_argcount:
            return False
        held = frame.f_locals
        first = held.get(code.co_varnames[0])
        known = self._class(first if code.co_name == "__new__" else type(first))
        if known is not None and known.code is code and known.left > 0:
            known.left -= 1
            pending = _Pending(known, held)
            if not known.holds or known.others is None:
                pending.made = self._take_arguments(known, held)
            if len(self._pending) >= _MOST_PENDING:  # most of them raised something
                self._pending.clear()
            self._pending[id(frame)] = pending
        return True

    def end(self, code: CodeType, frame: FrameType, value: object) -> None:
        """Looks at the object once the constructor is over, which returns ``value``."""
        pending = self._pending.pop(id(frame), None)
        if pending is None or pending.known.code is not code:
            return
        known, made = pending.known, pending.made
        if code.co_name == "__init__":
            value = frame.f_locals.get(code.co_varnames[0])
        if type(value) is not known.kind:
            return
        attributes = attributes_of(value, known.kind)
        if known.holds:
            known.learn(pending.identities, attributes)
        if made is not None and not known.holds:
            self._made.pop(id(value), None)
            if len(self._made) >= MOST_OBJECTS:
                del self._made[next(iter(self._made))]
            made.state = _picture(value, attributes)
            self._made[id(value)] = made

    def take(self, walk: Snapshots, value: object, kind: type, level: int) -> Any:
        """The call that makes an object anew, or None where that is not known."""
        known = self._classes.get(id(kind))
        if known is None:
            return None
        walk.nodes -= _OBJECT_NODES
        attributes = attributes_of(value, kind)
        if known.is_as_made(value, attributes):
            return _call_again(known, walk, attributes, level)
        made = self._made.get(id(value))
        if made is None or made.known is not known or made.state != _picture(value, attributes):
            return None
        known.left += _WATCHED_FOR_USE
        return _recall(made, walk, level)

    def _class(self, kind: Any) -> _Class | None:
        """What is known of a class; None if its objects cannot be made by calling it."""
        if id(kind) not in self._classes:
            if len(self._kept) >= _MOST_KINDS:
                return None
            self._kept.append(kind)
            self._classes[id(kind)] = self._find(kind)
        return self._classes[id(kind)]

    def _find(self, kind: Any) -> _Class | None:
        if not issubclass(type(kind), type) or not self._owns(type_module(kind)):
            return None
        if class_attribute(type(kind), "__call__") is not _call_of_type:
            return None
        init = class_attribute(kind, "__init__")
        name = "__new__" if type(init) is WrapperDescriptorType else "__init__"
        function = _function(kind, name)
        return _Class(kind, function.__code__) if type(function) is FunctionType else None

    def _take_arguments(self, known: _Class, held: dict[str, Any]) -> _Made | None:
        walk = self._walk()
        walk.nodes = _MOST_ARGUMENT_NODES
        try:
            positional, keywords = given(known.code, known.parameters, held)
            by_name = {name: walk.take(value, 1) for name, value in keywords.items()}
            tree = [walk.items(positional, 1), by_name]
        except (KeyError, Opaque):
            return None
        return _Made(known, tree, _MOST_ARGUMENT_NODES - walk.nodes)


def _function(kind: type, name: str) -> Any:
    held = class_attribute(kind, name)
    return held.__func__ if type(held) is staticmethod else held


def _call_again(known: _Class, walk: Snapshots, attributes: Mapping[str, Any], level: int) -> Any:
    """The call of a class with what an object holds of its arguments now."""
    held, values = known.holders, []
    for each in known.parameters:
        is_held = each.name in held
        values.append(attributes.get(held[each.name], ABSENT) if is_held else each.default)
    if any(each is ABSENT for each in values):
        return None
    positional, keywords = arrange(known.parameters, values)
    by_name = {name: walk.take(item, level) for name, item in keywords.items()}
    return {"call": [known.name(walk), walk.items(positional, level), by_name]}


def _recall(made: _Made, walk: Snapshots, level: int) -> Any:
    """The call that made an object."""
    if made.levels < 0:
        made.levels = _levels(made.tree)
    if walk.nodes < made.nodes or level + made.levels > MOST_LEVELS:
        return None
    walk.nodes -= made.nodes
    return {"call": [made.known.name(walk), *made.tree]}


def _levels(tree: Any) -> int:
    if type(tree) is dict:
        tree = list(tree.values())
    return 1 + max(map(_levels, tree), default=0) if type(tree) is list else 0


def _holds(owner: Any, value: object) -> bool:
    """Whether an object has another in one of the lists that it holds."""
    for held in attributes_of(owner, type(owner)).values():
        if type(held) in (list, tuple) and any(each is value for each in held):
            return True
    return False


_NOTHING = (id(type(None)), None)
_VARIES = object()
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


def _picture(value: object, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The state of an object."""
    painter = _Painter()
    drawn = {name: painter.draw(held) for name, held in attributes.items()}
    drawn[_CONTENT] = painter.content(value, _DEPTH)
    return drawn
