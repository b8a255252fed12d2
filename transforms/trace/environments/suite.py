"""Runs the test suite of a project in its environment, under the tracer.

A suite is to reach as many tests as possible, not to pass: options that end it early or
judge it are left out, single tests have their own time, and where no test ran the next way
of calling it is tried. What it reports is hostile like all that it writes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from enum import StrEnum
from pathlib import Path

from transforms.trace.environments.building import Environment
from transforms.trace.environments.calls import Runner, SuiteCommand, rest_of, rounds_of
from transforms.trace.environments.files import put_file, read_file
from transforms.trace.environments.workplaces import (
    PROJECT,
    RECORDS,
    TEMPORARY,
    Command,
    Finished,
    Workplace,
    base_environment,
    last_lines,
)

_REPORTER = Path(__file__).with_name("reporter.py")
_REPORTER_NAME = "repomill_reporter"
_MOST_REPORT_BYTES = 8 << 20
_MOST_COUNT = 10_000_000
_LEAST_SECONDS = 5.0
_MOST_VARIABLES = 200
_MOST_VALUE_BYTES = 4096
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,100}")
# What decides which programs and libraries run, or belongs to the run itself.
_OURS = re.compile(r"(?:PATH|HOME|TMPDIR|VIRTUAL_ENV|PYTHONHOME|(?:LD|REPOMILL|UV|PIP)_.*)")
_RAN = re.compile(rb"^Ran (\d{1,7}) tests? in ", re.M)
_UNITTEST_COUNT = re.compile(rb"(failures|errors|skipped)=(\d{1,7})")


class SuiteState(StrEnum):
    """How a suite ended."""

    RAN = "ran"
    """Tests ran to the suite's end, however they ended themselves."""
    CUT_SHORT = "cut_short"
    """Its time or another limit was over, or it died, after some tests had ended."""
    TIMED_OUT = "timed_out"
    """Its time was over before any test had ended."""
    NO_TESTS = "no_tests"
    """No way of calling it found a test."""
    FAILED_TO_START = "failed_to_start"
    """It broke before any test."""


