"""Trying again what failed for a reason that may pass."""

from __future__ import annotations

import datetime
import email.utils
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from schemas.failures import Reason
from transforms.web.errors import FetchError

T = TypeVar("T")


class PassingError(Exception):
    """Something failed that may work a little later.

    ``wait_seconds`` is what the server asked for, None where it did not say.
    """

    def __init__(self, detail: str, wait_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.wait_seconds = wait_seconds


@dataclass(frozen=True)
class Deadline:
    """A moment after which nothing more is waited for."""

    ends: float
    clock: Callable[[], float]

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """The moment so many seconds from now."""
        return cls(clock() + seconds, clock)

    def remaining_seconds(self) -> float:
        """The time left; raises `FetchError` when there is none."""
        left = self.ends - self.clock()
        if left <= 0:
            raise FetchError(Reason.TIMED_OUT, "the time that a repository is given is over")
        return left


class Patience(Protocol):
    """How long and how often something is tried."""

    @property
    def timeout_seconds(self) -> float:
        """For all attempts together."""

    @property
    def attempts(self) -> int:
        """At most, at least 1."""

    @property
    def first_wait_seconds(self) -> float:
        """Before the second attempt; twice as long before each further one."""

    @property
    def max_wait_seconds(self) -> float:
        """Between two attempts, unless the server asks for more."""


@dataclass(frozen=True)
class Retries:
    """How to wait between attempts: twice as long each time, less a random part of it.

    The random part keeps many workers from returning to a busy server at once. A server
    that asks for a longer wait gets it, where the repository has so much time left.
    """

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def run(self, action: Callable[[Deadline], T], limits: Patience) -> T:
        """The result of an action, which is tried again where it raises `PassingError`."""
        deadline = Deadline.after(limits.timeout_seconds, self.clock)
        for attempt in range(limits.attempts):
            try:
                return action(deadline)
            except PassingError as error:
                if attempt + 1 == limits.attempts:
                    tries = f" (attempt {attempt + 1} of {limits.attempts})"
                    raise FetchError(Reason.UNREACHABLE, error.detail + tries) from None
                self._wait(_back_off_seconds(attempt, limits), error, deadline)
        raise ValueError(f"limits.attempts must be at least 1, got {limits.attempts}")

    def _wait(self, back_off: float, error: PassingError, deadline: Deadline) -> None:
        wait = max(back_off, error.wait_seconds or 0.0)
        if wait >= deadline.remaining_seconds():
            raise FetchError(
                Reason.UNREACHABLE, f"{error.detail}; waiting {wait:.0f} s more is too long"
            )
        self.sleep(wait)


def _back_off_seconds(attempt: int, limits: Patience) -> float:
    # Bounded before it is a float, which no power of two of a thousand attempts is.
    longest = min(limits.max_wait_seconds, limits.first_wait_seconds * 2.0 ** min(attempt, 64))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret depends on it


def parse_retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        wait = moment - datetime.datetime.now(datetime.UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, wait.total_seconds())
