"""Beam's job server: a Java process on this machine that takes jobs for one cluster."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runners.java import java_command
from runners.members import HOST, Members, free_port

_NAME = "Beam's job server"


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
        with (
            tempfile.TemporaryDirectory(prefix="repomill-") as folder,
            Members(Path(folder)) as members,
        ):
            port = free_port()
            members.start(_NAME, self._command(folder, port), self.variables)
            members.wait_for_port(_NAME, port)
            yield f"{HOST}:{port}"

    def _command(self, folder: str, port: int) -> list[str]:
        ports = ["--job-port", str(port), "--artifact-port", "0", "--expansion-port", "-1"]
        places = ["--job-host", HOST, "--artifacts-dir", f"{folder}/artifacts"]
        java = java_command() or "java"
        return [
            *(java, f"-Djava.io.tmpdir={folder}", *self.machine, "-jar", str(self.jar)),
            *(*self.arguments, *ports, *places),
        ]
