"""Looking at a process while it works, and timing steps of a graph."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import ROOT

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Observed:
    """What a process has cost, and the most bytes that a folder held meanwhile.

    ``memory`` is without pages of files.
    """

    cpu: float
    seconds: float
    memory: int
    staged: int


def observe(command: Sequence[str], folder: Path) -> Observed:
    """Runs a command in the project's folder and looks at it as it works (Linux).

    Raises:
      RuntimeError: it failed; the message ends with what it printed.
    """
    held = [(0, 0)]
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            with contextlib.suppress(OSError, ValueError):
                held.append((_own_memory(process.pid), _bytes_in(folder)))
            time.sleep(POLL_SECONDS)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{command} failed:\n{said.read().decode()[-3000:]}")
    memory, staged = (max(values) for values in zip(*held, strict=True))
    return Observed(usage.ru_utime + usage.ru_stime, seconds, memory, staged)


def _own_memory(pid: int) -> int:
    """The bytes of a process that are in memory and are of no file."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024


def _bytes_in(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            # It may have got its name since.
            with contextlib.suppress(OSError):
                total += Path(place, name).stat().st_size
    return total


@contextlib.contextmanager
def timed(step: type) -> Iterator[list[float]]:
    """The seconds of each call of a step's ``process`` while the context lasts."""
    process, seconds = step.process, []

    def watched(self: object, element: object) -> Iterator[object]:
        started = time.perf_counter()
        found = list(process(self, element))
        seconds.append(time.perf_counter() - started)
        return iter(found)

    step.process = watched
    try:
        yield seconds
    finally:
        step.process = process
