"""What a file of samples holds, found before any is run."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from transforms.execute.samples import MalformedRow, Sample
from transforms.problemsets.findings import MAX_EXAMPLES, Finding, Tally

_DIGEST_BYTES = 8
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True)
class Intake:
    """What a file of samples holds.

    Of its ``rows``, ``samples`` will be run; the others are ``malformed`` or of
    ``unknown_tasks``. ``tasks`` problems have samples, ``missing_tasks`` have none.
    ``repeats`` have the task and the completion of an earlier sample: models may well write
    one twice, and each counts. ``duplicates`` equal an earlier row in all fields, of which
    one names the sample: the file holds it twice. Both are among the samples.
    ``replaced_fields`` are rows that had fields of a result, which a new one replaces.
    """

    rows: int
    samples: int
    tasks: int
    malformed: Finding
    unknown_tasks: Finding
    missing_tasks: Finding
    repeats: Finding
    duplicates: Finding
    replaced_fields: Finding


@dataclass
class _Repetitions:
    """Keys of rows, 16 bytes each whatever the rows are."""

    digests: array[int] = field(default_factory=lambda: array("Q"))
    numbers: array[int] = field(default_factory=lambda: array("Q"))

    def add(self, number: int, text: str) -> None:
        """Notes a row by its number and a text that stands for it."""
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES)
        self.digests.append(int.from_bytes(digest.digest()))
        self.numbers.append(number)

    def finding(self) -> Finding:
        """The rows that equal an earlier one."""
        digests, numbers = np.array(self.digests), np.array(self.numbers)
        _, first, group = np.unique(digests, return_index=True, return_inverse=True)
        later = np.flatnonzero(first[group] != np.arange(len(digests)))
        examples = (
            f"line {numbers[row]} as line {numbers[first[group[row]]]}"
            for row in later[:MAX_EXAMPLES]
        )
        return Finding(len(later), tuple(examples))


def survey_samples(rows: Iterable[Sample | MalformedRow], problems: Collection[str]) -> Intake:
    """Counts what is in rows of samples, for problems by the names of their tasks.

    Of each row it keeps 32 bytes at most. Rows are taken for equal by 64 bits of a hash, so
    that a million distinct ones are with a probability of 3e-8.
    """
    malformed, unknown, replaced = Tally(), Tally(), Tally()
    completions, texts = _Repetitions(), _Repetitions()
    tasks: set[str] = set()
    count = 0
    for row in rows:
        count += 1
        if isinstance(row, MalformedRow):
            malformed.add(f"line {row.number}: {row.problem}")
        elif row.task_id not in problems:
            name = f"{row.task_id!r:.{_SHOWN_CHARACTERS}}"
            unknown.add(f"line {row.number}: {name}", name)
        else:
            tasks.add(row.task_id)
            completions.add(row.number, f"{row.task_id}\0{row.completion}")
            if row.has_identifier:
                texts.add(row.number, row.text)
        if isinstance(row, Sample) and row.replaced:
            replaced.add(", ".join(row.replaced))
    return Intake(
        rows=count,
        samples=count - malformed.count - unknown.count,
        tasks=len(tasks),
        malformed=malformed.finding(),
        unknown_tasks=unknown.finding(),
        missing_tasks=_missing(name for name in problems if name not in tasks),
        repeats=completions.finding(),
        duplicates=texts.finding(),
        replaced_fields=replaced.finding(),
    )


def _missing(names: Iterator[str]) -> Finding:
    tally = Tally()
    for name in names:
        tally.add(f"{name:.{_SHOWN_CHARACTERS}}")
    return tally.finding()
