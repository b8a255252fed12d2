"""Problems in APPS's format (arXiv 2105.09938), and plain pairs of inputs and outputs.

APPS has ``problem_id`` or ``id``, ``question``, ``solutions`` and ``input_output``, which
holds ``inputs``, ``outputs`` and, where a function is called, its name ``fn_name``. Fields
may be JSON in text, as it is published. The plain form has ``task_id``, ``prompt`` and
``tests``, a list of objects with ``input`` and ``output``; it may have ``hidden_tests`` of the
same kind, and a ``solution``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from transforms.problemsets.fields import (
    FieldError,
    Values,
    checked_text,
    function_name,
    list_value,
    task_field,
    text_field,
    texts_field,
)
from transforms.problemsets.problems import Problem, StreamCase, StreamTest, ValueCase, ValueTest
from transforms.problemsets.rows import json_type

_CHUNK_DIGITS = 4_000
_MAX_DIGITS = 200_000


def is_apps(values: Values) -> bool:
    """Whether a row is in APPS's format."""
    return "input_output" in values


def is_plain(values: Values) -> bool:
    """Whether a row is a statement with pairs of inputs and outputs."""
    return "tests" in values


def apps_problem(values: Values) -> Problem | None:
    """The problem of a row, None where it has no tests; raises `FieldError`."""
    tests = _decoded(values, "input_output") or {}
    if not isinstance(tests, dict):
        raise FieldError(f"'input_output' must hold an object, not {json_type(tests)}")
    inputs = list_value("inputs", tests.get("inputs", []))
    outputs = list_value("outputs", tests.get("outputs", []))
    if len(inputs) != len(outputs):
        raise FieldError(f"{len(inputs)} 'inputs' and {len(outputs)} 'outputs': must be as many")
    if not inputs:
        return None
    solutions = texts_field({"solutions": _decoded(values, "solutions")}, "solutions")
    pairs = zip(inputs, outputs, strict=True)
    name = tests.get("fn_name")
    return Problem(
        task_id=task_field(values, "problem_id", "id", "task_id"),
        prompt=text_field(values, "question"),
        test=_stream_test(pairs) if name is None else _value_test(name, pairs),
        reference=solutions[0] if solutions else None,
        is_continued=False,
    )


def plain_problem(values: Values) -> Problem | None:
    """The problem of a row, None where it has no tests; raises `FieldError`."""
    shown, hidden = _plain_cases(values, "tests"), _plain_cases(values, "hidden_tests")
    if not shown and not hidden:
        return None
    return Problem(
        task_id=task_field(values, "task_id"),
        prompt=text_field(values, "prompt"),
        test=StreamTest((*shown, *(replace(case, is_hidden=True) for case in hidden))),
        reference=text_field(values, "solution") if values.get("solution") else None,
        is_continued=False,
    )


def _plain_cases(values: Values, name: str) -> tuple[StreamCase, ...]:
    tests = list_value(name, values.get(name) or [])
    for number, test in enumerate(tests, start=1):
        if not isinstance(test, dict) or not {"input", "output"} <= test.keys():
            raise FieldError(f"test {number} of {name!r} must be an object with input and output")
    return _stream_test((test["input"], test["output"]) for test in tests).cases


def _stream_test(pairs: Iterable[tuple[Any, Any]]) -> StreamTest:
    return StreamTest(
        tuple(StreamCase(_lines("input", given), _lines("output", out)) for given, out in pairs)
    )


def _lines(name: str, value: object) -> str:
    """A text, or a list of its lines."""
    if isinstance(value, list):
        return "\n".join(checked_text(name, line) for line in value)
    return checked_text(name, value)


def _value_test(name: object, pairs: Iterable[tuple[Any, Any]]) -> ValueTest:
    pairs = [(_checked("inputs", given), _checked("outputs", output)) for given, output in pairs]
    cases = (
        ValueCase(tuple(map(_argument, list_value("inputs", given))), _accepted(output))
        for given, output in pairs
    )
    return ValueTest(
        function_name("fn_name", checked_text("fn_name", name)), tuple(cases), is_json=True
    )


def _checked(name: str, value: Any) -> Any:
    """A value all of whose texts UTF-8 can write."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            left += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            left += item
        elif isinstance(item, str):
            checked_text(name, item)
    return value


def _accepted(output: Any) -> tuple[Any, ...]:
    """What an output stands for: itself or, as some are wrapped in a list, what is in it."""
    return (output, output[0]) if isinstance(output, list) and len(output) == 1 else (output,)


def _argument(value: Any) -> Any:
    """An argument as it was before JSON made text of the numbers that are keys."""
    if isinstance(value, dict) and value and all(map(_is_integer, value)):
        return {int(key): item for key, item in value.items()}
    return value


def _is_integer(key: str) -> bool:
    digits = key.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and len(digits) < _CHUNK_DIGITS


def _decoded(values: Values, name: str) -> Any:
    """A field that may be JSON in text; empty text is None."""
    value = values.get(name)
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return json.loads(value, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise FieldError(f"{name!r} is text that holds no JSON ({str(error)[:100]})") from error


def _integer(digits: str) -> int:
    """An integer of more digits than Python reads at once, which APPS has among its outputs."""
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits is too long")
    is_negative, digits = digits.startswith("-"), digits.removeprefix("-")
    value = 0
    for start in range(0, len(digits), _CHUNK_DIGITS):
        chunk = digits[start : start + _CHUNK_DIGITS]
        value = value * 10 ** len(chunk) + int(chunk)
    return -value if is_negative else value
