"""Values: plain Python values as JSON, so that none of them can bring code along.

Only values of the listed types themselves are taken, never of subclasses: what compares
them trusts their equality. Runs inside the sandbox as well: the standard library alone.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Any

MOST_DEPTH = 100
MOST_ITEMS = 1_000_000
MOST_ALIKE = 1000
"""Items of a set or keys that have the same hash."""

MOST_DIGITS = 10_000
"""Of the parts of a fraction, in hexadecimal."""

_WIDE_INT = 1 << 53
"""From here on numbers of JSON are read wrongly by others, and very long ones not at all."""


class ValueRefusedError(ValueError):
    """A value that is not plain, or too large."""


class ValueFormatError(ValueError):
    """What came is not what `encode` writes."""


def encode(value: object) -> Any:
    """A plain value in terms of JSON.

    Iterators become iterators over lists of what they yield, which uses them up; so do views
    of dictionaries.

    Raises:
      ValueRefusedError: the value, or one inside of it, is of a type that is not listed, or there
        are more than `MOST_ITEMS` values or `MOST_DEPTH` levels.
    """
    return _Encoder().encode(value, 0)


class _Encoder:
    def __init__(self) -> None:
        self._left = MOST_ITEMS

    def encode(self, value: Any, depth: int) -> Any:
        kind = type(value)
        self._left -= 1
        if depth > MOST_DEPTH or self._left < 0:
            raise ValueRefusedError(
                f"a value of more than {MOST_DEPTH} levels or {MOST_ITEMS} items is not compared"
            )
        if kind in (str, bool) or value is None:
            return value
        if kind is int:
            return value if -_WIDE_INT < value < _WIDE_INT else {"int": hex(value)}
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is list:
            return self._items(value, depth)
        if kind in _CONTAINERS:
            return {_CONTAINERS[kind]: self._items(value, depth)}
        if kind in _DICTIONARIES:
            return {_DICTIONARIES[kind]: self._pairs(value, depth)}
        if kind is defaultdict and value.default_factory in _FACTORIES:
            return {f"defaultdict {_FACTORIES[value.default_factory]}": self._pairs(value, depth)}
        if kind in _SCALARS:
            name, convert = _SCALARS[kind]
            return {name: convert(value)}
        if isinstance(value, _ITERATED):
            return {"iterator": self._items(islice(value, self._left + 1), depth)}
        if issubclass(kind, tuple) and hasattr(kind, "_fields"):
            return {"tuple": self._items(tuple(value), depth)}
        raise ValueRefusedError(
            f"values of type {kind.__module__}.{kind.__qualname__} are not compared"
        )

    def _items(self, values: Any, depth: int) -> list[Any]:
        return [self.encode(each, depth + 1) for each in values]

    def _pairs(self, values: Any, depth: int) -> list[Any]:
        return [self._items(pair, depth) for pair in values.items()]


_DICTIONARIES: dict[type, str] = {dict: "dict", Counter: "counter", OrderedDict: "ordered"}
_FACTORIES: dict[type | None, str] = {
    None: "none",
    **{kind: kind.__name__ for kind in (bool, int, float, str, list, tuple, set, dict)},
}
_CONTAINERS: dict[type, str] = {tuple: "tuple", set: "set", frozenset: "frozenset"}
_ITERATED = (Iterator, KeysView, ValuesView, ItemsView)
_SCALARS: dict[type, tuple[str, Callable[[Any], Any]]] = {
    bytes: ("bytes", bytes.hex),
    bytearray: ("bytearray", bytearray.hex),
    complex: ("complex", lambda value: [repr(value.real), repr(value.imag)]),
    range: ("range", lambda value: [hex(value.start), hex(value.stop), hex(value.step)]),
    Decimal: ("decimal", str),
    Fraction: ("fraction", lambda value: [hex(value.numerator), hex(value.denominator)]),
}


def decode(data: Any) -> Any:
    """The value that `encode` was given, of whatever origin the data is.

    Raises:
      ValueFormatError: the data is not what `encode` writes.
    """
    try:
        return _decode(data, 0)
    except ValueFormatError:
        raise
    except (TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise ValueFormatError(f"no value: {type(error).__name__}: {error}") from None


def _decode(data: Any, depth: int) -> Any:
    if depth > MOST_DEPTH:
        raise ValueFormatError(f"a value of more than {MOST_DEPTH} levels")
    if isinstance(data, list):
        return [_decode(each, depth + 1) for each in data]
    if not isinstance(data, dict):
        return data
    if len(data) != 1:
        raise ValueFormatError(f"a value of one tag was expected, got {len(data)}")
    (tag, content), *_ = data.items()
    if tag in _DECODED_ITEMS:
        items = [_decode(each, depth + 1) for each in content]
        return _DECODED_ITEMS[tag](_checked(items) if tag in _HASHED else items)
    if tag in _DECODED_DICTIONARIES:
        keys = _checked([_decode(key, depth + 1) for key, _ in content])
        values = [_decode(value, depth + 1) for _, value in content]
        return _DECODED_DICTIONARIES[tag](dict(zip(keys, values, strict=True)))
    if tag in _DECODED_SCALARS:
        return _DECODED_SCALARS[tag](content)
    raise ValueFormatError(f"no tag of a value: {tag!r:.40}")


def _checked(items: list[Any]) -> list[Any]:
    """Items of a set or keys; those whose hashes are chosen to be the same take for ever."""
    if len(items) > MOST_ALIKE and max(Counter(map(hash, items)).values()) > MOST_ALIKE:
        raise ValueFormatError(f"more than {MOST_ALIKE} items of one hash")
    return items


def _short(text: str) -> str:
    """Digits of a fraction, whose parts are divided by what they have in common."""
    if len(text) > MOST_DIGITS:
        raise ValueFormatError(f"a fraction of more than {MOST_DIGITS} digits")
    return text


_HASHED = ("set", "frozenset")
_DECODED_ITEMS: dict[str, Callable[[Any], Any]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "iterator": lambda items: iter(list(items)),
}
_DECODED_DICTIONARIES: dict[str, Callable[[dict[Any, Any]], Any]] = {
    "dict": lambda pairs: pairs,
    "counter": Counter,
    "ordered": OrderedDict,
    **{f"defaultdict {name}": partial(defaultdict, kind) for kind, name in _FACTORIES.items()},
}
_DECODED_SCALARS: dict[str, Callable[[Any], Any]] = {
    "int": lambda text: int(text, 16),
    "float": float,
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "complex": lambda parts: complex(*map(float, parts)),
    "range": lambda parts: range(*(int(each, 16) for each in parts)),
    "decimal": Decimal,
    "fraction": lambda parts: Fraction(*(int(_short(each), 16) for each in parts)),
}
