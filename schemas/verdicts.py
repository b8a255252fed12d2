"""Verdicts: what became of a sample that was to be run against the tests of its problem."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """The vocabulary of verdicts. Only `PASSED` is right; the others say what is wrong."""

    PASSED = "passed"
    """All tests ran and held."""
    FAILED = "failed"
    """A test's assertion is false, or a value or an output is not what is expected."""
    ERROR = "error"
    """It does not compile, raised an exception, or ended itself before its tests had ended."""
    KILLED = "killed"
    """A signal ended it that no limit sent, such as that of an interpreter that crashes."""
    FORGED = "forged"
    """It passes tests that cannot be passed, or tampers with what reports its verdict."""

    # A limit was reached.
    TIMEOUT = "timeout"
    """It used up its CPU seconds, or had not ended by the limit on wall time."""
    MEMORY = "memory"
    """It asked for more memory than it is given."""
    OUTPUT = "output"
    """It wrote more bytes to its output than it may."""
    PROCESSES = "processes"
    """It started more processes or threads than it may."""
    OPEN_FILES = "open_files"
    """It had more files open than it may."""
    FILE_SIZE = "file_size"
    """It wrote a larger file, or more bytes of files in all, than it may."""
    FILES = "files"
    """It made more files than it may."""

    # It was never run.
    UNKNOWN_TASK = "unknown_task"
    """There is no problem of its task's name."""
    MALFORMED = "malformed"
    """The line or row is no sample."""


NEVER_RUN = frozenset({Verdict.UNKNOWN_TASK, Verdict.MALFORMED})
"""Verdicts on rows that were not run: they have no time, no memory and no tier."""
