"""The Java that job servers run on, and the Maven that fetches and builds them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

OLDEST, NEWEST = 11, 17
"""Versions of Java on which Flink 1.19 and Spark 3.5 run, by their documentation."""

_VERSION_SECONDS = 30
_INSTALL = "install a Java 17 runtime (Debian: openjdk-17-jre-headless), or name one by JAVA_HOME"


def java_command() -> str | None:
    """The program ``java``: that of JAVA_HOME, or the first on the path."""
    home = os.environ.get("JAVA_HOME")
    if home:
        return shutil.which(str(Path(home, "bin", "java")))
    return shutil.which("java")


def java_problem() -> str | None:
    """Why job servers cannot run here, with the cure."""
    java = java_command()
    if java is None:
        home = os.environ.get("JAVA_HOME")
        where = f"JAVA_HOME is {home}, which has no bin/java" if home else "there is no `java`"
        return f"{where}: {_INSTALL}"
    try:
        said = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=_VERSION_SECONDS, check=True
        ).stderr
    except (OSError, subprocess.SubprocessError) as error:
        return f"{java} does not run ({error}): {_INSTALL}"
    version = java_version(said)
    if version is None or not OLDEST <= version <= NEWEST:
        found = f"Java {version}" if version else said.splitlines()[0] if said else "something else"
        return f"{java} is {found}, versions {OLDEST} to {NEWEST} can be used: {_INSTALL}"
    return None


def java_version(said: str) -> int | None:
    """The major version in what ``java -version`` says."""
    match = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(match.group(1)) if match else None


def maven_problem() -> str | None:
    """Why job servers can be neither fetched nor built, with the cure."""
    if shutil.which("mvn"):
        return None
    return (
        "there is no `mvn`, with which Beam's job server is fetched or built once: install Maven "
        "(Debian: maven), or name a jar that you have as `runner.jar`"
    )
