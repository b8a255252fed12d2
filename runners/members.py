"""Servers on this machine's loopback interface: started with their output in files, waited for,
and ended with all that they have started."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from runners.settings import RunnerError

HOST = "127.0.0.1"
START_SECONDS = 120
_POLL_SECONDS = 0.1
_END_SECONDS = 15
_ANSWER_SECONDS = 5
_SAID_LINES = 12


@dataclass
class Members(AbstractContextManager["Members"]):
    """Processes by name. Leaving the context ends them all, and what they have started."""

    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(
        self, name: str, command: Sequence[str], variables: Mapping[str, str] | None = None
    ) -> None:
        """Starts one, whose output goes to NAME.log."""
        with self.log(name).open("ab") as output:
            self.processes[name] = subprocess.Popen(
                [*_ending_with_us(), *command],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env={**os.environ, **(variables or {})},
                # Of a session of its own: Ctrl-C is for us, who then end it and its children.
                start_new_session=True,
            )

    def log(self, name: str) -> Path:
        """Where the output of one is."""
        return self.folder / f"{name}.log"

    def wait_for_port(self, name: str, port: int) -> None:
        """Waits until one listens; raises `RunnerError` where it ends or takes too long."""
        end = time.monotonic() + START_SECONDS
        while not can_connect(HOST, port):
            has_ended = self.processes[name].poll() is not None
            if has_ended or time.monotonic() > end:
                why = "it ended" if has_ended else f"it did not answer in {START_SECONDS} s"
                last = last_lines(self.log(name).read_text(errors="replace"))
                raise RunnerError(f"{name} does not listen at {port}: {why}. It said:\n{last}")
            time.sleep(_POLL_SECONDS)

    def kill(self, name: str) -> None:
        """Ends one as a power cut would, and all that it has started."""
        process = self.processes.pop(name)
        _signal(process, signal.SIGKILL)
        process.wait()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            _signal(process, signal.SIGTERM)
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS)
            # Whatever is left of its children.
            _signal(process, signal.SIGKILL)
            process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _ending_with_us() -> Sequence[str]:
    """What a command begins with whose process ends when this one does, where that can be had."""
    # A process that is killed cannot end its children.
    if sys.platform == "linux" and shutil.which("setpriv"):
        return ("setpriv", "--pdeathsig", "KILL")
    return ()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def can_connect(host: str, port: int, seconds: float = 3.0) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return True
    except OSError:
        return False


def ask(url: str) -> Any:
    """The JSON that a server answers, None where it does not or says something else."""
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310  http
            return json.load(answer)
    except (OSError, ValueError):
        return None


def wait_for_members(count: Callable[[], int], wanted: int, what: str) -> None:
    """Waits until there are as many as wanted; raises `RunnerError`."""
    end = time.monotonic() + START_SECONDS
    while (found := count()) < wanted:
        if time.monotonic() > end:
            raise RunnerError(f"the cluster has {found} {what} and not {wanted}")
        time.sleep(_POLL_SECONDS)


def last_lines(said: str) -> str:
    """The end of what a program has said, for a message."""
    return "\n".join(said.splitlines()[-_SAID_LINES:])
