"""Projects: one row a repository whose tests were to be traced, and how far that went.

Part N has the repositories of trees part N, sorted by repository and revision.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

SCHEMA = pa.schema(
    [
        pa.field("repository", pa.string(), nullable=False),
        pa.field("revision", pa.string(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
        pa.field("plan", pa.string()),
        pa.field("python", pa.string()),
        pa.field("installed", pa.list_(pa.string()), nullable=False),
        pa.field("steps", pa.list_(pa.string()), nullable=False),
        pa.field("tests_passed", pa.int64()),
        pa.field("tests_failed", pa.int64()),
        pa.field("functions", pa.int64(), nullable=False),
        pa.field("calls", pa.int64(), nullable=False),
        pa.field("verified", pa.int64(), nullable=False),
    ]
)


class ProjectState(StrEnum):
    """How far a project came. ``detail`` has the evidence, such as the last lines of output."""

    NO_SANDBOX = "no_sandbox"
    """The machine has no sandbox in which builds and suites of others could run."""
    NO_TESTS = "no_tests"
    """No file of it looks like a test."""
    NO_INTERPRETER = "no_interpreter"
    """This machine has no CPython that its metadata allows."""
    BUILD_FAILED = "build_failed"
    """No environment could be made in which its code can be imported."""
    TESTS_FAILED_TO_START = "tests_failed_to_start"
    """The suite ended before any test, however it was started."""
    TIMED_OUT = "timed_out"
    """The suite broke a limit of time before any function of the project was called."""
    NOTHING_CALLED = "nothing_called"
    """Tests ran, and none of them called a function of the project that can be recorded."""
    TRACED = "traced"
    """Tests ran, and calls of its functions were recorded."""
    FAILED = "failed"
    """An error that no other word describes: a defect of repomill, worth a report."""
