"""Answers of the driver, which any program can have written: read with bounds, or refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from transforms.trace.snapshots import Snapshot, SnapshotError, check_snapshot
from transforms.trace.verification.coverage import Branch

_MOST_LINES = 20_000
_MOST_DETAIL = 200


class AnswerError(ValueError):
    """What came is no answer of the driver's."""


class Fault(StrEnum):
    """Why a call has no outcome that a test can have."""

    ARGUMENTS = "arguments"
    """They cannot be made."""

    BINDING = "binding"
    """The function does not take them."""

    LATE = "late"
    LOST = "lost"
    """The process ended in it."""

    OPAQUE = "opaque"
    EXCEPTION = "exception"
    """An exception that says more about the program than about the function."""


@dataclass(frozen=True)
class Outcome:
    """What a call led to; without ``fault`` it is ``value`` or, where given, ``raised``."""

    value: Snapshot = None
    raised: Snapshot = None
    """The class of the exception."""

    message: str = ""
    is_cut: bool = False
    """Whether ``value`` is an iterator that yields more."""

    after: tuple[tuple[int, Snapshot], ...] = ()
    """Arguments that the call changed, by their places among all."""

    printed: bool = False
    fault: Fault | None = None
    detail: str = ""
    lines: frozenset[int] = field(default=frozenset(), compare=False)
    branches: frozenset[Branch] = field(default=frozenset(), compare=False)

    def same_as(self, other: Outcome) -> bool:
        """Whether a test could not tell the two apart."""
        return self._compared() == other._compared()

    def _compared(self) -> str:
        # Messages are not tested: they may have addresses in them.
        plain = replace(self, message="", detail="", lines=frozenset(), branches=frozenset())
        return (
            canonical(
                [plain.value, plain.raised, plain.is_cut, [list(each) for each in plain.after]]
            )
            + f"{plain.fault}"
        )


def canonical(tree: Any) -> str:
    """The text of a snapshot in which equal dictionaries have equal text, whatever their order."""
    return json.dumps(_ordered(tree), separators=(",", ":"))


def _ordered(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_ordered(each) for each in tree]
    if not isinstance(tree, dict):
        return tree
    found = {key: _ordered(each) for key, each in sorted(tree.items())}
    if list(found) == ["dict"]:
        found["dict"].sort(key=json.dumps)
    return found


@dataclass(frozen=True)
class Body:
    """What of a function's body can be covered."""

    lines: frozenset[int]
    branches: frozenset[Branch]


def read_body(message: Any) -> Body:
    """What the driver says first of all.

    Raises:
      AnswerError: the program did not load, or this is no answer.
    """
    if isinstance(message, dict) and "failed" in message:
        raise AnswerError(str(message["failed"])[:_MOST_DETAIL])
    values = _fields(message, "lines", "branches")
    return Body(_lines(values["lines"]), _branches(values["branches"]))


def read_outcome(message: Any, place: int, arguments: int) -> Outcome:
    """What the driver says of the call of a place, with so many arguments.

    Raises:
      AnswerError: this is no such answer.
    """
    values = _fields(message, "at")
    if values["at"] != place or type(values["at"]) is not int:
        raise AnswerError(f"an answer to call {place} was expected")
    if "fault" in values:
        return Outcome(fault=_fault(values["fault"]), detail=_text(values.get("detail")))
    covered = values.get("covered")
    if not isinstance(covered, list) or len(covered) != 2:
        raise AnswerError("what is covered was expected")
    try:
        return Outcome(
            value=check_snapshot(values.get("value")),
            raised=check_snapshot(values.get("raised")),
            message=_text(values.get("message")),
            is_cut=values.get("is_cut") is True,
            after=tuple(_after(values.get("after", []), arguments)),
            printed=values.get("printed") is True,
            lines=_lines(covered[0]),
            branches=_branches(covered[1]),
        )
    except SnapshotError as error:
        return Outcome(fault=Fault.OPAQUE, detail=str(error)[:_MOST_DETAIL])


def read_verdict(message: Any, place: int) -> bool:
    """Whether a program passed its test.

    Raises:
      AnswerError: this is no answer for the program of that place.
    """
    values = _fields(message, "at", "passed")
    if values["at"] != place:
        raise AnswerError(f"an answer to program {place} was expected")
    return values["passed"] is True


def _fields(message: Any, *names: str) -> Mapping[str, Any]:
    if not isinstance(message, dict) or not all(name in message for name in names):
        raise AnswerError(f"an answer with {', '.join(names)} was expected")
    return message


def _fault(value: Any) -> Fault:
    try:
        return Fault(value)
    except ValueError:
        raise AnswerError("no fault of a call") from None


def _text(value: Any) -> str:
    return value[:_MOST_DETAIL] if isinstance(value, str) else ""


def _list(data: Any, most: int = _MOST_LINES) -> Sequence[Any]:
    if not isinstance(data, list) or len(data) > most:
        raise AnswerError(f"at most {most} items were expected")
    return data


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 31:
        raise AnswerError("the number of a line was expected")
    return value


def _lines(data: Any) -> frozenset[int]:
    return frozenset(map(_number, _list(data)))


def _branches(data: Any) -> frozenset[Branch]:
    pairs = [_list(each, 2) for each in _list(data)]
    if any(len(pair) != 2 for pair in pairs):
        raise AnswerError("a pair of lines was expected")
    return frozenset((_number(one), _number(other)) for one, other in pairs)


def _after(data: Any, arguments: int) -> list[tuple[int, Snapshot]]:
    found = []
    for pair in _list(data, arguments):
        place, tree = pair if isinstance(pair, list) and len(pair) == 2 else (None, None)
        if type(place) is not int or not 0 <= place < arguments:
            raise AnswerError("a changed argument was expected")
        found.append((place, check_snapshot(tree)))
    return found
