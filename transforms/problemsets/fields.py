"""Fields of rows that hold problems, checked for what they must be."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Mapping, Sequence
from typing import Any

from transforms.problemsets.rows import json_type
from transforms.syntax_trees import parse_module

Values = Mapping[str, Any]


class FieldError(ValueError):
    """A row's field is missing or is not what it must be; the message names it."""


def text_field(values: Values, name: str) -> str:
    """A field that must be text; raises `FieldError`."""
    if name not in values:
        raise FieldError(f"no {name!r}")
    return checked_text(name, values[name])


def optional_text(values: Values, name: str) -> str | None:
    """A field that may be missing, null or empty, which all are None; raises `FieldError`."""
    return text_field(values, name) or None if values.get(name) is not None else None


def checked_text(name: str, value: object) -> str:
    """A value that must be text that UTF-8 can write; raises `FieldError`."""
    if not isinstance(value, str):
        raise FieldError(f"{name!r} must be text, not {json_type(value)}")
    if not is_unicode(value):
        raise FieldError(f"{name!r} has half of a surrogate pair")
    return value


def is_unicode(text: str) -> bool:
    """Whether a text has no half of a surrogate pair, which JSON can escape and UTF-8 not write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def texts_field(values: Values, name: str) -> list[str]:
    """A field that must be a list of texts, missing or null ones empty; raises `FieldError`."""
    value = values.get(name)
    return [checked_text(name, text) for text in list_value(name, [] if value is None else value)]


def list_value(name: str, value: object) -> Sequence[Any]:
    """A value that must be a list; raises `FieldError`."""
    if not isinstance(value, list):
        raise FieldError(f"{name!r} must be a list, not {json_type(value)}")
    return value


def task_field(values: Values, *names: str) -> str:
    """What names a problem by the first of some fields: text, or a number's digits."""
    name = next((name for name in names if values.get(name) is not None), names[0])
    value = values.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    task = text_field(values, name)
    if not task or "\0" in task:
        raise FieldError(f"{name!r} must not be empty nor have a NUL character")
    return task


def function_name(name: str, value: str) -> str:
    """A value that must name a function; raises `FieldError`."""
    if not value.isidentifier() or keyword.iskeyword(value):
        raise FieldError(f"{name!r} must be the name of a function, not {value!a:.50}")
    return value


def callable_name(name: str, value: str) -> str:
    """A value that must name a function, or with a dot one of a class; raises `FieldError`."""
    parts = value.split(".")
    are_names = all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)
    if len(parts) > 2 or not are_names:
        raise FieldError(
            f"{name!r} must be the name of a function, or CLASS.FUNCTION, not {value!a:.50}"
        )
    return value


def parse_code(name: str, code: str) -> ast.Module:
    """The syntax tree of a field that must be Python; it is not run. Raises `FieldError`."""
    try:
        return parse_module(code)
    except SyntaxError as error:
        raise FieldError(f"{name!r} is no Python: {error.msg} (line {error.lineno})") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise FieldError(f"{name!r} is no Python: {type(error).__name__}") from error


def names_bound(tree: ast.Module) -> set[str]:
    """Names that top-level statements of a module give to functions and other values."""
    names = set()
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign):
            names |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return names
