"""Conditions of a module's top level that are known without running it.

Which branch a project takes by version of Python, by what can be imported, by whether a type
checker reads it or by whether it is the program that runs, is decided here, so that only that
branch is a part of programs. What is not known stays as it is written.
"""

from __future__ import annotations

import ast
import importlib
import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_VERSION = tuple(sys.version_info[:3])
_PARTS = {"major": _VERSION[0], "minor": _VERSION[1], "micro": _VERSION[2]}

_FACTS: Mapping[tuple[str, str], object] = {
    ("sys", "version_info"): _VERSION,
    ("sys", "hexversion"): sys.hexversion,
    ("sys", "platform"): "linux",
    ("sys", "builtin_module_names"): tuple(sys.builtin_module_names),
    ("os", "name"): "posix",
}
"""Of the interpreter that runs programs, which is this one, in a sandbox on Linux."""

GLOBALS = "globals()"
"""Stands for all names that are bound so far where it is among the names."""

_CALLS = {"python_implementation": "CPython", "system": "Linux"}

_IMPORTABLE = frozenset(
    [
        "abc",
        "array",
        "ast",
        "asyncio",
        "base64",
        "binascii",
        "bisect",
        "bz2",
        "calendar",
        "cmath",
        "codecs",
        "collections",
        "collections.abc",
        "concurrent.futures",
        "configparser",
        "contextlib",
        "contextvars",
        "copy",
        "csv",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "email",
        "email.utils",
        "enum",
        "errno",
        "fnmatch",
        "fractions",
        "functools",
        "gc",
        "getpass",
        "gettext",
        "glob",
        "gzip",
        "hashlib",
        "heapq",
        "hmac",
        "html",
        "html.entities",
        "html.parser",
        "http",
        "http.client",
        "http.cookiejar",
        "http.cookies",
        "importlib",
        "importlib.abc",
        "importlib.machinery",
        "importlib.metadata",
        "importlib.resources",
        "importlib.util",
        "inspect",
        "io",
        "ipaddress",
        "itertools",
        "json",
        "keyword",
        "linecache",
        "locale",
        "logging",
        "logging.handlers",
        "lzma",
        "math",
        "mimetypes",
        "numbers",
        "operator",
        "os",
        "os.path",
        "pathlib",
        "pickle",
        "platform",
        "pprint",
        "queue",
        "random",
        "re",
        "reprlib",
        "secrets",
        "select",
        "shlex",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "ssl",
        "stat",
        "statistics",
        "string",
        "struct",
        "subprocess",
        "sys",
        "tempfile",
        "textwrap",
        "threading",
        "time",
        "timeit",
        "token",
        "tokenize",
        "tomllib",
        "traceback",
        "types",
        "typing",
        "unicodedata",
        "unittest",
        "unittest.mock",
        "urllib",
        "urllib.error",
        "urllib.parse",
        "urllib.request",
        "urllib.response",
        "uuid",
        "warnings",
        "weakref",
        "xml",
        "xml.dom",
        "xml.etree",
        "xml.etree.ElementTree",
        "xml.sax",
        "xml.sax.saxutils",
        "zipfile",
        "zlib",
        "zoneinfo",
    ]
)
"""Modules of the standard library that do nothing when they are imported, so that it can be
asked which names they have."""


class Unknown(Exception):  # noqa: N818
    """The value of an expression is not known."""


def truth(test: ast.expr, names: Mapping[str, ast.expr]) -> bool | None:
    """Whether a condition holds, None where that is not known.

    Args:
      test: the condition.
      names: what names of the module stand for, where that is one expression.
    """
    try:
        return bool(_value(test, names, 0))
    except (Unknown, TypeError, ValueError, IndexError, KeyError):
        return None


def has_name(module: str, name: str) -> bool | None:
    """Whether a module of the standard library has a name, None where that is not known."""
    if module not in _IMPORTABLE:
        return None
    return f"{module}.{name}" in _IMPORTABLE or name in _names(module)


