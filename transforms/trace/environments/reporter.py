"""A plugin of pytest, put into a project's environment: writes down how its tests end.

Runs on the project's own Python, from 3.8 on, with whatever pytest it has. A line an event,
written at once, so that a suite which is ended still says how far it came. Whoever reads it
believes nothing. It also ends single tests that take too long, where signals can.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

_PATH = os.environ.get("REPOMILL_REPORT", "")
_SECONDS = float(os.environ.get("REPOMILL_TEST_SECONDS", "0"))
# Of pytest-xdist, whose controller hears of every test as well.
_IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
_write = os.write
_open = os.open


def _note(event: str) -> None:
    if not _PATH or _IS_WORKER:
        return
    try:
        descriptor = _open(_PATH, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            _write(descriptor, (event + "\n").encode("utf-8", "replace"))
        finally:
            os.close(descriptor)
    except OSError:
        pass


class TooLongError(Exception):
    """A test has taken more than its time."""


def _too_long(number: int, frame: Any) -> None:
    raise TooLongError(f"it took more than {_SECONDS:g} s")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: Any, nextitem: Any) -> Iterator[None]:
    """Each test has its own time."""
    limited = _SECONDS > 0 and threading.current_thread() is threading.main_thread()
    if limited:
        before = signal.signal(signal.SIGALRM, _too_long)
        # And once more, for tests that catch every exception.
        signal.setitimer(signal.ITIMER_REAL, _SECONDS, _SECONDS)
    try:
        yield
    finally:
        if limited:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def pytest_collectreport(report: Any) -> None:
    """A file that cannot be collected is an error."""
    if report.failed:
        _note("collect_error")


def pytest_collection_finish(session: Any) -> None:
    """How many tests there are."""
    _note(f"collected {len(session.items)}")


def pytest_runtest_logreport(report: Any) -> None:
    """A test passes by its call, is skipped anywhere, and errs around its call."""
    # Parts of a test, which is reported itself as well.
    if type(report).__name__.lower() == "subtestreport":
        return
    if report.when == "call":
        _note("skipped" if report.skipped else report.outcome)
    elif report.failed:
        _note("error")
    elif report.skipped:
        _note("skipped")


def pytest_sessionfinish(session: Any, exitstatus: Any) -> None:
    """The suite came to its end."""
    _note("finished")
