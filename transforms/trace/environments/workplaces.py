"""Where the commands of one project run, and how its files get there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

PROJECT = "project"
ENVIRONMENT = "environment"
HOME = "home"
TEMPORARY = "tmp"
CACHE = "cache"
SETTINGS = "settings"
RECORDS = ("records-0", "records-1", "records-2")
"""Folders of a workplace, those of records one a trial.

Only commands of its own project ever write there.
"""

_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
_MOST_NAME_BYTES = 255
_MOST_PATH_BYTES = 2048
# What terminals obey, and what is no text in JSON or Parquet.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)")
_CONTROLS = re.compile(
    r"[^\S\n]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]"
)


@dataclass(frozen=True)
class Command:
    """A program with arguments, without any shell. ``folder`` is relative to the workplace."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = PROJECT
    seconds: float = 600.0


@dataclass(frozen=True)
class Finished:
    """How a command ended. ``status`` is None where a limit or a signal ended it.

    ``output`` is what it wrote last on both of its streams. ``breach`` names the limit.
    """

    status: int | None
    output: bytes
    seconds: float
    cpu_seconds: float
    breach: str | None = None

    @property
    def timed_out(self) -> bool:
        """Whether its time was over."""
        return self.breach in ("wall_seconds", "cpu_seconds")


class Workplace(Protocol):
    """A folder of one project in the command sandbox; what one command leaves, the next finds."""

    @property
    def outside(self) -> Path:
        """The folder, as this process has it. Hostile once a command has run."""

    @property
    def inside(self) -> PurePosixPath:
        """The folder, as commands have it."""

    def run(self, command: Command, *, index: bool = False) -> Finished:
        """Runs a command to its end, whatever ends it.

        With ``index`` it can reach the package index, and nothing else beyond its loopback.
        """


def write_files(folder: Path, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Writes a project's files into a new folder; gives the paths that are none to write.

    Scripts, which begin with ``#!``, may be executed. Nothing hostile has run there yet.
    """
    folder.mkdir(parents=True)
    written = {
        path for path in sorted(files) if _is_safe(path) and _write(folder / path, files[path])
    }
    return tuple(sorted(files.keys() - written))


def prepare_folders(folder: Path) -> None:
    """Makes the folders of a workplace besides that of the project, in its own."""
    for name in (HOME, TEMPORARY, CACHE, SETTINGS, *RECORDS):
        (folder / name).mkdir(exist_ok=True)


def base_environment(workplace: Workplace) -> dict[str, str]:
    """The environment variables of every command: nothing of this process's own."""
    inside = workplace.inside
    return {
        "PATH": f"{inside / ENVIRONMENT / 'bin'}:{_SYSTEM_PATH}",
        "VIRTUAL_ENV": str(inside / ENVIRONMENT),
        "HOME": str(inside / HOME),
        "TMPDIR": str(inside / TEMPORARY),
        "USER": "user",
        "LOGNAME": "user",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "COLUMNS": "80",
        "LINES": "24",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "CI": "true",
    }


def last_lines(output: bytes, lines: int = 40, most: int = 4000) -> str:
    """The end of an output as evidence: printable text in bounds."""
    text = output[-16 * most :].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROLS.sub(" ", _ESCAPES.sub("", text.replace("\t", "    ")))
    kept = [line.rstrip()[:500] for line in text.splitlines() if line.strip()][-lines:]
    return "\n".join(kept)[-most:]


def _is_safe(path: str) -> bool:
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return False
    parts = path.split("/")
    return (
        len(encoded) <= _MOST_PATH_BYTES
        and b"\0" not in encoded
        and all(0 < len(part.encode()) <= _MOST_NAME_BYTES for part in parts)
        and not {".", ".."} & set(parts)
    )


def _write(path: Path, content: bytes) -> bool:
    """Whether the file could be written: a file may stand where another one needs a folder."""
    mode = 0o755 if content.startswith(b"#!") else 0o644
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(path, flags, mode)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return True