@cache
def _names(module: str) -> frozenset[str]:
    try:
        return frozenset(dir(importlib.import_module(module)))
    except ImportError:
        return frozenset()


def is_standard(module: str) -> bool:
    """Whether a module is one of the standard library."""
    return module.partition(".")[0] in sys.stdlib_module_names


def is_importable(module: str) -> bool:
    """Whether a module is known to be there."""
    return module in _IMPORTABLE or module in sys.stdlib_module_names


def _value(node: ast.expr, names: Mapping[str, ast.expr], depth: int) -> object:
    if depth > 20:
        raise Unknown
    depth += 1
    match node:
        case ast.Constant(value=int() | str() | None as value):
            return value
        case ast.Tuple(elts=items):
            return tuple(_value(item, names, depth) for item in items)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, names, depth)
        case ast.BoolOp(op=op, values=values):
            return _boolean(isinstance(op, ast.And), values, names, depth)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            compare = _COMPARISONS[type(op)]
            return compare(_value(left, names, depth), _value(right, names, depth))
        case ast.Subscript(value=value, slice=ast.Slice(lower=None, upper=upper, step=None)):
            return _sequence(value, names, depth)[: _index(upper, names, depth)]
        case ast.Subscript(value=value, slice=index):
            return _sequence(value, names, depth)[_index(index, names, depth)]
        case ast.Attribute(value=ast.Name(id=module), attr=attr) if (module, attr) in _FACTS:
            return _FACTS[module, attr]
        case ast.Attribute(value=ast.Attribute(attr="implementation"), attr="name"):
            return sys.implementation.name
        case ast.Call(func=ast.Name(id="globals" | "dir" | "vars"), args=[]) if GLOBALS in names:
            return _value(names[GLOBALS], names, depth)
        case ast.Call(
            func=ast.Name(id="hasattr"), args=[ast.Name(id=module), ast.Constant(str(name))]
        ):
            found = has_name(module, name)
            if found is not None and module not in names:
                return found
        case ast.Call(func=ast.Attribute(attr=attr), args=[]) if attr in _CALLS:
            return _CALLS[attr]
        case ast.Call(func=ast.Name(id=attr), args=[]) if attr in _CALLS:
            return _CALLS[attr]
        case ast.Call(func=ast.Attribute(value=value, attr="startswith"), args=[start]):
            return _text(_value(value, names, depth)).startswith(_text(_value(start, names, depth)))
        case ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.Attribute(value=value, attr=attr) if attr in _PARTS:
            if _value(value, names, depth) == _VERSION:
                return _PARTS[attr]
        case ast.Name(id="TYPE_CHECKING" | "MYPY"):
            return False
        case ast.Name(id="__name__"):
            return "(imported)"
        case ast.Name(id=name) if name not in names and ("sys", name) in _FACTS:
            return _FACTS["sys", name]
        case ast.Name(id=name) if name in names:
            return _value(names[name], names, depth)
    raise Unknown


def _boolean(
    conjunction: bool, values: Sequence[ast.expr], names: Mapping[str, ast.expr], depth: int
) -> bool:
    """One value can decide, whatever is not known of others."""
    unknown = False
    for value in values:
        try:
            if bool(_value(value, names, depth)) is not conjunction:
                return not conjunction
        except Unknown:
            unknown = True
    if unknown:
        raise Unknown
    return conjunction


def _sequence(
    node: ast.expr, names: Mapping[str, ast.expr], depth: int
) -> tuple[object, ...] | str:
    value = _value(node, names, depth)
    if isinstance(value, tuple | str):
        return value
    raise Unknown


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise Unknown


def _index(node: ast.expr | None, names: Mapping[str, ast.expr], depth: int) -> int:
    value = None if node is None else _value(node, names, depth)
    if isinstance(value, int):
        return value
    raise Unknown


_IMPORT_FAULTS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def catches_import_faults(handler: ast.ExceptHandler) -> bool:
    """Whether a handler is there for imports that fail, among others."""
    if handler.type is None:
        return True
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(name, ast.Name) and name.id in _IMPORT_FAULTS for name in names)
