"""Coverage of a function's body: the lines and branches that there are, and those that calls take.

A branch is a pair of lines: one whose code may go on at several lines, and where it then does; a
function's end is line 0. What happens within one line is not seen. Runs inside the sandbox: the
standard library alone.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

Branch = tuple[int, int]

END = 0
_MOST_EVENTS = 200_000
"""A call is traced this long; what it then still does is not seen."""

_ENDS = ("RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE")


def lines_and_branches(
    code: CodeType, name: str, first: int, last: int
) -> tuple[set[int], set[Branch]]:
    """All lines with code, and all branches, of a function whose body is between two lines.

    Args:
      code: of the program.
      name: of the function, without that of its class.
      first: line of the body.
      last: line of it.
    """
    lines: set[int] = set()
    branches: set[Branch] = set()
    for function in _all_code(code):
        if function.co_name != name or not function.co_firstlineno <= first:
            continue
        for each in _all_code(function):
            found = {line for *_, line in each.co_lines() if line and first <= line <= last}
            lines |= found
            branches |= {pair for pair in _branches(each) if pair[0] in found}
    return lines, branches


def _all_code(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _all_code(each)


def _branches(code: CodeType) -> Iterator[Branch]:
    steps = [each for each in dis.get_instructions(code) if each.opname != "CACHE"]
    at = {each.offset: number for number, each in enumerate(steps)}
    lines = _lines_of(code)
    found: dict[int, set[int]] = {}
    for number, step in enumerate(steps):
        line = lines.get(step.offset)
        if line and _is_choice(step, steps[number - 1]):
            found.setdefault(line, set()).update(_goes_to(number, line, steps, at, lines))
    for line, others in found.items():
        if len(others) > 1:
            yield from ((line, other) for other in others)


def _lines_of(code: CodeType) -> dict[int, int]:
    return {
        offset: line
        for start, end, line in code.co_lines()
        if line
        for offset in range(start, end, 2)
    }


def _is_choice(step: dis.Instruction, before: dis.Instruction) -> bool:
    name = step.opname
    if before.opname == "WITH_EXCEPT_START":
        return False
    return name == "FOR_ITER" or ("JUMP" in name and "_IF_" in name)


def _goes_to(
    start: int, line: int, steps: list[dis.Instruction], at: dict[int, int], lines: dict[int, int]
) -> set[int]:
    """Lines at which code of a line goes on."""
    found: set[int] = set()
    seen: set[int] = set()
    ahead = [start]
    while ahead:
        number = ahead.pop()
        if number in seen or number >= len(steps):
            continue
        seen.add(number)
        step = steps[number]
        here = lines.get(step.offset)
        if here is not None and here != line:
            found.add(here)
            continue
        if step.opname in _ENDS:
            if step.opname.startswith("RETURN"):
                found.add(END)
            continue
        target = at.get(step.argval) if "JUMP" in step.opname or step.opname == "FOR_ITER" else None
        if target is not None:
            ahead.append(target)
        if target is None or _is_choice(step, step):
            ahead.append(number + 1)
    return found


class LineTrace:
    """Notes the lines and branches between two lines of a file that a call takes."""

    def __init__(self, file: str, first: int, last: int) -> None:
        self.lines: set[int] = set()
        self.branches: set[Branch] = set()
        self._file = file
        self._first = first
        self._last = last
        self._left = _MOST_EVENTS

    def __enter__(self) -> LineTrace:
        sys.settrace(self._enter_frame)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(None)

    def _enter_frame(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != self._file:
            return None
        before = 0
        is_raising = False

        def trace(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal before, is_raising
            self._left -= 1
            if self._left < 0:
                sys.settrace(None)
                return None
            if event == "line":
                is_raising = False
                self._note(before, frame.f_lineno)
                before = frame.f_lineno
            elif event == "exception":
                is_raising = True
            elif event == "return" and not is_raising:
                self._note(before, END)
            return trace

        return trace

    def _note(self, before: int, line: int) -> None:
        if self._first <= line <= self._last:
            self.lines.add(line)
        if self._first <= before <= self._last:
            self.branches.add((before, line))
