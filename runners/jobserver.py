"""Beam's job server: a Java process on this machine that takes jobs for one cluster."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runners.java import java_command
from runners.settings import RunnerError

START_SECONDS = 120
_POLL_SECONDS = 0.1
_END_SECONDS = 10
_SAID_LINES = 12
_HOST = "127.0.0.1"


@dataclass(frozen=True)
class JobServer:
    """How a job server is started: its jar, options of the virtual machine, and its own."""

    jar: Path
    machine: Sequence[str]
    arguments: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def running(self) -> Iterator[str]:
        """The address that it takes jobs at, HOST:PORT; raises `RunnerError`."""
        with tempfile.TemporaryDirectory(prefix="repomill-") as folder:
            port = free_port()
            log = Path(folder, "log.txt")
            with log.open("wb") as output:
                process = subprocess.Popen(
                    self._command(folder, port),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    env={**os.environ, **self.variables},
                    # Ctrl-C is for us, who then end it.
                    start_new_session=True,
                )
            try:
                _wait(process, port, log)
                yield f"{_HOST}:{port}"
            finally:
                _end(process)

    def _command(self, folder: str, port: int) -> list[str]:
        ports = ["--job-port", str(port), "--artifact-port", "0", "--expansion-port", "-1"]
        places = ["--job-host", _HOST, "--artifacts-dir", f"{folder}/artifacts"]
        java = java_command() or "java"
        return [
            *ending_with_us(),
            *(java, f"-Djava.io.tmpdir={folder}", *self.machine, "-jar", str(self.jar)),
            *(*self.arguments, *ports, *places),
        ]


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.create_server((_HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def can_connect(host: str, port: int, seconds: float = 3.0) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return True
    except OSError:
        return False


def ending_with_us() -> Sequence[str]:
    """What a command begins with whose process ends when this one does, where that can be had."""
    # A process that is killed cannot end its children.
    if sys.platform == "linux" and shutil.which("setpriv"):
        return ("setpriv", "--pdeathsig", "KILL")
    return ()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not can_connect(_HOST, port):
        if process.poll() is not None or time.monotonic() > end:
            what = "ended" if process.poll() is not None else f"did not answer in {START_SECONDS} s"
            last = "\n".join(log.read_text(errors="replace").splitlines()[-_SAID_LINES:])
            raise RunnerError(f"Beam's job server {what}. It said:\n{last}")
        time.sleep(_POLL_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
