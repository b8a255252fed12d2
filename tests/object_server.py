"""What the servers of object stores have in common that tests start on loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

BUCKET = "bucket"


def find_program(name: str, variable: str) -> str | None:
    """A program that a variable names, on the PATH, or where Go has built it."""
    built = Path.home() / "go" / "bin" / name
    return os.environ.get(variable) or shutil.which(name) or shutil.which(str(built))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class ObjectServer:
    """A server with its data in a folder."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    program: ClassVar[str]
    variable: ClassVar[str]
    missing: ClassVar[str]
    secrets: ClassVar[Sequence[str]] = ()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def bucket(self) -> Path:
        return self.folder / "data" / BUCKET

    def arguments(self) -> list[str]:
        """What the program is started with."""
        raise NotImplementedError

    def environment(self, **changes: str) -> Mapping[str, str]:
        """What a process needs to know of the server, without what the machine says of others."""
        raise NotImplementedError

    def start(self) -> None:
        program = find_program(self.program, self.variable)
        if program is None:
            pytest.skip(self.missing)
        self.bucket.mkdir(parents=True, exist_ok=True)
        log_path = self.folder / "server.log"
        with log_path.open("ab") as log:
            self.process = subprocess.Popen([program, *self.arguments()], stdout=log, stderr=log)
        for _ in range(1000):
            # Otherwise who answers may be the server of another test.
            if self.process.poll() is not None:
                raise OSError(f"{self.program} ended: {log_path.read_text()}")
            with (
                contextlib.suppress(ConnectionError),
                socket.create_connection(("127.0.0.1", self.port)),
            ):
                return
            time.sleep(0.02)
        raise TimeoutError(f"{self.program} did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
