"""Rows of files of problems and samples: JSON objects with the numbers of their lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EXCERPT_CHARACTERS = 500
"""Of what is no row, so much is shown."""

_SPACE = " \t\r\n"


class RowFileError(ValueError):
    """A file cannot be read to its end; the message says which, where and why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A JSON object of a file, or what stands in its place.

    ``number`` is that of the line, or of the row in a table, from 1. ``text`` is the object
    as the file has it, and ``values`` what is in it. Where a line holds none, ``problem``
    says why, ``values`` are empty and ``text`` is the line's beginning.
    """

    number: int
    text: str
    values: Mapping[str, Any]
    problem: str = ""


def parse_line(number: int, line: bytes) -> Row:
    """The row of a line that is not blank.

    Numbers may be NaN or infinite as Python's `json` writes them. No object, and thus a
    row with a problem, is one that has a field twice: either value would be lost.
    """
    try:
        # Some editors begin a file with a byte order mark.
        text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip(_SPACE)
        values = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        return refused(number, line, f"no UTF-8 at byte {error.start + 1}")
    except json.JSONDecodeError as error:
        return refused(number, line, f"no JSON ({error.msg} at character {error.pos + 1})")
    except RecursionError:
        return refused(number, line, "nested too deeply")
    except ValueError as error:
        return refused(number, line, str(error))
    if not isinstance(values, dict):
        return refused(number, line, f"no object but {json_type(values)}")
    return Row(number, text, values)


def refused(number: int, line: bytes, problem: str) -> Row:
    """The row for a line that holds none."""
    # A character has four bytes at most.
    start = line[: 4 * EXCERPT_CHARACTERS].decode("utf-8", "replace")
    return Row(number, start.strip(_SPACE)[:EXCERPT_CHARACTERS], {}, problem)


def json_text(values: Mapping[str, Any]) -> str:
    """Values as an object in JSON: bytes as hexadecimal digits, dates and decimals as text."""
    return json.dumps(values, default=_plain)


def json_type(value: object) -> str:
    """What JSON calls a value."""
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    return type(value).__name__


_TYPES: Sequence[tuple[type | tuple[type, ...], str]] = (
    (type(None), "null"),
    (bool, "a truth value"),
    ((int, float), "a number"),
    (str, "text"),
    (list, "a list"),
    (dict, "an object"),
)


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError as error:
        # More digits than Python reads at once are also more than it writes.
        raise ValueError(f"a number of {len(digits):,} digits is too long") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"one object has the field {name!a:.50} twice")
    return values


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer)
