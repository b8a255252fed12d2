"""Runs programs under the tracer, in the interpreters that are on the machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from transforms.trace.records import TracedFunction, read_records
from transforms.trace.tracer import PTH, tracer_files

VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
PROFILED, MONITORED = "3.8 to 3.11", "3.12 or later"


def find_interpreter(version: str) -> str | None:
    """The path of CPython of a version, where there is one."""
    if version == "{}.{}".format(*sys.version_info):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python3")):
        return str(path)
    return shutil.which(f"python{version}")


def interpreter(name: str) -> str:
    """The path of an interpreter of a version or of any that is hooked in one way; or skips."""
    wanted = {PROFILED: VERSIONS[:4], MONITORED: VERSIONS[4:]}.get(name, (name,))
    found = next(filter(None, map(find_interpreter, wanted)), None)
    if found is None:
        pytest.skip(f"there is no Python {name} on this machine")
    return found


class Project:
    """A project of one module, and where its records go."""

    def __init__(self, folder: Path, source: str) -> None:
        self.folder = folder / "project"
        self.site = folder / "site"
        self.records = folder / "records"
        for each in (self.folder, self.site, self.records):
            each.mkdir()
        self.write("target.py", source)
        for name, text in tracer_files().items():
            (self.site / name).write_text(text)
        (self.site / "sitecustomize.py").write_text(PTH)

    def write(self, name: str, source: str) -> None:
        """Writes a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)

    def environment(self) -> dict[str, str]:
        """The variables that switch tracing on."""
        return {
            **{name: value for name, value in os.environ.items() if "PYTHON" not in name},
            "REPOMILL_TRACE": str(self.records),
            "REPOMILL_TRACE_ROOTS": str(self.folder),
        }

    def run(self, python: str, script: str, status: int = 0, *options: str) -> str:
        """Runs a script of tests; gives what it printed.

        It must end with ``status`` and print nothing to standard error.
        """
        self.write("tests/run.py", script)
        paths = {"PYTHONPATH": os.pathsep.join(map(str, (self.site, self.folder)))}
        done = subprocess.run(
            [python, *options, str(self.folder / "tests" / "run.py")],
            env={**self.environment(), **paths},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.folder,
        )
        assert done.returncode == status, done.stderr
        assert done.stderr == ""
        return done.stdout

    def traced(self) -> dict[str, TracedFunction]:
        """What was recorded, by qualified names."""
        found = read_records(self.records, {str(self.folder): ""})
        return {each.function.qualname: each for each in found}

    def arguments(self, qualname: str) -> list[list[object]]:
        """Positional arguments of all calls of a function."""
        return [list(call.arguments) for call in self.traced()[qualname].calls]
