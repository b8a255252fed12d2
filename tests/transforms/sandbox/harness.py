"""What a harness has that attacks are aimed at, whether or not it has a sandbox.

It runs in a process of its own: reads what to do from the first line of standard input, writes
one line with what it saw, and lives until standard input ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import termios
from typing import Any

NEIGHBOR = """
import signal, time
signal.signal(signal.SIGWINCH, lambda *_: exit(0))
print("ready", flush=True)
time.sleep(60)
"""
"""A process that ends at a signal which is harmless to all others."""

Report = dict[str, Any]


class Harness:
    """A process with a secret in its environment, its memory and its variables."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.secret = job["secret"]
        self.buffer = bytearray(b"repomill-buffer-" + self.secret[-32:].encode())
        self.programs = [f"HARNESS = {os.getpid()}\n{text}" for text in job["programs"]]
        # What programs still write when their turn is over does not get into reports.
        self.channel = os.dup(1)
        os.dup2(2, 1)
        self.neighbor = start_neighbor() if job["neighbor"] else None
        if job["terminal"] is not None:
            fcntl.ioctl(job["terminal"], termios.TIOCSCTTY, 0)

    def intact(self) -> bool:
        return bytes(self.buffer) == b"repomill-" + b"buffer-" + self.secret[-32:].encode()

    def report(self, runs: list[Report]) -> None:
        """Says what was seen, and returns when that has been looked at."""
        report = {"runs": runs, "intact": self.intact(), "neighbor_died": self.neighbor_died()}
        os.write(self.channel, json.dumps(report).encode() + b"\n")
        sys.stdin.read()

    def neighbor_died(self) -> bool:
        """Whether the neighbor ended, which can take a moment after its signal."""
        if self.neighbor is None:
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.neighbor.wait(0.5)
        return self.neighbor.returncode is not None


def start_neighbor() -> subprocess.Popen[bytes]:
    """A process beside the programs, which ends with the keeper at the latest."""
    command = [sys.executable, "-I", "-S", "-c", NEIGHBOR]
    neighbor = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert neighbor.stdout is not None
    neighbor.stdout.readline()
    return neighbor


def started() -> Harness:
    """The harness that standard input describes."""
    return Harness(json.loads(sys.stdin.readline()))
