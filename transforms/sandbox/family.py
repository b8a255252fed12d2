"""The processes of a run and what they use together, from the kernel's tables.

The kernel limits processes one by one; what many of them have in memory, and what a program
keeps in files that have no name any more, is for the server to see.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

_MOST_BYTES = 1 << 16
_TICKS = os.sysconf("SC_CLK_TCK")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Usage:
    """Of all processes together."""

    memory_bytes: int
    """Beyond what each had from the server."""

    written_bytes: int
    """Of all they have written, whatever became of it; 0 where others may not know."""


class Family:
    """All processes below a server.

    Args:
      tables: a descriptor of /proc.
      server: the number that the server has there.
      forked: whether they go on with what the server has in memory, and not with programs of
        their own.
    """

    def __init__(self, tables: int, server: int, *, forked: bool = True) -> None:
        self._tables = tables
        self._server = server
        self._inherited = self._memory_of(server) if forked else 0

    def cpu_seconds(self) -> float:
        """CPU time of the processes that run now, and of those of theirs that have ended."""
        return sum(map(self._cpu_of, self._below(self._server)))

    def children(self) -> list[int]:
        """The numbers of those whose parent the server is."""
        return list(self._children_of(self._server))

    def usage(self) -> Usage:
        """What the processes use at this moment."""
        memory = written = 0
        for process in self._below(self._server):
            memory += max(self._memory_of(process) - self._inherited, 0)
            written += self._fields(f"{process}/io").get("wchar", 0)
        return Usage(memory, written)

    def nameless_bytes(self, device: int) -> tuple[int, int]:
        """Bytes in open files that have no name any more: on a device, and elsewhere.

        Those are in memory, as far as nobody may write to other disks; no process has them in
        its own.
        """
        found: dict[tuple[int, int], int] = {}
        for process in self._below(self._server):
            for name in self._ask(f"{process}/fd", os.listdir) or ():
                with suppress(OSError):
                    file = os.stat(f"{process}/fd/{name}", dir_fd=self._tables)
                    if stat.S_ISREG(file.st_mode) and not file.st_nlink:
                        found[file.st_dev, file.st_ino] = file.st_blocks * 512
        there = sum(size for (place, _), size in found.items() if place == device)
        return there, sum(found.values()) - there

    def _below(self, process: int) -> Iterator[int]:
        for child in self._children_of(process):
            yield child
            yield from self._below(child)

    def _children_of(self, process: int) -> Iterator[int]:
        for thread in self._ask(f"{process}/task", os.listdir) or ():
            yield from map(int, self._read(f"{process}/task/{thread}/children").split())

    def _memory_of(self, process: int) -> int:
        fields = self._fields(f"{process}/status")
        return (fields.get("RssAnon", 0) + fields.get("RssShmem", 0)) * 1024

    def _cpu_of(self, process: int) -> float:
        # User and system time, then those of children, by the man page of proc; a name may
        # hold anything.
        fields = self._read(f"{process}/stat").rpartition(")")[2].split()[11:15]
        return sum(map(int, fields)) / _TICKS

    def _fields(self, name: str) -> dict[str, int]:
        """The numbers among the fields of a table, one a line."""
        lines = (line.split(":", 1) for line in self._read(name).splitlines() if ":" in line)
        words = ((key, *value.split()[:1]) for key, value in lines)
        return {each[0]: int(each[1]) for each in words if len(each) == 2 and each[1].isdigit()}

    def _read(self, name: str) -> str:
        """A table, empty where its process is gone or nobody may read it."""
        data = self._ask(name, lambda place: os.read(place, _MOST_BYTES))
        return (data or b"").decode(errors="replace")

    def _ask(self, name: str, question: Callable[[int], _Answer]) -> _Answer | None:
        """What a table or folder says to who has its descriptor; None where nothing."""
        try:
            place = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._tables)
        except OSError:
            return None
        try:
            return question(place)
        except OSError:
            return None
        finally:
            os.close(place)
