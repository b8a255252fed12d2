"""Outcomes: how a run in the sandbox ended, and what it used and said."""

from __future__ import annotations

import errno
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from transforms.sandbox.limits import Limits, Tier


class Ending(StrEnum):
    """How a run ended; all but the first three are limits that it broke."""

    RETURNED = "returned"
    """By itself, as the program says; what it says is no proof of anything."""

    ERROR = "error"
    """With an exception or an exit status."""

    KILLED = "killed"
    """By a signal that no limit sent."""

    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT = "output"
    PROCESSES = "processes"
    OPEN_FILES = "open_files"
    FILE_SIZE = "file_size"
    FILES = "files"


@dataclass(frozen=True)
class Outcome:
    """What is known of a run.

    ``messages`` are what came from the processes of the run, plain JSON values of any shape.
    """

    tier: Tier
    ending: Ending
    reason: str | None
    output: bytes
    seconds: float
    """CPU time of the program."""

    memory_bytes: int
    """The most that the program had in memory."""

    messages: tuple[Any, ...] = ()


_ENDINGS_OF_NUMBERS = {
    errno.EAGAIN: Ending.PROCESSES,
    errno.EMFILE: Ending.OPEN_FILES,
    errno.EFBIG: Ending.FILE_SIZE,
    errno.ENOSPC: Ending.FILES,
    errno.ENOMEM: Ending.MEMORY,
}
_NO_THREAD = "can't start new thread"


def ending_of_exception(error: Mapping[str, Any]) -> Ending:
    """What an exception that a program did not catch says about its limits.

    The program may have written the message itself: any JSON may be in it.
    """
    names = {*_strings([error.get("exception")]), *_strings(error.get("bases"))}
    if "MemoryError" in names:
        return Ending.MEMORY
    if "RuntimeError" in names and error.get("message") == _NO_THREAD:
        return Ending.PROCESSES
    number = error.get("number")
    if "OSError" in names and isinstance(number, int):
        return _ENDINGS_OF_NUMBERS.get(number, Ending.ERROR)
    return Ending.ERROR


def describe_exception(error: Mapping[str, Any]) -> str:
    """Name, message and line in one line."""
    text = f"{_text(error.get('exception'))}: {_text(error.get('message'))}"
    line = error.get("line")
    return f"line {line}: {text}" if isinstance(line, int) else text


def ending_of_status(status: int, seconds: float, limits: Limits) -> tuple[Ending, str | None]:
    """What the status of a process says that gave no report."""
    if status == 0:
        return Ending.RETURNED, None
    if status & 0x7F:
        number = status & 0x7F
        if number == signal.SIGXCPU or seconds >= limits.cpu_seconds:
            return Ending.TIMEOUT, f"more than {limits.cpu_seconds:g} s of CPU time"
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        return Ending.KILLED, f"ended by signal {name}"
    return Ending.ERROR, f"exit status {status >> 8}"


def ending_of_breach(breach: str, limits: Limits) -> tuple[Ending, str]:
    """What the server saw."""
    return {
        "timeout": (Ending.TIMEOUT, f"more than {limits.cpu_seconds:g} s of CPU time"),
        "wall": (Ending.TIMEOUT, f"not done after {limits.wall_seconds:g} s of waiting"),
        "memory": (Ending.MEMORY, f"more than {limits.memory_bytes} bytes in all processes"),
        "output": (Ending.OUTPUT, f"more than {limits.output_bytes} bytes of output"),
        "files": (
            Ending.FILES,
            f"more than {limits.files} files or {limits.folder_bytes} bytes in them",
        ),
    }[breach]


def _text(value: object) -> str:
    return value if isinstance(value, str) else f"({type(value).__name__})"


def _strings(values: object) -> list[str]:
    return [each for each in values if isinstance(each, str)] if isinstance(values, list) else []
