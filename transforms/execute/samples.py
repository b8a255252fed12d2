"""Samples read from files: completions of problems, and what is known of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.results import OUTCOME
from transforms.problemsets.fields import FieldError, Values, checked_text, task_field
from transforms.problemsets.row_files import iterate_rows
from transforms.problemsets.rows import EXCERPT_CHARACTERS, Row, json_text, json_type

MAX_COMPLETION_BYTES = 1 << 20
"""Of a completion as UTF-8. Those of models have some KB."""
MAX_LINE_BYTES = 16 << 20

_MAX_TOKENS = 2**63 - 1
_OUTCOME_FIELDS = frozenset(OUTCOME.names)
# What tells samples of equal completions apart, in files of those who number them.
_IDENTIFIERS = frozenset({"id", "uuid", "sample_id", "completion_id", "sample_index"})


@dataclass(frozen=True, slots=True)
class Sample:
    """A completion, and the row that it is from.

    ``number`` is the row's, from 1; ``text`` is its JSON object with all its fields, but
    for those of a result, which are ``replaced``. ``has_identifier`` says whether the row
    has a field that tells it from samples of equal completions.
    """

    number: int
    task_id: str
    completion: str
    logprob: float | None
    tokens: int | None
    temperature: float | None
    back_translation: float | None
    text: str
    has_identifier: bool
    replaced: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MalformedRow:
    """A row that is no sample: its number, what is wrong with it and how its text begins."""

    number: int
    problem: str
    excerpt: str


def iterate_samples(path: Path) -> Iterator[Sample | MalformedRow]:
    """The rows of a file in order, a few in memory at a time; each reading begins anew.

    The file is one of JSON Lines, plain or compressed, whose blank lines are no rows, or a
    table. Raises `RowFileError` where it cannot be read to its end.
    """
    return map(read_sample, iterate_rows(path, MAX_LINE_BYTES))


def read_sample(row: Row) -> Sample | MalformedRow:
    """The sample of a row. A task that is a number is that number's digits."""
    try:
        return _sample(row)
    except FieldError as error:
        return MalformedRow(row.number, str(error), row.text[:EXCERPT_CHARACTERS])


def _sample(row: Row) -> Sample:
    if row.problem:
        raise FieldError(row.problem)
    values = row.values
    replaced = tuple(name for name in values if name in _OUTCOME_FIELDS)
    return Sample(
        number=row.number,
        task_id=task_field(values, "task_id"),
        completion=_completion(values),
        logprob=_number(values, "logprob"),
        tokens=_tokens(values),
        temperature=_number(values, "temperature"),
        back_translation=_number(values, "back_translation"),
        text=_without(values, replaced) if replaced else row.text,
        has_identifier=not _IDENTIFIERS.isdisjoint(values),
        replaced=replaced,
    )


def _completion(values: Values) -> str:
    if "completion" not in values:
        raise FieldError("no 'completion'")
    completion = checked_text("completion", values["completion"])
    if "\0" in completion:
        raise FieldError("'completion' has a NUL character")
    # Most are too short for any of their bytes to matter.
    if len(completion) * 4 > MAX_COMPLETION_BYTES < len(completion.encode()):
        raise FieldError(f"'completion' is longer than {MAX_COMPLETION_BYTES:,} bytes")
    return completion


def _number(values: Values, name: str) -> float | None:
    value = values.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise FieldError(f"{name!r} must be a number, not {json_type(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise FieldError(f"{name!r} must be a finite number, not {number}")
    return number


def _tokens(values: Values) -> int | None:
    number = _number(values, "tokens")
    if number is None:
        return None
    # Programs for tables make floats of integers where some are missing.
    if number != int(number) or not 0 <= number <= _MAX_TOKENS:
        raise FieldError(f"'tokens' must be a count, not {number:.15g}")
    return int(values["tokens"])


def _without(values: Values, names: tuple[str, ...]) -> str:
    try:
        return json_text({name: values[name] for name in values if name not in names})
    except RecursionError as error:
        raise FieldError("nested too deeply") from error
