"""Trying again what failed for a reason that may pass."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from schemas.failures import Reason
from transforms.crawl.source import CrawlError, Limits

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

    def remaining_seconds(self) -> float:
        """The time left; raises `CrawlError` when there is none."""
        left = self.ends - self.clock()
        if left <= 0:
            raise CrawlError(Reason.TIMED_OUT, "the time that a repository is given is over")
        return left


@dataclass(frozen=True)
class Retries:
    """How to wait between attempts: twice as long each time, less a random part of it.

    The random part keeps many workers from returning to a busy server at once.
    """

    first_wait_seconds: float = 0.5
    max_wait_seconds: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def run(self, action: Callable[[Deadline], T], limits: Limits) -> T:
        """The result of an action, which is tried again where it raises `PassingError`."""
        deadline = Deadline(self.clock() + limits.timeout_seconds, self.clock)
        for attempt in range(limits.attempts):
            try:
                return action(deadline)
            except PassingError as error:
                if attempt + 1 == limits.attempts:
                    tries = f" (attempt {attempt + 1} of {limits.attempts})"
                    raise CrawlError(Reason.UNREACHABLE, error.detail + tries) from None
                self._wait(attempt, error, deadline)
        raise ValueError(f"limits.attempts must be at least 1, got {limits.attempts}")

    def _wait(self, attempt: int, error: PassingError, deadline: Deadline) -> None:
        wait = error.wait_seconds
        if wait is None:
            longest = min(self.max_wait_seconds, self.first_wait_seconds * 2**attempt)
            wait = longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret depends on it
        if wait >= deadline.remaining_seconds():
            raise CrawlError(
                Reason.UNREACHABLE, f"{error.detail}; waiting {wait:.0f} s more is too long"
            )
        self.sleep(wait)
