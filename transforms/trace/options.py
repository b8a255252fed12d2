"""What tracing one repository may cost, and what its problems may use."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True)
class TraceOptions:
    """Of all repositories of a run.

    ``cache`` is the folder of downloads; ``benchmarks`` the address of a file of problems that
    none is to be, empty for none; ``before`` hides what the package index got from that
    day on; ``packages`` may be imported by problems besides the standard library.
    """

    cache: str
    benchmarks: str = ""
    packages: tuple[str, ...] = ()
    before: datetime.date | None = None
    build_seconds: float = 900.0
    suite_seconds: float = 900.0
    memory_bytes: int = 4 << 30
    disk_bytes: int = 4 << 30
    processes: int = 256
