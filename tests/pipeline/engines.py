"""Running the same configuration on several engines, for tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import platformdirs
import pytest
import yaml

CACHE = platformdirs.user_cache_path("repomill")
"""Where job servers and clusters are kept: the user's own, as they are built once."""

needs_java = pytest.mark.skipif(
    shutil.which("java") is None or shutil.which("mvn") is None,
    reason="NO JAVA OR NO MAVEN: install Java 17 and Maven to test Flink and Spark for real",
)


def write_configuration(path: Path, packages: list[str], **sections: object) -> Path:
    """A configuration of the sources of packages that are installed here.

    Projects in a folder ``projects`` beside the file are repositories, too.
    """
    site = Path(sysconfig.get_path("purelib"))
    sources: list[dict[str, object]] = [
        {"directory": {"path": str(site / name)}} for name in packages
    ]
    projects = path.parent / "projects"
    if projects.exists():
        sources.append({"directory": {"path": str(projects), "repositories": "each"}})
    path.write_text(yaml.safe_dump({"sources": sources, **sections}))
    return path


def start_run(configuration: Path, output: Path | str, *options: str) -> subprocess.Popen[str]:
    """`repomill run` as a process of its own."""
    command = [sys.executable, "-m", "pipeline", "run", str(configuration)]
    return subprocess.Popen(
        [*command, "--output", str(output), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """What a run said, which must have ended well."""
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return said


def digest(output: Path | str) -> str:
    """What `repomill digest` says of a run."""
    command = [sys.executable, "-m", "pipeline", "digest", str(output)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
