"""Snapshots: values as JSON, and the Python expressions that make them.

A snapshot comes out of a sandbox: nothing in it is believed before `check_snapshot` has seen
it. Null, booleans, finite floats, integers up to 2**53 and strings stand for themselves, an
array for a list; all else is an object of one tag: `_Writer` has a method for each.
"""

from __future__ import annotations

import ast
import builtins
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any, NoReturn

from transforms.syntax_trees import parse_expression

Snapshot = Any
"""A tree of JSON that `check_snapshot` has accepted."""

MOST_LEVELS = 48
"""The tracer goes down 32 levels of values, some of which take more than one here."""

MOST_NODES = 12_000
MOST_TEXT = 1 << 16
"""Characters of the strings in a snapshot."""

MOST_NAME = 300
_WIDE_INT = 1 << 53
_MOST_DECIMAL_BITS = 160
"""Wider integers are written in hexadecimal."""

_EXCEPTIONS = frozenset(
    f"builtins:{name}"
    for name, each in vars(builtins).items()
    if isinstance(each, type) and issubclass(each, BaseException)
)
CALLS = _EXCEPTIONS | {
    *(f"builtins:{name}" for name in ("enumerate", "filter", "iter", "map", "reversed")),
    *(f"builtins:{name}" for name in ("slice", "zip", "dict.keys", "dict.values", "dict.items")),
    *("array:array", "decimal:Decimal", "fractions:Fraction", "functools:partial"),
    *(f"collections:{name}" for name in ("ChainMap", "Counter", "OrderedDict", "UserDict")),
    *("collections:defaultdict", "collections:deque", "io:BytesIO", "io:StringIO"),
    *(f"datetime:{name}" for name in ("date", "datetime", "time", "timedelta", "timezone")),
    *(f"ipaddress:IPv{version}{name}" for version in "46" for name in ("Address", "Network")),
    *("ipaddress:IPv4Interface", "ipaddress:IPv6Interface", "re:compile", "re:RegexFlag"),
    *(f"operator:{name}" for name in ("attrgetter", "itemgetter", "methodcaller")),
    *(f"pathlib:{name}" for name in ("Path", "PurePosixPath", "PureWindowsPath")),
    *("string:Template", "tokenize:TokenInfo", "types:MappingProxyType", "types:SimpleNamespace"),
    *(f"urllib.parse:{name}" for name in ("ParseResult", "SplitResult", "DefragResult")),
    *("uuid:UUID", "zoneinfo:ZoneInfo"),
}
"""What of the standard library a snapshot may call; more than constructors is not needed."""

MOST_SOURCE = 2_000
"""Characters of the source of a function."""

_SUSPENDS = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
_PLACES = {"posixpath": "os.path"}
_UNHASHABLE = ("dict", "set", "bytearray")


class SnapshotError(ValueError):
    """A tree of JSON is no snapshot, or makes no expression here."""


@dataclass(frozen=True)
class Expression:
    """Python source text that makes a value.

    ``modules`` are those of the standard library whose names are in it, dotted as they are
    there. ``own`` are names ``module:qualname`` of the project's own modules: in the text they
    are bare qualnames.
    """

    text: str
    modules: frozenset[str]
    own: frozenset[str]


def check_snapshot(data: object) -> Snapshot:
    """The same tree, if it is a snapshot within the limits.

    Raises:
      SnapshotError: it is none.
    """
    _Writer(None).write(data)
    return data


def own_names(snapshot: Snapshot) -> frozenset[str]:
    """Names ``module:qualname`` in a snapshot that are not of the standard library.

    Raises:
      SnapshotError: it is none.
    """
    writer = _Writer(None)
    writer.write(snapshot)
    return frozenset(writer.own)


def expression(snapshot: Snapshot, own_modules: frozenset[str]) -> Expression:
    """The expression that makes the value of a snapshot.

    Raises:
      SnapshotError: it is no snapshot, or has names of modules that are neither of the standard
        library nor among ``own_modules``.
    """
    writer = _Writer(own_modules)
    text = writer.write(snapshot)
    return Expression(text, frozenset(writer.modules), frozenset(writer.own))


