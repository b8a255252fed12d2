"""Pass rates: how many of a model's samples for a problem pass, as a measure of difficulty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.problems import Rejection
from schemas.verdicts import NEVER_RUN, Verdict
from transforms.problemsets.row_files import iterate_rows
from transforms.problemsets.rows import RowFileError

MAX_LINE_BYTES = 64 << 20


class PassRateError(ValueError):
    """A file has no results of samples; the message says where."""


@dataclass(frozen=True)
class PassRates:
    """Pass rates by task, and the least and the most that are wanted.

    What nobody has sampled is wanted, too.
    """

    rates: Mapping[str, float]
    least: float
    most: float

    def rejection(self, task: str) -> Rejection | None:
        """What keeps the problem of a task from being wanted."""
        rate = self.rates.get(task)
        if rate is None:
            return None
        if rate < self.least:
            return Rejection.TOO_HARD
        return Rejection.TOO_EASY if rate > self.most else None


def read_pass_rates(path: Path) -> dict[str, float]:
    """The share of samples that passed, of those that were run, by task.

    Args:
      path: of results as ``repomill score`` writes them.

    Raises:
      PassRateError: it cannot be read, or has something else in it.
    """
    run, passed = Counter[str](), Counter[str]()
    try:
        for row in iterate_rows(path, MAX_LINE_BYTES):
            task, verdict = row.values.get("task_id"), row.values.get("verdict")
            if row.problem or verdict not in set(Verdict):
                wanted = "results of `repomill score` have a verdict in each line"
                raise PassRateError(f"{path}: line {row.number}: {row.problem or wanted}")
            if isinstance(task, str) and verdict not in NEVER_RUN:
                run[task] += 1
                passed[task] += verdict == Verdict.PASSED
    except RowFileError as error:
        raise PassRateError(str(error)) from error
    return {task: passed[task] / count for task, count in run.items()}
