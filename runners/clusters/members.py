"""The processes of a cluster on this machine: started with their output in files, ended by name."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from runners.jobserver import can_connect, ending_with_us
from runners.settings import RunnerError

HOST = "127.0.0.1"
START_SECONDS = 90
_POLL_SECONDS = 0.1
_END_SECONDS = 15
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
                [*ending_with_us(), *command],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env={**os.environ, **(variables or {})},
                # Of a session of its own, so that its children can be ended with it.
                start_new_session=True,
            )

    def log(self, name: str) -> Path:
        """Where the output of one is."""
        return self.folder / f"{name}.log"

    def wait_for_port(self, name: str, port: int) -> None:
        """Waits until one listens; raises `RunnerError` where it ends or takes too long."""
        end = time.monotonic() + START_SECONDS
        while not can_connect(HOST, port):
            if self.processes[name].poll() is not None or time.monotonic() > end:
                last = self.log(name).read_text(errors="replace").splitlines()[-_SAID_LINES:]
                raise RunnerError(f"{name} does not listen at {port}:\n" + "\n".join(last))
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
