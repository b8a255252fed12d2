"""Comparison: whether a program gave the value, or printed the text, that was expected.

Values are plain (`transforms.sandbox.values`) and equal if they are of the same type and
value all the way down: 1 is neither 1.0 nor True, and -0.0 not 0.0; NaN is NaN. Floats may
differ by `RELATIVE` of the larger one or by `ABSOLUTE`, but for those in sets and keys.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Hashable
from decimal import Decimal
from typing import Any

RELATIVE = 1e-6
ABSOLUTE = 1e-9


def equals(value: Any, expected: Any) -> bool:
    """Whether two plain values are equal, as said above."""
    if type(value) is not type(expected):
        return False
    if isinstance(expected, float):
        return _close(value, expected)
    if isinstance(expected, complex):
        return _close(value.real, expected.real) and _close(value.imag, expected.imag)
    if isinstance(expected, (list, tuple)):
        return len(value) == len(expected) and all(map(equals, value, expected))
    if isinstance(expected, dict):
        held = {_exactly(key): each for key, each in value.items()}
        wanted = {_exactly(key): each for key, each in expected.items()}
        # Keys that are NaN are not told apart, and equal to nothing if there are several.
        is_clear = len(held) == len(value) and len(wanted) == len(expected)
        return (is_clear and held.keys() == wanted.keys()) and all(
            equals(held[key], each) for key, each in wanted.items()
        )
    return _exactly(value) == _exactly(expected)


def _close(value: float, expected: float) -> bool:
    if math.isnan(value) or math.isnan(expected):
        return math.isnan(value) and math.isnan(expected)
    if value == expected == 0:
        return math.copysign(1, value) == math.copysign(1, expected)
    return math.isclose(value, expected, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _exactly(value: Any) -> Hashable:
    """What only a value of the same type and value has."""
    kind = type(value).__name__
    if isinstance(value, (set, frozenset)):
        # Counted, since a set may hold several NaN.
        return kind, frozenset(Counter(map(_exactly, value)).items())
    if isinstance(value, tuple):
        return kind, tuple(map(_exactly, value))
    if isinstance(value, (float, complex, Decimal)):
        return kind, repr(value)
    return kind, bytes(value) if isinstance(value, bytearray) else value


def through_json(value: Any) -> Any:
    """What is left of a value behind JSON: tuples are lists, keys are text, numbers are floats.

    Raises:
      TypeError: JSON has no such value or key.
    """
    if isinstance(value, (list, tuple)):
        return [through_json(each) for each in value]
    if isinstance(value, dict):
        return {_json_key(key): through_json(each) for key, each in value.items()}
    if isinstance(value, int) and not isinstance(value, bool):
        # Which of both a number is depends on who wrote it, unless a float cannot hold it.
        return float(value) if abs(value) <= 1 << 53 else value
    if value is None or isinstance(value, (bool, float, str)):
        return value
    raise TypeError(f"JSON has no values of type {type(value).__name__}")


def _json_key(key: Any) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, (bool, int, float)):
        try:
            return json.dumps(key)
        except ValueError:
            raise TypeError("a key has too many digits") from None
    raise TypeError(f"JSON has no keys of type {type(key).__name__}")


def prints(text: str, expected: str) -> bool:
    """Whether a program printed what was expected.

    White space at the ends of lines and empty lines at the end do not count, nor how much of
    it is between words. Words with a decimal point or exponent are compared as floats are.
    """
    lines, wanted = (
        [line.split() for line in each.rstrip().splitlines()] for each in (text, expected)
    )
    return len(lines) == len(wanted) and all(
        len(line) == len(other) and all(map(_same_word, line, other))
        for line, other in zip(lines, wanted, strict=True)
    )


def _same_word(word: str, expected: str) -> bool:
    if word == expected:
        return True
    if not set(expected.lower()) & set(".e"):
        return False
    try:
        return math.isclose(float(word), float(expected), rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    except ValueError:
        return False