class _Writer:
    """Writes expressions, and checks all that it reads on the way."""

    def __init__(self, own_modules: frozenset[str] | None) -> None:
        self.modules: set[str] = set()
        self.own: set[str] = set()
        self._own_modules = own_modules
        self._nodes = MOST_NODES
        self._text = MOST_TEXT

    def write(self, data: Any, level: int = 0) -> str:
        """The text of a value."""
        self._nodes -= 1
        if self._nodes < 0 or level > MOST_LEVELS:
            _refuse(f"more than {MOST_NODES} values or {MOST_LEVELS} levels")
        if data is None or data is True or data is False:
            return str(data)
        if type(data) is str:
            return self._quote(data)
        if type(data) is int and abs(data) <= _WIDE_INT:
            return str(data)
        if type(data) is float and math.isfinite(data):
            return repr(data)
        if type(data) is list:
            return f"[{self._items(data, level)}]"
        if type(data) is dict and len(data) == 1:
            ((tag, content),) = data.items()
            write = _TAGS.get(tag)
            if write is not None:
                return write(self, content, level)
        return _refuse(f"no value: {data!r:.60}")

    def _quote(self, text: str) -> str:
        """A string, in the quotes that most people take."""
        self._spend(text)
        shown = repr(text)
        return f'"{shown[1:-1]}"' if shown[0] == "'" and '"' not in text else shown

    def _spend(self, text: Any) -> str:
        if type(text) is not str:
            _refuse(f"a string was expected, got {text!r:.60}")
        self._text -= len(text)
        if self._text < 0:
            _refuse(f"more than {MOST_TEXT} characters")
        return str(text)

    def _items(self, data: Any, level: int) -> str:
        return ", ".join(self.write(each, level + 1) for each in _list(data))

    def _hashed(self, data: Any, level: int) -> str:
        return ", ".join(self._key(each, level) for each in _list(data))

    def _key(self, data: Any, level: int) -> str:
        if type(data) is list or (type(data) is dict and any(tag in data for tag in _UNHASHABLE)):
            _refuse("a key that has no hash")
        return self.write(data, level + 1)

    def _int(self, data: Any, level: int) -> str:
        self._spend(data)
        try:
            value = int(data, 16)
        except ValueError:
            return _refuse(f"no integer: {data!r:.60}")
        if hex(value) != data or abs(value) <= _WIDE_INT:
            return _refuse(f"no wide integer: {data!r:.60}")
        return str(value) if value.bit_length() <= _MOST_DECIMAL_BITS else data

    def _float(self, data: Any, level: int) -> str:
        if data == "-0.0":
            return "-0.0"
        if data not in ("nan", "inf", "-inf"):
            _refuse(f"no float that needs a tag: {data!r:.60}")
        return f'float("{data}")'

    def _complex(self, data: Any, level: int) -> str:
        parts = []
        for part in _list(data, 2):
            try:
                value = float(self._spend(part))
            except ValueError:
                return _refuse(f"no number: {part!r:.60}")
            if repr(value) != part:
                _refuse(f"no number: {part!r:.60}")
            parts.append(part if math.isfinite(value) else f'float("{part}")')
        return f"complex({', '.join(parts)})"

    def _bytes(self, data: Any, level: int) -> str:
        self._spend(data)
        try:
            value = bytes.fromhex(data)
        except ValueError:
            return _refuse(f"no bytes: {data!r:.60}")
        if value.hex() != data:
            _refuse(f"no bytes: {data!r:.60}")
        shown = repr(value)
        return f'b"{shown[2:-1]}"' if shown[1] == "'" and b'"' not in value else shown

    def _bytearray(self, data: Any, level: int) -> str:
        return f"bytearray({self._bytes(data, level)})" if data else "bytearray()"

    def _tuple(self, data: Any, level: int) -> str:
        text = self._items(data, level)
        return f"({text},)" if len(data) == 1 else f"({text})"

    def _set(self, data: Any, level: int) -> str:
        return f"{{{self._hashed(data, level)}}}" if data else "set()" if data == [] else _refuse()

    def _frozenset(self, data: Any, level: int) -> str:
        return "frozenset()" if data == [] else f"frozenset({self._set(data, level)})"

    def _dict(self, data: Any, level: int) -> str:
        pairs = [_list(pair, 2) for pair in _list(data)]
        texts = (f"{self._key(key, level)}: {self.write(item, level + 1)}" for key, item in pairs)
        return f"{{{', '.join(texts)}}}"

    def _range(self, data: Any, level: int) -> str:
        start, stop, step = (self.write(each, level + 1) for each in _list(data, 3))
        if any(_number(each) is None for each in data) or step == "0":
            _refuse(f"no range: {data!r:.60}")
        if step != "1":
            return f"range({start}, {stop}, {step})"
        return f"range({stop})" if start == "0" else f"range({start}, {stop})"

    def _ellipsis(self, data: Any, level: int) -> str:
        return "..." if data == [] else _refuse()

    def _notimplemented(self, data: Any, level: int) -> str:
        return "NotImplemented" if data == [] else _refuse()

    def _iterator(self, data: Any, level: int) -> str:
        return f"iter([{self._items(data, level)}])"

    def _name(self, data: Any, level: int) -> str:
        name = self._spend(data)
        module, colon, qualname = name.partition(":")
        if len(name) > MOST_NAME or not colon or not _is_dotted(qualname):
            _refuse(f"no name: {name!r:.60}")
        if self._is_own(module):
            self.own.add(name)
            return qualname
        if module == "builtins" or name == "io:open":
            if qualname.partition(".")[0] not in _BUILTIN_NAMES:
                _refuse(f"no built-in name: {name!r:.60}")
            return qualname
        return f"{self._module(module, level)}.{qualname}"

    def _is_own(self, module: str) -> bool:
        if not _is_dotted(module):
            _refuse(f"no module: {module!r:.60}")
        if self._own_modules is None:
            return not _is_standard(module)
        return module in self._own_modules

    def _module(self, data: Any, level: int) -> str:
        module = self._spend(data)
        place = _PLACES.get(module, module)
        if self._own_modules is None and _is_dotted(module):
            return place
        if len(module) > MOST_NAME or not _is_dotted(module) or not _is_standard(module):
            _refuse(f"a module that is not of the standard library: {module!r:.60}")
        self.modules.add(place)
        return place

    def _source(self, data: Any, level: int) -> str:
        """A lambda, inside of one whose parameters are the names that it takes from outside."""
        text, bindings = _list(data, 2)
        shown, free = _lambda(self._spend(text))
        given = {}
        for pair in _list(bindings):
            name, tree = _list(pair, 2)
            if not _is_identifier(name) or name in given:
                _refuse(f"no name: {name!r:.60}")
            written = self.write(tree, level + 1)
            # What has this name wherever the expression stands needs none of its own.
            if name in free and written != name:
                given[name] = written
            free.discard(name)
        if not free <= _BUILTIN_NAMES:
            _refuse(f"a function that is not closed: {sorted(free)!r:.60}")
        if not given:
            return f"({shown})"
        return f"(lambda {', '.join(given)}: {shown})({', '.join(given.values())})"

    def _call(self, data: Any, level: int) -> str:
        name, positional, keywords = _list(data, 3)
        if type(keywords) is not dict or not all(map(_is_identifier, keywords)):
            _refuse("keywords of a call")
        if name == "builtins:getattr":
            return self._attribute(_list(positional, 2), keywords, level)
        text = self._name(name, level)
        if name not in self.own and name not in CALLS:
            _refuse(f"what may not be called: {name!r:.60}")
        arguments = [self.write(each, level + 1) for each in _list(positional)]
        if name.startswith("builtins:dict."):
            if len(arguments) != 1 or keywords or arguments[0][0] != "{":
                _refuse("a view of no dictionary")
            return f"{arguments[0]}{name.removeprefix('builtins:dict')}()"
        for key, item in keywords.items():
            arguments.append(f"{self._spend(key)}={self.write(item, level + 1)}")
        return f"{text}({', '.join(arguments)})"

    def _attribute(self, data: list[Any], keywords: Mapping[str, Any], level: int) -> str:
        owner, name = data
        if keywords or not _is_identifier(self._spend(name)):
            _refuse(f"no attribute: {name!r:.60}")
        text = self.write(owner, level + 1)
        is_number = type(owner) in (int, float) or text[0] == "-" or text[0].isdigit()
        return f"({text}).{name}" if is_number else f"{text}.{name}"


