"""Holds this process to so much more memory than it has taken by then."""

from __future__ import annotations

import resource
from pathlib import Path


def allow_more(size: int) -> None:
    """Refuses memory that no file backs beyond so many more bytes."""
    status = Path("/proc/self/status").read_text()
    limit = (int(status.split("VmData:")[1].split()[0]) << 10) + size
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
