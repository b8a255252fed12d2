"""Requests to object stores: how long they may take, and how many this process has sent."""

from __future__ import annotations

import os
import socket
import threading
from collections import Counter
from enum import Enum

CONNECT_SECONDS = 5.0


class Family(Enum):
    """Operations that wait alike; the value is how many seconds an answer may take."""

    CONTROL = 20.0
    TRANSFER = 60.0


_counting = threading.Lock()
_requests: Counter[str] = Counter()


def count_request(operation: str) -> None:
    """Notes that a request of this kind goes out."""
    with _counting:
        _requests[operation] += 1


def count_requests() -> Counter[str]:
    """How many requests this process has sent so far, tries again among them, by operation."""
    with _counting:
        return Counter(_requests)


def worker_name() -> str:
    """What tells this process from all others that may work on a run now."""
    return f"{socket.gethostname()} {os.getpid()}"


def _forget() -> None:
    global _counting
    _counting = threading.Lock()
    _requests.clear()


os.register_at_fork(after_in_child=_forget)
