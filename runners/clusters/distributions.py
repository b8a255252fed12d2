"""What a cluster on this machine consists of: engines from the package index, and Beam's boot
program, each fetched once into a cache folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from runners.members import last_lines
from runners.once import provide_once
from runners.settings import RunnerError, Tell

FLINK = "apache-flink-libraries==1.19.2"
SPARK = "pyspark==3.5.5"
_INSTALL_SECONDS = 1800


def provide_distribution(requirement: str, cache: Path, tell: Tell) -> Path:
    """The folder of a package of the index that carries an engine; raises `RunnerError`."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return _provide(
        cache / "clusters" / requirement.replace("==", "-"),
        lambda folder: [*command, "--no-deps", "--target", str(folder), requirement],
        tell,
    )


def provide_boot_program(cache: Path, tell: Tell) -> Path:
    """Beam's boot program, which starts a Python worker; raises `RunnerError`.

    It is built by Go, unless BEAM_BOOT names one that is there.
    """
    named = os.environ.get("BEAM_BOOT")
    if named:
        return Path(named)
    if not shutil.which("go"):
        raise RunnerError(
            "there is no `go`, with which Beam's boot program is built once: install Go (Debian: "
            "golang), or name the program by BEAM_BOOT"
        )
    beam = version("apache-beam")
    module = f"github.com/apache/beam/sdks/v2/python/container@v{beam}"
    command = ["env", "GOBIN={}", "go", "install", "-trimpath", "-ldflags=-s -w", module]
    folder = _provide(
        cache / "clusters" / f"beam-boot-{beam}",
        lambda folder: [part.format(folder) for part in command],
        tell,
    )
    return folder / "container"


def _provide(place: Path, command_for: Callable[[Path], list[str]], tell: Tell) -> Path:
    """A folder that a command makes once."""

    def make(folder: Path) -> Path:
        tell(f"{place.name} is installed, once: a minute or more")
        new = folder / "new"
        done = subprocess.run(
            command_for(new),
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
        if done.returncode:
            last = last_lines(done.stdout + done.stderr)
            raise RunnerError(f"{place.name} could not be installed:\n{last}")
        return new

    return provide_once(place, make)
