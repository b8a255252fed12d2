"""How far the tracing of a project came."""

from __future__ import annotations

from enum import StrEnum


class ProjectState(StrEnum):
    """The state in which a project ends; each has its evidence beside it."""

    NO_TESTS = "no_tests"
    """It has no files of tests, or none of its commands found a test."""
    NO_INTERPRETER = "no_interpreter"
    """No CPython of this machine is one that it allows."""
    BUILD_FAILED = "build_failed"
    """Not even what its tests run with could be installed."""
    TESTS_FAILED_TO_START = "tests_failed_to_start"
    """Commands ran, and no test of any did: they broke while they were collected or before."""
    TIMED_OUT = "timed_out"
    """Its time was over before there was anything to record."""
    TRACED = "traced"
    """Tests ran, all or some, and left records, even where they failed or were cut short."""
