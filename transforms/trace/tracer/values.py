"""Values as plain JSON, taken without running any code of the program that they belong to.

What a value may be is told by its exact type, found by identity; containers are read by the
methods of the built-in types, never by what a subclass puts in their place.
"""

from __future__ import annotations

import sys
from _json import encode_basestring_ascii, make_encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

MOST_LEVELS = 32
MOST_NODES = 4_000
MOST_TEXT = 1 << 16
"""Characters of JSON of a value."""

WIDE_INT = 1 << 53
"""Beyond it numbers of JSON are read wrongly by others."""

type_module = type.__dict__["__module__"].__get__
type_qualname = type.__dict__["__qualname__"].__get__
type_dict = type.__dict__["__dict__"].__get__
type_mro = type.__dict__["__mro__"].__get__
module_dict: Callable[[object], dict[str, Any]] = vars(type(sys))["__dict__"].__get__


class Opaque(Exception):  # noqa: N818
    """A value has no snapshot: of which type it is, or which limit it exceeds."""


class Walk:
    """One walk over values, within limits that hold for all of them together.

    ``names`` are names of objects by their `id`, beside what is found by importing. ``owns``
    tells of the name of a module whether its classes may be rebuilt by calling them. With
    ``consume``, iterators become what they yield, which uses them up.
    """

    def __init__(
        self, names: Mapping[int, str], owns: Callable[[str], bool], consume: bool = False
    ) -> None:
        self.nodes = MOST_NODES
        self.text = MOST_TEXT
        self.names = names
        self.owns = owns
        self.consume = consume

    def take(self, value: Any, level: int = 0) -> Any:
        """The snapshot of one value.

        Raises:
          Opaque: there is none.
        """
        kind = type(value)
        self.nodes -= 1
        if self.nodes < 0:
            raise Opaque("large")
        if kind is str:
            self.spend(len(value))
            return value
        if value is None or kind is bool:
            return value
        if kind is int:
            if -WIDE_INT <= value <= WIDE_INT:
                return value
            self.spend(value.bit_length() // 4)
            return {"int": hex(value)}
        if level >= MOST_LEVELS:
            raise Opaque("deep")
        taker = _BUILTIN.get(id(kind))
        if taker is not None:
            return taker(self, value, level + 1)
        return self.take_other(value, level + 1)

    def take_other(self, value: Any, level: int) -> Any:
        """A value that is not of the types that have a tag of their own."""
        raise Opaque(type_qualname(type(value)))

    def spend(self, characters: int) -> None:
        """Counts characters before any are copied."""
        self.text -= characters
        if self.text < 0:
            raise Opaque("large")

    def items(self, values: Iterable[Any], level: int) -> list[Any]:
        """Snapshots of what an iterable of a built-in type yields."""
        taken = []
        for value in values:
            taken.append(self.take(value, level))  # noqa: PERF401 (two frames fewer a level)
        return taken

    def pairs(self, value: dict[Any, Any], level: int) -> list[Any]:
        """Pairs of a dictionary or of a subclass, in the order of insertion."""
        taken = []
        for key, item in dict.items(value):
            taken.append([self.take(key, level), self.take(item, level)])
        return taken


def call(name: str, *positional: Any, **keywords: Any) -> Any:
    """An expression that calls what ``name`` names."""
    return {"call": [name, list(positional), keywords]}


def _take_float(walk: Walk, value: float, level: int) -> Any:
    is_plain = value - value == 0 and (value or repr(value)[0] != "-")
    return value if is_plain else {"float": repr(value)}


def _take_set(walk: Walk, value: Any, level: int) -> list[Any]:
    return sorted(walk.items(value, level), key=write_json)


def _take_bytes(walk: Walk, value: Any, level: int) -> str:
    walk.spend(2 * len(value))
    return str(value.hex())


_BUILTIN: dict[int, Callable[[Walk, Any, int], Any]] = {
    id(float): _take_float,
    id(list): Walk.items,
    id(tuple): lambda walk, value, level: {"tuple": walk.items(value, level)},
    id(dict): lambda walk, value, level: {"dict": walk.pairs(value, level)},
    id(set): lambda walk, value, level: {"set": _take_set(walk, value, level)},
    id(frozenset): lambda walk, value, level: {"frozenset": _take_set(walk, value, level)},
    id(bytes): lambda walk, value, level: {"bytes": _take_bytes(walk, value, level)},
    id(bytearray): lambda walk, value, level: {"bytearray": _take_bytes(walk, value, level)},
    id(complex): lambda walk, value, level: {"complex": [repr(value.real), repr(value.imag)]},
    id(range): lambda walk, value, level: {
        "range": walk.items((value.start, value.stop, value.step), level)
    },
    id(type(...)): lambda walk, value, level: {"ellipsis": []},
    id(type(NotImplemented)): lambda walk, value, level: {"notimplemented": []},
}
"""By the identity of the type: a metaclass of the program may define equality and hashes."""

_encode = make_encoder(None, str, encode_basestring_ascii, None, ":", ",", False, False, True)


def write_json(tree: Any) -> str:
    """The text of a tree of JSON, in ASCII; json itself may be patched by what is traced."""
    return "".join(_encode(tree, 0))
