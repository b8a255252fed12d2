"""A workplace without any sandbox, for projects that the tests themselves wrote."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from transforms.trace.environments.workplaces import Command, Finished


@dataclass(frozen=True)
class BareWorkplace:
    outside: Path

    @property
    def inside(self) -> PurePosixPath:
        return PurePosixPath(self.outside)

    def run(self, command: Command, *, index: bool = False) -> Finished:
        start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        process = subprocess.Popen(
            command.arguments,
            cwd=self.outside / command.folder,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        breach, status = None, None
        try:
            output, _ = process.communicate(timeout=command.seconds)
            status = process.returncode if process.returncode >= 0 else None
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            output, _ = process.communicate()
            breach = "wall_seconds"
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Finished(status, output[-100_000:], time.monotonic() - start, cpu, breach)
