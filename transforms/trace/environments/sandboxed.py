"""The workplace of a project whose commands run in the sandbox, with a package index beside."""

from __future__ import annotations

import datetime
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

from transforms.sandbox.limits import CommandLimits
from transforms.sandbox.supervisor import INDEX_PORT
from transforms.sandbox.workshop import Workshop
from transforms.trace.environments.index import IndexLimits, serving_index
from transforms.trace.environments.mirror import Mirror
from transforms.trace.environments.workplaces import Command, Finished

INDEX_URL = f"http://127.0.0.1:{INDEX_PORT}/simple"


class SandboxedWorkplace:
    """A folder of the machine around which commands run.

    Args:
      folder: it holds the project already.
      readable: what commands may read of the machine besides its system.
      limits: of each command but for its time.
      mirror: what the index knows.
      index_limits: of what one command may ask of it.
    """

    def __init__(
        self,
        folder: Path,
        readable: Sequence[Path],
        limits: CommandLimits,
        mirror: Mirror,
        index_limits: IndexLimits,
    ) -> None:
        self.outside = folder
        self.cpu_seconds = 0.0
        self._limits = limits
        self._mirror = mirror
        self._index_limits = index_limits
        self._workshop = Workshop(folder, readable)
        self._workshop.prepare()

    @property
    def inside(self) -> PurePosixPath:
        """The folder, as commands have it."""
        return PurePosixPath(self._workshop.inside)

    def run(self, command: Command, *, index: bool = False) -> Finished:
        """Runs a command to its end, whatever ends it; raises `SandboxError`."""
        limits = replace(self._limits, wall_seconds=max(command.seconds, 1.0))
        outcome = self._workshop.run(
            (self._program(command), *command.arguments[1:]),
            command.environment,
            str(self.inside / command.folder),
            limits,
            self._serve if index else None,
        )
        self.cpu_seconds += outcome.cpu_seconds
        status = outcome.status
        return Finished(
            status=None if status is None or status < 0 else status,
            output=outcome.output,
            seconds=outcome.seconds,
            cpu_seconds=outcome.cpu_seconds,
            breach=outcome.breach,
        )

    def _program(self, command: Command) -> str:
        """The path of a program, which may be one of the environment by its name."""
        name = command.arguments[0]
        path = command.environment.get("PATH", "/usr/bin:/bin")
        if "/" in name:
            return name
        inside = [folder for folder in path.split(":") if folder.startswith(f"{self.inside}/")]
        for folder in inside:
            if (self.outside / folder.removeprefix(f"{self.inside}/") / name).exists():
                return f"{folder}/{name}"
        return shutil.which(name, path="/usr/local/bin:/usr/bin:/bin") or name

    @contextmanager
    def serving(self, before: datetime.date | None) -> Iterator[str]:
        """Shows the index as it was before a day, or before the one of its limits; its address."""
        limits = self._index_limits
        days = [day for day in (before, limits.before) if day is not None]
        self._index_limits = replace(limits, before=min(days, default=None))
        try:
            yield INDEX_URL
        finally:
            self._index_limits = limits

    def _serve(self, listener: socket.socket) -> AbstractContextManager[object]:
        return serving_index(listener, self._mirror, self._index_limits)
