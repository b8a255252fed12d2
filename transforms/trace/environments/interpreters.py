"""The CPythons of this machine, and which of them suits a project.

Interpreters belong to the machine and not to a project, so they are trusted: each is asked
once, by running it, what it is.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from packaging.specifiers import InvalidSpecifier, SpecifierSet

OLDEST = (3, 8)
"""Older ones do not run the tracer."""

MONITORED = (3, 12)
"""From here on there is `sys.monitoring`, with which a traced suite takes hardly longer."""

_ASK_SECONDS = 20.0
_QUESTION = """
import json, os, sys, sysconfig
value = sysconfig.get_config_var
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": list(sys.version_info[:3]),
    "release": sys.version_info[3] == "final",
    "executable": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "folders": [sys.base_prefix, sys.base_exec_prefix, sysconfig.get_path("stdlib")]
        + ([value("LIBDIR")] if value("Py_ENABLE_SHARED") else []),
    "usual": not value("Py_GIL_DISABLED") and not value("Py_DEBUG"),
}))
"""
_NAMED = re.compile(r"(?:py(?:thon)?-?)?3\.?(\d{1,2})(?:[.\-].*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Interpreter:
    """A CPython: its resolved executable, and the folders that it cannot run without."""

    executable: Path
    version: tuple[int, int, int]
    folders: tuple[Path, ...]

    @property
    def minor(self) -> tuple[int, int]:
        """Such as (3, 12)."""
        return self.version[:2]

    def __str__(self) -> str:
        return ".".join(map(str, self.version))


@functools.cache
def find_interpreters() -> tuple[Interpreter, ...]:
    """The released CPythons of this machine from 3.8 on, the newest first, one of each version.

    This one comes first among equals, then those on PATH, those of pyenv, those of uv.
    """
    found: dict[tuple[int, int, int], Interpreter] = {}
    asked = set[Path]()
    for candidate in _candidates():
        path = Path(os.path.realpath(candidate))
        if path not in asked:
            asked.add(path)
            answer = ask_interpreter(path)
            if answer is not None:
                found.setdefault(answer.version, answer)
    return tuple(sorted(found.values(), key=lambda one: one.version, reverse=True))


def ask_interpreter(executable: Path) -> Interpreter | None:
    """What an interpreter says of itself; None where it is none that a project could use."""
    try:
        answer = subprocess.run(
            [executable, "-I", "-c", _QUESTION],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_ASK_SECONDS,
            check=True,
        )
        said = json.loads(answer.stdout)
        major, minor, micro = (int(part) for part in said["version"])
        usable = said["usual"] and said["release"] and said["implementation"] == "cpython"
        folders = _without_nested({Path(os.path.realpath(name)) for name in said["folders"]})
        path = Path(said["executable"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None
    if not usable or (major, minor) < OLDEST:
        return None
    return Interpreter(path, (major, minor, micro), folders)


def rank_interpreters(
    found: Sequence[Interpreter], requires_python: str | None, named: Iterable[str] = ()
) -> tuple[Interpreter, ...]:
    """Those that a project allows, the one to try first in front.

    Ones that are cheap to trace in go first: of those the ones that its CI names, the newest
    in front, for its suite is known to pass there, then 3.12 and what is nearest to it. Older
    ones come after, again those that are named first. Names that mean no version of CPython 3,
    such as ``pypy-3.10`` or ``3.x``, are passed over; so is a ``requires_python`` that is none.
    """
    minors = {(3, int(match[1])) for name in named if (match := _NAMED.fullmatch(name.strip()))}

    def order(one: Interpreter) -> tuple[bool, bool, int, int]:
        is_old, is_named = one.minor < MONITORED, one.minor in minors
        newest_first = is_old or is_named
        minor = one.minor[1]
        return is_old, not is_named, -minor if newest_first else minor, -one.version[2]

    return tuple(sorted((one for one in found if _allows(requires_python, one)), key=order))


def _allows(requires_python: str | None, interpreter: Interpreter) -> bool:
    try:
        specifier = SpecifierSet(requires_python or "")
    except InvalidSpecifier:
        return True
    return specifier.contains(str(interpreter), prereleases=True)


def _candidates() -> Iterator[Path]:
    yield Path(sys.executable)
    minors = range(OLDEST[1], 40)
    for name in ("python3", *(f"python3.{minor}" for minor in minors)):
        path = shutil.which(name)
        if path is not None:
            yield Path(path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob("versions/*/bin/python3"))
    # uv keeps its own there whatever the platform (its `storage` reference).
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    for folder in {data / "uv", platformdirs.user_data_path("uv")}:
        yield from sorted(folder.glob("python/*/bin/python3"))


def _without_nested(folders: set[Path]) -> tuple[Path, ...]:
    """Folders that exist, without those that lie in another one of them."""
    there = {folder for folder in folders if folder.is_dir()}
    return tuple(sorted(one for one in there if not there & set(one.parents)))
