"""Beam's job servers: the ready-made jar where Maven's registry has it, else one built once."""

from __future__ import annotations

import hashlib
import importlib.resources
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from runners.java import maven_problem
from runners.members import last_lines
from runners.once import provide_once
from runners.settings import RunnerError, Tell

_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
_FETCH_SECONDS = 600
_BUILD_SECONDS = 1800


@dataclass(frozen=True)
class JobServerJar:
    """A job server of Beam: its Maven artifact, and the profile of maven/pom.xml that makes one."""

    artifact: str
    profile: str

    def cached(self, cache: Path) -> Path:
        """Where it is kept: another place for another Beam or another way to build it."""
        recipe = hashlib.sha256(_project() + version("apache-beam").encode()).hexdigest()
        return cache / "job-servers" / f"{self.profile}-{recipe[:16]}.jar"

    def problem(self, cache: Path) -> str | None:
        """Why it is not to be had, with the cure."""
        return None if self.cached(cache).exists() else maven_problem()

    def provide(self, cache: Path, tell: Tell) -> Path:
        """The jar in the cache, fetched or built if it is not there; raises `RunnerError`."""

        def make(folder: Path) -> Path:
            tell(f"the job server for {self.profile} is fetched by Maven, once")
            jar = self._fetch(folder)
            if jar is None:
                tell(f"the job server for {self.profile} is built by Maven, once: minutes")
                jar = self._build(folder)
            tell("")
            return jar

        return provide_once(self.cached(cache), make)

    def _fetch(self, folder: Path) -> Path | None:
        artifact = f"org.apache.beam:{self.artifact}:{version('apache-beam')}"
        arguments = [_COPY, f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"]
        code, _ = _maven(arguments, _FETCH_SECONDS)
        found = sorted(folder.glob("*.jar"))
        return found[0] if code == 0 and found else None

    def _build(self, folder: Path) -> Path:
        project = folder / "pom.xml"
        project.write_bytes(_project())
        arguments = ["--file", str(project), f"-P{self.profile}", "package"]
        code, said = _maven(arguments, _BUILD_SECONDS)
        jar = folder / "target" / "job-server-1.jar"
        if code or not jar.exists():
            raise RunnerError(
                f"Maven could not build Beam's job server for {self.profile}; name a jar that you "
                f"have as `runner.jar`, or see what Maven says:\n{last_lines(said)}"
            )
        return jar


def _project() -> bytes:
    return importlib.resources.files("runners").joinpath("maven", "pom.xml").read_bytes()


def _maven(arguments: list[str], seconds: int) -> tuple[int, str]:
    command = [shutil.which("mvn") or "mvn", "--batch-mode", "--quiet", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except FileNotFoundError:
        raise RunnerError(str(maven_problem())) from None
    except subprocess.TimeoutExpired:
        return 1, f"Maven did not end within {seconds} s"
    return done.returncode, done.stdout + done.stderr
