"""Holds this process to so much more memory than it has taken by then."""

from __future__ import annotations

import resource
from pathlib import Path

_TAKEN = {"RLIMIT_AS": "VmSize:", "RLIMIT_DATA": "VmData:"}


def allow_more(size: int, kind: str = "RLIMIT_DATA") -> None:
    """Refuses more than so many more bytes, of addresses or of memory that no file backs."""
    status = Path("/proc/self/status").read_text()
    limit = (int(status.split(_TAKEN[kind])[1].split()[0]) << 10) + size
    resource.setrlimit(getattr(resource, kind), (limit, limit))