@dataclass(frozen=True)
class Counts:
    """Of tests by how they ended; ``errors`` are broken files and fixtures, too."""

    collected: int = 0
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0

    @property
    def ran(self) -> int:
        """Tests whose bodies ran."""
        return self.passed + self.failed

    def __add__(self, other: Counts) -> Counts:
        return Counts(*map(sum, zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class Attempt:
    """One way in which the suite was called, and what came of it."""

    arguments: tuple[str, ...]
    state: SuiteState
    counts: Counts
    status: int | None
    seconds: float
    cpu_seconds: float
    tail: str


@dataclass(frozen=True)
class SuiteRun:
    """The attempts of the round that reached most tests, and those of all rounds in their order."""

    round: tuple[Attempt, ...]
    attempts: tuple[Attempt, ...]

    @property
    def best(self) -> Attempt:
        """The attempt that reached most tests."""
        return max(self.round, key=_merit)

    @property
    def counts(self) -> Counts:
        """Of all tests of the round."""
        return sum((attempt.counts for attempt in self.round), Counts())

    @property
    def state(self) -> SuiteState:
        """How the suite ended."""
        return self.best.state


@dataclass(frozen=True)
class Tracer:
    """What is put into an environment: files of site-packages by name, and variables.

    In the value of a variable, ``{records}`` is where the folder of records lies, and
    ``{roots}`` are the roots of the environment, separated by colons.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SuiteLimits:
    """What running one suite may take, all attempts together."""

    seconds: float = 900.0
    test_seconds: float = 60.0
    attempts: int = 12


def run_suite(
    workplace: Workplace,
    environment: Environment,
    plans: Sequence[Sequence[SuiteCommand]],
    paths: Collection[str],
    tracer: Tracer | None = None,
    limits: SuiteLimits | None = None,
    records: str = RECORDS[0],
    clock: Callable[[], float] = time.monotonic,
) -> SuiteRun:
    """Runs a suite by the commands of the first plan that reach tests, or by what stands for them.

    After them come the test files that they leave out.

    Args:
      workplace: where the environment was built.
      environment: of the project.
      plans: the commands of each of its plans, the best plan first.
      paths: of the project's files.
      tracer: what records the calls of its functions.
      limits: of all together.
      records: the folder of the workplace that the tracer writes to.
      clock: seconds of a clock.
    """
    limits, tracer = limits or SuiteLimits(), tracer or Tracer()
    install_tracer(workplace, environment, tracer)
    run = _Run(workplace, environment, tracer, limits, records, clock() + limits.seconds, clock)
    installed = environment.installed
    rounds: list[tuple[Attempt, ...]] = []
    for calls in rounds_of(plans, paths, installed):
        rounds.append(tuple(run.attempts(calls)))
        if any(attempt.counts.passed for attempt in rounds[-1]):
            rest = rest_of(calls, paths, installed)
            rounds[-1] += tuple(run.attempts([rest] if rest else []))
        if run.is_over or any(map(_came_far, rounds[-1])):
            break
    best = max(filter(None, rounds), key=lambda attempts: max(map(_merit, attempts)))
    return SuiteRun(best, tuple(attempt for attempts in rounds for attempt in attempts))


def install_tracer(workplace: Workplace, environment: Environment, tracer: Tracer) -> None:
    """Puts the tracer and the reporter into an environment, whatever was done to its folders."""
    packages = environment.packages.removeprefix(f"{workplace.inside}/")
    files = {**tracer.files, f"{_REPORTER_NAME}.py": _REPORTER.read_bytes()}
    for name, content in files.items():
        put_file(workplace.outside, f"{packages}/{name}", content)


@dataclass
class _Run:
    workplace: Workplace
    environment: Environment
    tracer: Tracer
    limits: SuiteLimits
    records: str
    ends: float
    clock: Callable[[], float]
    made: int = 0

    @property
    def seconds_left(self) -> float:
        return self.ends - self.clock()

    @property
    def is_over(self) -> bool:
        """Whether there is no time, or no attempt, left; the first one is always made."""
        is_late = self.seconds_left < _LEAST_SECONDS
        return bool(self.made) and (is_late or self.made >= self.limits.attempts)

    def attempts(self, calls: Sequence[SuiteCommand]) -> Iterator[Attempt]:
        for call in calls:
            if not self.is_over:
                self.made += 1
                yield self._attempt(call)

    def _attempt(self, call: SuiteCommand) -> Attempt:
        report = f"report-{self.records}-{self.made}"
        arguments = (self.environment.python, *call.arguments)
        if call.runner is Runner.PYTEST:
            cache = self.workplace.inside / TEMPORARY / "pytest-cache"
            arguments += ("-p", _REPORTER_NAME, "-o", f"cache_dir={cache}")
        variables = self._variables(call, str(self.workplace.inside / report))
        command = Command(arguments, variables, f"{PROJECT}/{call.folder}", self.seconds_left)
        finished = self.workplace.run(command)
        if call.runner is Runner.PYTEST:
            written = read_file(self.workplace.outside, report, _MOST_REPORT_BYTES)
            counts, ended = count_report(written or b"")
        else:
            counts, ended = count_output(finished.output), finished.status is not None
        return Attempt(
            arguments=call.arguments,
            state=_state(counts, finished, ended=ended),
            counts=counts,
            status=finished.status,
            seconds=round(finished.seconds, 3),
            cpu_seconds=round(finished.cpu_seconds, 3),
            tail=last_lines(finished.output),
        )

    def _variables(self, call: SuiteCommand, report: str) -> dict[str, str]:
        inside = self.workplace.inside
        theirs = _allowed(call.environment)
        place = str(inside / PROJECT / call.folder)
        paths = [*self.environment.python_path, *theirs.pop("PYTHONPATH", "").split(":")]
        absolute = [one if one.startswith("/") else f"{place}/{one}" for one in paths if one]
        variables = base_environment(self.workplace) | theirs
        if absolute:
            variables["PYTHONPATH"] = ":".join(absolute)
        known = {"{records}": str(inside / self.records)}
        known["{roots}"] = ":".join(self.environment.roots)
        for name, value in self.tracer.environment.items():
            for placeholder, meant in known.items():
                value = value.replace(placeholder, meant)
            variables[name] = value
        variables["REPOMILL_REPORT"] = report
        variables["REPOMILL_TEST_SECONDS"] = f"{self.limits.test_seconds:g}"
        return variables


def count_report(report: bytes) -> tuple[Counts, bool]:
    """What the reporter wrote, and whether the suite came to its end; lines of others are none."""
    counts = dict.fromkeys(("collected", "passed", "failed", "errors", "skipped"), 0)
    ended = False
    for line in report.splitlines():
        word, _, number = line.decode("ascii", "replace").partition(" ")
        if word == "collected" and number.isascii() and number.isdigit() and len(number) <= 8:
            counts["collected"] = min(int(number), _MOST_COUNT)
        elif word in ("error", "collect_error"):
            counts["errors"] += 1
        elif word in ("passed", "failed", "skipped"):
            counts[word] += 1
        ended = ended or word == "finished"
    return Counts(**counts), ended


def count_output(output: bytes) -> Counts:
    """What unittest says at its end; nothing where it does not say it."""
    ran = _RAN.findall(output)
    if not ran:
        return Counts()
    total = int(ran[-1])
    end = output[output.rindex(b"Ran " + ran[-1]) :]
    found = {name.decode(): int(number) for name, number in _UNITTEST_COUNT.findall(end)}
    failed, errors, skipped = (found.get(name, 0) for name in ("failures", "errors", "skipped"))
    passed = max(0, total - failed - errors - skipped)
    return Counts(total, passed, failed, errors, skipped)


def _state(counts: Counts, finished: Finished, *, ended: bool) -> SuiteState:
    if counts.ran:
        is_whole = ended and finished.breach is None
        return SuiteState.RAN if is_whole else SuiteState.CUT_SHORT
    if finished.timed_out:
        return SuiteState.TIMED_OUT
    # pytest's own status for it, and unittest's from Python 3.12 on; before it was 0.
    is_empty = finished.status in (0, 5) and counts.errors == 0
    return SuiteState.NO_TESTS if is_empty else SuiteState.FAILED_TO_START


def _came_far(attempt: Attempt) -> bool:
    return bool(attempt.counts.passed) or attempt.state is SuiteState.CUT_SHORT


def _merit(attempt: Attempt) -> tuple[int, int, bool]:
    # Of attempts without tests, one that says what is wrong tells more than one that found none.
    return attempt.counts.passed, attempt.counts.ran, attempt.state is not SuiteState.NO_TESTS


def _allowed(environment: Mapping[str, str]) -> dict[str, str]:
    return dict(_allowed_items(environment))


def _allowed_items(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in list(environment.items())[:_MOST_VARIABLES]:
        is_text = "\0" not in value and len(value.encode("utf-8", "replace")) <= _MOST_VALUE_BYTES
        if _VARIABLE.fullmatch(name) and not _OURS.fullmatch(name) and is_text:
            yield name, value
