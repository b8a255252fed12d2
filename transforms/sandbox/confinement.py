"""Confinement: what a process gives up before anything of others runs in it.

What a child would give up anyway, and its server can do without, the server gives up once:
each page of memory that a child writes to is a page to be copied.
"""

from __future__ import annotations

import math
import os
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from transforms.sandbox import kernel
from transforms.sandbox.limits import Tier
from transforms.sandbox.settings import Settings
from transforms.sandbox.worlds import World

_SPARE_CPU_SECONDS = 1
"""Between the CPU limit that the server watches and that of the kernel, which is of seconds."""

_SERVER_PROCESSES = 2
_MOST_SIGNALS = 256
"""Waiting to be seen, and timers."""


class Confinement:
    """Of a server and its children.

    Args:
      settings: of the server.
      world: where the children are.
    """

    def __init__(self, settings: Settings, world: World) -> None:
        self._world = world
        self._limits = settings.limits
        self._is_unsafe = settings.tier is Tier.UNSAFE
        self._other_user = settings.user if world.has_all_users and os.geteuid() == 0 else None
        self._calls = list(self._last_calls(settings))
        seconds = math.ceil(self._limits.cpu_seconds) + _SPARE_CPU_SECONDS
        self._cpu_limits = _allowed(resource.RLIMIT_CPU, seconds, seconds + 1)

    def _last_calls(self, settings: Settings) -> Iterator[kernel.Call]:
        """What is done for good, after which nothing else of this can be."""
        if self._is_unsafe:
            yield kernel.die_with_parent()
            return
        yield kernel.drop_capabilities()
        if self._world.has_all_users:
            # In a namespace of their own processes end with its first; a change of the user
            # would undo this.
            yield kernel.die_with_parent()
        if self._world.rules is not None:
            yield kernel.restrict_files(self._world.rules)
        yield kernel.filter_calls(bytes.fromhex(settings.calls))

    def prepare(self, own_bytes: int) -> None:
        """What children get from the server, which has an address space of so many bytes."""
        limits = self._limits
        # Signals to a group of processes cross namespaces.
        with suppress(PermissionError):
            os.setsid()
        kernel.refuse_new_privileges()
        _limit(resource.RLIMIT_AS, limits.memory_bytes + own_bytes)
        _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
        _limit(resource.RLIMIT_NOFILE, limits.open_files)
        if not self._world.has_all_users or self._other_user is not None:
            _limit(resource.RLIMIT_NPROC, limits.processes + _SERVER_PROCESSES)
        for kind in (
            *(resource.RLIMIT_CORE, resource.RLIMIT_MEMLOCK, resource.RLIMIT_MSGQUEUE),
            *(resource.RLIMIT_RTPRIO, resource.RLIMIT_NICE),
        ):
            _limit(kind, 0)
        _limit(resource.RLIMIT_SIGPENDING, _MOST_SIGNALS)

    def enter(self) -> None:
        """Confines this process, for good."""
        if self._world.has_all_users and self._other_user is None:
            # The kernel counts processes of a user, of which there are others.
            others = count_threads(os.geteuid())
            _limit(resource.RLIMIT_NPROC, self._limits.processes + others)
        if self._other_user is not None and not self._is_unsafe:
            # The kernel does not limit root's processes, and may have Python where only root
            # can read it: nobody in particular, but for files, and without root's powers.
            kernel.become_user(self._other_user, 0)
        for call in self._calls:
            call.make()

    def limit_cpu(self) -> None:
        """Backs up the server, which sees the CPU time of a child now and then."""
        resource.setrlimit(resource.RLIMIT_CPU, self._cpu_limits)

    def limit_cpu_from_here(self) -> None:
        """Ends this process if it uses more CPU time from here on than a run may."""
        used = math.ceil(time.process_time())
        seconds = used + math.ceil(self._limits.cpu_seconds) + _SPARE_CPU_SECONDS
        resource.setrlimit(
            resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1])
        )


def _limit(kind: int, most: int) -> None:
    resource.setrlimit(kind, _allowed(kind, most, most))


def _allowed(kind: int, most: int, at_last: int) -> tuple[int, int]:
    """A limit and the one at last, as far as this process may set them."""
    allowed = resource.getrlimit(kind)[1]
    if allowed == resource.RLIM_INFINITY:
        return most, at_last
    return min(most, allowed), min(at_last, allowed)


def count_threads(user: int) -> int:
    """How many threads a user has on this machine."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == user:
                count += sum(1 for _ in (process / "task").iterdir())
        except OSError:
            continue
    return count