_BUILTIN_NAMES = frozenset(name for name in vars(builtins) if not name.startswith("_"))
_TAGS: Mapping[str, Callable[[_Writer, Any, int], str]] = {
    name: getattr(_Writer, f"_{name}")
    for name in (
        *("int", "float", "complex", "bytes", "bytearray", "tuple", "set", "frozenset", "dict"),
        *("range", "ellipsis", "notimplemented", "iterator", "name", "module", "call"),
        "source",
    )
}


def _lambda(text: str) -> tuple[str, set[str]]:
    """The text of a lambda on one line, and the names in it that nothing in it binds."""
    if len(text) > MOST_SOURCE:
        _refuse(f"more than {MOST_SOURCE} characters of source")
    try:
        body = parse_expression(text)
        shown = ast.unparse(body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _refuse(f"no source: {text!r:.60}")
    if not isinstance(body, ast.Lambda) or "\n" in shown:
        _refuse(f"no function of one expression: {text!r:.60}")
    bound: set[str] = set()
    read: set[str] = set()
    for node in ast.walk(body):
        if isinstance(node, _SUSPENDS):
            _refuse(f"a function that is no plain one: {text!r:.60}")
        if isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
    return shown, read - bound


def _refuse(what: str = "content of a tag") -> NoReturn:
    raise SnapshotError(f"a snapshot was expected, got {what}")


def _list(data: Any, length: int | None = None) -> list[Any]:
    if type(data) is not list or (length is not None and len(data) != length):
        _refuse(f"no array{'' if length is None else f' of {length}'}: {data!r:.60}")
    return list(data)


def _number(data: Any) -> int | None:
    if type(data) is int:
        return data
    return 0 if type(data) is dict and "int" in data else None


def _is_identifier(name: object) -> bool:
    return type(name) is str and name.isidentifier() and not iskeyword(name)


def _is_dotted(name: str) -> bool:
    return all(map(_is_identifier, name.split(".")))


def _is_standard(module: str) -> bool:
    first = module.partition(".")[0]
    return first in sys.stdlib_module_names and not first.startswith("_")
