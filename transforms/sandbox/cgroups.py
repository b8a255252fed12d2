"""Cgroups: limits on all processes of a server together, where this process may make groups.

Version 2 alone: controllers that a machine has given to version 1 are not to be had. The kernel
counts here what limits of single processes miss, such as the memory of many of them.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from transforms.sandbox.limits import Limits

_MOUNTS = Path("/proc/self/mountinfo")
_OWN = Path("/proc/self/cgroup")
_SERVER_BYTES = 64 << 20
"""For the server itself."""
_SERVER_PROCESSES = 4
_END_SECONDS = 1.0


@dataclass(frozen=True)
class Cgroup:
    """A group of processes; ``folder`` is where the kernel shows it."""

    folder: Path

    @classmethod
    def make(cls, name: str, limits: Limits) -> Cgroup | None:
        """A new group with limits, or none where this process may not make any.

        Args:
          name: of the group, which no other has.
          limits: of memory and processes, as far as there are controllers for them.
        """
        for parent in _parents():
            with suppress(OSError):
                controllers = set((parent / "cgroup.subtree_control").read_text().split())
                settings = {
                    f"{kind}.max": str(most)
                    for kind, most in (
                        ("memory", limits.memory_bytes + _SERVER_BYTES),
                        ("pids", limits.processes + _SERVER_PROCESSES),
                    )
                    if kind in controllers
                }
                if settings:
                    return cls._made(parent / name, settings)
        return None

    @classmethod
    def _made(cls, folder: Path, settings: dict[str, str]) -> Cgroup:
        folder.mkdir()
        group = cls(folder)
        try:
            for file, value in settings.items():
                (folder / file).write_text(value)
            with suppress(OSError):
                # Else what is too much goes there; not every kernel has swap.
                (folder / "memory.swap.max").write_text("0")
        except OSError:
            group.remove()
            raise
        return group

    def take(self, process: int) -> None:
        """Moves a process into the group, and so all that it forks."""
        (self.folder / "cgroup.procs").write_text(str(process))

    def count_kills(self) -> int:
        """How many processes were killed because the group's memory was used up."""
        with suppress(OSError):
            for line in (self.folder / "memory.events").read_text().splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
        return 0

    def remove(self) -> None:
        """Ends the group with all processes in it."""
        deadline = time.monotonic() + _END_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError):
                for process in (self.folder / "cgroup.procs").read_text().split():
                    os.kill(int(process), signal.SIGKILL)
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.01)
            else:
                return


def _parents() -> Iterator[Path]:
    """Where a group may be possible: below that of this process, or beside it."""
    try:
        mounts = [line.split() for line in _MOUNTS.read_text().splitlines()]
        roots = [fields[4] for fields in mounts if fields[fields.index("-") + 1] == "cgroup2"]
        own = [line[3:] for line in _OWN.read_text().splitlines() if line.startswith("0::")]
    except OSError:
        return
    for root, place in zip(roots[:1], own, strict=False):
        folder = Path(root) / place.lstrip("/")
        yield folder
        if folder != Path(root):
            yield folder.parent
