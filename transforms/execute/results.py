"""Results of samples, written beside them as JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from schemas.verdicts import Verdict
from transforms.execute.samples import MalformedRow, Sample
from transforms.stores.files import writing_whole

_SUFFIXES = frozenset(
    (".gz", ".bz2", ".xz", ".zst", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow")
)


@dataclass(frozen=True)
class Result:
    """What became of a sample: the columns `schemas.results.OUTCOME`."""

    verdict: Verdict
    reason: str | None = None
    seconds: float | None = None
    memory_bytes: int | None = None
    tier: str | None = None

    def __post_init__(self) -> None:
        if self.reason is not None:
            # It may quote what a sample raised, in text that no encoding has.
            readable = self.reason.encode("utf-8", "replace").decode()
            object.__setattr__(self, "reason", readable)


def results_path(samples: Path) -> Path:
    """Where the results of a file or table of samples go: ``S_results.jsonl`` beside it."""
    # A folder may be given as "." or "..", which are no names.
    path = samples if samples.name not in {"", ".."} else samples.resolve()
    name = Path(path.name)
    while name.suffix.lower() in _SUFFIXES and name.stem:
        name = name.with_suffix("")
    return path.with_name(f"{name}_results.jsonl")


def result_without_run(row: Sample | MalformedRow, problems: Collection[str]) -> Result | None:
    """The result of a row that cannot be run, for problems by the names of their tasks."""
    if isinstance(row, MalformedRow):
        return Result(Verdict.MALFORMED, row.problem)
    if row.task_id not in problems:
        return Result(Verdict.UNKNOWN_TASK, "no problem has this task_id")
    return None


def result_line(row: Sample | MalformedRow, result: Result) -> bytes:
    """A row with its result as a line of JSON.

    A sample's fields stand in it as the row had them, then those of the result; a malformed
    row is the number of its line and its beginning, ``line`` and ``text``.
    """
    values = asdict(result)
    if isinstance(row, MalformedRow):
        values = {"line": row.number, "text": row.excerpt, **values}
        return json.dumps(values, allow_nan=False).encode() + b"\n"
    added = json.dumps(values, allow_nan=False)
    # The row's own text, since not all of JSON survives being read and written again.
    return f"{row.text[:-1].rstrip()}, {added[1:]}\n".encode()


@contextmanager
def writing_results(
    path: Path,
) -> Iterator[Callable[[Sample | MalformedRow, Result], None]]:
    """Writes results in the order in which they are given, to a file that appears when whole."""
    with writing_whole(path) as file:

        def write(row: Sample | MalformedRow, result: Result) -> None:
            file.write(result_line(row, result))

        yield write
