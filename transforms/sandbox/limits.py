"""What a run in the sandbox may use, and the tiers of what keeps it in."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import StrEnum


class Tier(StrEnum):
    """What stands between a program and the machine."""

    NAMESPACES = "A"
    """User, mount, PID, IPC, UTS and network namespaces, an own root, seccomp, rlimits."""

    LANDLOCK = "B"
    """Landlock, seccomp, rlimits: for machines that allow no namespaces, as containers."""

    UNSAFE = "unsafe"
    """Rlimits alone. Keeps nothing in."""


@dataclass(frozen=True)
class CommandLimits:
    """What one command may use, such as a build or a test suite, with all that it starts."""

    cpu_seconds: float = 3600.0
    """Of all its processes together, those that have ended included."""

    wall_seconds: float = 900.0
    """Of the clock."""

    memory_bytes: int = 4 << 30
    """In memory of all its processes together."""

    address_bytes: int = 16 << 30
    """Address space of each process, of which many reserve more than they use."""

    output_bytes: int = 1 << 16
    """Of what it writes to its standard streams, the last that is kept; there may be more."""

    processes: int = 256
    """Processes and threads at one time."""

    open_files: int = 1024
    """Descriptors of each process."""

    file_bytes: int = 1 << 30
    """Of each file."""

    folder_bytes: int = 4 << 30
    """Of all files of its folder together."""

    files: int = 400_000
    """Files and folders in it together."""

    shared_bytes: int = 256 << 20
    """Memory that processes share by names."""


@dataclass(frozen=True)
class Limits:
    """What one run may use; each breach is an ending of its own.

    CPU time is what decides, so that endings do not depend on how busy a machine is; the
    clock is there for runs that wait.
    """

    cpu_seconds: float = 3.0
    """Of each process."""

    wall_seconds: float = 20.0
    """Of the clock, for a run that waits for something."""

    memory_bytes: int = 1 << 30
    """Address space of each process, and of all together as far as the server sees in time."""

    output_bytes: int = 4 << 20
    """Standard output and error together, and what functions return."""

    processes: int = 32
    """Processes and threads at one time."""

    forks: bool = False
    """Whether it may start processes; without them what one has in memory is all there is."""

    open_files: int = 64
    """Descriptors of each process."""

    file_bytes: int = 16 << 20
    """Of each file."""

    folder_bytes: int = 64 << 20
    """Of all files together."""

    files: int = 1024
    """Files and folders together."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool):
                continue
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"{field.name} must be above 0, got {value}")
        if self.wall_seconds < self.cpu_seconds:
            raise ValueError(
                f"wall_seconds must be at least cpu_seconds ({self.cpu_seconds}), "
                f"got {self.wall_seconds}: a busy machine takes longer than the CPU time"
            )
