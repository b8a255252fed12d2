"""How often a host is asked: a bucket of tokens a host, shared by all threads of a process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.failures import Reason
from transforms.web.errors import FetchError
from transforms.web.retries import Deadline

_MAX_HOSTS = 10_000


@dataclass
class Pace:
    """Turns of hosts. A host that was left alone for a second has a second's worth of turns."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _full_at: dict[str, float] = field(default_factory=dict)

    def wait_for_turn(self, host: str, per_second: float, deadline: Deadline) -> None:
        """Returns when the host may be asked once more.

        Raises `FetchError` at once where that would be after the deadline.
        """
        self.sleep(self._take_turn(host, per_second, deadline.remaining_seconds()))

    def _take_turn(self, host: str, per_second: float, longest: float) -> float:
        """The seconds to wait for the next turn, which nobody else gets."""
        with self._lock:
            now = self.clock()
            # When all turns that were taken so far are made up for.
            full_at = max(now, self._full_at.get(host, now)) + 1 / per_second
            wait = max(0.0, full_at - now - max(1.0, 1 / per_second))
            if wait >= longest:
                detail = f"{host} may be asked {per_second:g} times a second, and others wait too"
                raise FetchError(Reason.TIMED_OUT, detail)
            self._full_at[host] = full_at
            if len(self._full_at) > _MAX_HOSTS:
                self._full_at = {name: at for name, at in self._full_at.items() if at > now}
            return wait


_PACE = Pace()


def wait_for_turn(host: str, per_second: float, deadline: Deadline) -> None:
    """Waits for this process's turn to ask a host; raises `FetchError` if it comes too late."""
    _PACE.wait_for_turn(host, per_second, deadline)
