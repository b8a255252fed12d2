"""Values of plain Python expressions, read from syntax and never run."""

from __future__ import annotations

import ast
import posixpath
from typing import Any

_MAX_DEPTH = 20
_MAX_ITEMS = 2_000


class UnknownValue(Exception):  # noqa: N818
    """An expression needs to be run to know its value."""


def called_name(call: ast.Call) -> str:
    """The last part of what a call calls, empty where it has no name."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def assign(statement: ast.Assign, names: dict[str, Any]) -> None:
    """Notes what names mean from an assignment on; those that are not plain mean nothing."""
    for target in statement.targets:
        if isinstance(target, ast.Name):
            names.pop(target.id, None)
            try:
                names[target.id] = plain_value(statement.value, names)
            except UnknownValue:
                continue
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            _assign_item(target, target.value.id, statement.value, names)


def _assign_item(target: ast.Subscript, name: str, value: ast.expr, names: dict[str, Any]) -> None:
    held = names.get(name)
    if isinstance(held, dict) and len(held) < _MAX_ITEMS:
        try:
            key = plain_value(target.slice, names)
            if isinstance(key, str):
                names[name] = {**held, key: plain_value(value, names)}
        except UnknownValue:
            return


def keyword_values(call: ast.Call, names: dict[str, Any]) -> dict[str, Any]:
    """Those keyword arguments of a call whose values are plain."""
    found: dict[str, Any] = {}
    for keyword in call.keywords:
        try:
            value = plain_value(keyword.value, names)
        except UnknownValue:
            continue
        if keyword.arg is not None:
            found[keyword.arg] = value
        elif isinstance(value, dict):
            found |= {key: item for key, item in value.items() if isinstance(key, str)}
    return found


def plain_value(node: ast.expr, names: dict[str, Any], depth: int = 0) -> Any:
    """The value of a plain expression; what of a list is unknown is left out of it.

    Paths are texts, and of alternatives (``a or b``) the last counts. Raises `UnknownValue`.
    """
    if depth > _MAX_DEPTH:
        raise UnknownValue
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return _items(node.elts, names, depth)
    if isinstance(node, ast.Dict):
        return _dictionary(node, names, depth)
    if isinstance(node, ast.BinOp):
        return _binary(node, names, depth)
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return plain_value(node.values[-1], names, depth + 1)
    if isinstance(node, ast.JoinedStr):
        return "".join(_formatted(each, names, depth) for each in node.values)
    if isinstance(node, ast.Call):
        return _call(node, names, depth)
    if isinstance(node, ast.Attribute) and node.attr == "parent":
        return posixpath.dirname(_text(node.value, names, depth)) or "."
    if isinstance(node, ast.Subscript):
        return _subscript(node, names, depth)
    raise UnknownValue


def _binary(node: ast.BinOp, names: dict[str, Any], depth: int) -> Any:
    left = plain_value(node.left, names, depth + 1)
    right = plain_value(node.right, names, depth + 1)
    if isinstance(node.op, ast.Div) and isinstance(left, str) and isinstance(right, str):
        return posixpath.normpath(posixpath.join(left[:1_000], right[:1_000]))
    if isinstance(node.op, ast.Add):
        return _sum(left, right)
    raise UnknownValue


def _call(node: ast.Call, names: dict[str, Any], depth: int) -> Any:
    """Calls that make a list, a dictionary or a path of what they are given."""
    name = called_name(node)
    if name in {"list", "tuple", "sorted", "set"}:
        return [] if not node.args else plain_value(node.args[0], names, depth + 1)
    if name == "dict" and not node.args:
        return keyword_values(node, names)
    if name in {"Path", "PurePath", "str", "fspath"} and len(node.args) == 1:
        return _text(node.args[0], names, depth)
    if name in {"resolve", "absolute", "as_posix"} and isinstance(node.func, ast.Attribute):
        return _text(node.func.value, names, depth)
    raise UnknownValue


def _text(node: ast.expr, names: dict[str, Any], depth: int) -> str:
    value = plain_value(node, names, depth + 1)
    if not isinstance(value, str):
        raise UnknownValue
    return value


def _formatted(node: ast.expr, names: dict[str, Any], depth: int) -> str:
    return _text(node.value if isinstance(node, ast.FormattedValue) else node, names, depth)[:1_000]


def _items(nodes: list[ast.expr], names: dict[str, Any], depth: int) -> list[Any]:
    found: list[Any] = []
    for node in nodes[:_MAX_ITEMS]:
        starred = isinstance(node, ast.Starred)
        try:
            value = plain_value(
                node.value if isinstance(node, ast.Starred) else node, names, depth + 1
            )
        except UnknownValue:
            continue
        found += value if starred and isinstance(value, list) else [value]
    if len(found) > _MAX_ITEMS:
        raise UnknownValue
    return found


def _dictionary(node: ast.Dict, names: dict[str, Any], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in zip(node.keys[:_MAX_ITEMS], node.values, strict=False):
        try:
            item = plain_value(value, names, depth + 1)
            name = None if key is None else plain_value(key, names, depth + 1)
        except UnknownValue:
            continue
        if isinstance(name, str):
            found[name] = item
        elif key is None and isinstance(item, dict):
            found |= item
    return found


def _sum(left: Any, right: Any) -> Any:
    for kind in (str, list):
        if isinstance(left, kind) and isinstance(right, kind):
            if len(left) + len(right) > _MAX_ITEMS:
                break
            return left + right
    raise UnknownValue


def _subscript(node: ast.Subscript, names: dict[str, Any], depth: int) -> Any:
    held, key = plain_value(node.value, names, depth + 1), plain_value(node.slice, names, depth + 1)
    if isinstance(held, dict) and isinstance(key, str) and key in held:
        return held[key]
    raise UnknownValue
