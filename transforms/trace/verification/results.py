"""What becomes of a lifted function that is verified: a problem's test, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VerificationReason(StrEnum):
    """Why a function is no problem."""

    NO_CALLS = "no_calls"
    """No recorded call can be written as an expression."""

    NAME_TAKEN = "name_taken"
    """The program has a name that a test of HumanEval's format needs."""

    DOES_NOT_LOAD = "does_not_load"
    """The program raises an exception, or ends, before anything is called."""

    NOT_STANDALONE = "not_standalone"
    """A call needs a name or a module that the program does not have."""

    BREAKS_LIMITS = "breaks_limits"
    """Too many calls end their process, or what a process may use."""

    TOO_SLOW = "too_slow"
    """No more than too few calls end in time."""

    NOT_DETERMINISTIC = "not_deterministic"
    """Outcomes differ between processes, orders of calls, hash seeds, places or moments."""

    OPAQUE_OUTCOMES = "opaque_outcomes"
    """What the function returns cannot be written as an expression."""

    NOT_COMPARABLE = "not_comparable"
    """What the function returns is not equal to what its expression makes."""

    PRINTS_ONLY = "prints_only"
    """It returns nothing, and prints."""

    NO_EFFECT = "no_effect"
    """It returns nothing, and changes no argument."""

    TOO_FEW_CALLS = "too_few_calls"
    """Fewer distinct calls are left than a test needs."""

    TRIVIAL = "trivial"
    """A body that knows nothing passes: a constant, an argument, or nothing at all."""

    FAILS_OWN_TEST = "fails_own_test"
    """The reference does not pass in every one of the last replays."""


@dataclass(frozen=True)
class Rejected:
    """A function that is no problem."""

    reason: VerificationReason
    detail: str
    calls_traced: int


@dataclass(frozen=True)
class Evidence:
    """How a problem was verified."""

    calls_traced: int
    calls_replayed: int
    """Those with one outcome in all replays, of which the tests are some."""

    calls_tested: int
    replays_passed: int
    """Fresh processes in which the reference passed the final test."""

    lines: int
    """Of the body."""

    lines_covered: int
    branches: int
    branches_covered: int
    mutants_tried: int
    """Bodies with one small change, each of which a good test fails."""

    mutants_killed: int
    changes_arguments: bool
    """Whether a call changed an argument and returned something too, which alone is tested."""


@dataclass(frozen=True)
class Verified:
    """The test of a problem."""

    test: str
    """Defines ``check(candidate)``."""

    chosen: tuple[int, ...]
    """Places of the tested calls among those given, in the order of the test."""

    behavior: tuple[tuple[str, str], ...]
    """Arguments and outcome of each call with one outcome, as texts of JSON; for
    `duplicates` and `contamination`."""

    evidence: Evidence
