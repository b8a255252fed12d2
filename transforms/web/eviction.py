"""How much the folder of downloads holds, and what goes when that is too much.

Least recently used goes first, by the time of a file's last change, which whoever uses
it renews. Any download may go at any time: who uses one holds a link to it or a copy.
Only files that `Downloads` made are removed, and no symbolic link is followed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from transforms.stores.files import write_whole

LOCK = ".lock"
USAGE = ".usage.json"
RELEASE = "release.json"

LOCK_SECONDS = 60.0
# Making room once for many downloads: looking at all of them takes seconds.
_KEPT_SHARE = 0.9
_COUNTED_AGAIN_SECONDS = 24 * 3600.0
# No download in progress goes so long without a byte, whatever machine it runs on.
_LEFT_OVER_SECONDS = 3600.0

_ENTRY = re.compile(r"[0-9a-f]{64}")
_TEMPORARY = re.compile(r"\..+\.[0-9]+-[0-9a-f]{8}\.tmp", re.DOTALL)
# What an index may call a file. Anything else is not fetched: it is either no
# distribution or an attempt to write elsewhere.
_FILENAME = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,200}\.(?:tar\.gz|tgz|zip|tar\.bz2|tar\.xz|tar|whl)"
)


def is_distribution_name(filename: str) -> bool:
    """Whether a file name is that of a source distribution or wheel, and harmless."""
    return _FILENAME.fullmatch(filename) is not None


@contextmanager
def making_room(
    folder: Path, added: int, max_bytes: int, clock: Callable[[], float] = time.time
) -> Iterator[None]:
    """Adds so many bytes to a folder of downloads, and removes others where it has too many.

    No other process changes the folder meanwhile. Raises `filelock.Timeout` where one
    does so for longer than a minute.
    """
    with FileLock(folder / LOCK, timeout=LOCK_SECONDS):
        usage = _read_usage(folder)
        # Written first: who is killed now has counted too much, not too little.
        _write_usage(folder, _Usage(usage.bytes + added, usage.counted_at))
        yield
        if (
            usage.bytes + added > max_bytes
            or abs(clock() - usage.counted_at) > _COUNTED_AGAIN_SECONDS
        ):
            _write_usage(folder, _Usage(_evict(folder, max_bytes, clock()), clock()))


@dataclass(frozen=True)
class _Usage:
    bytes: int
    counted_at: float


def _read_usage(folder: Path) -> _Usage:
    try:
        values = json.loads((folder / USAGE).read_bytes())
        return _Usage(int(values["bytes"]), float(values["counted_at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return _Usage(0, 0.0)


def _write_usage(folder: Path, usage: _Usage) -> None:
    values = {"bytes": usage.bytes, "counted_at": usage.counted_at}
    write_whole(folder / USAGE, json.dumps(values).encode(), durable=False)


@dataclass(frozen=True, order=True)
class _Entry:
    used_at_ns: int
    name: str
    bytes: int


def _evict(folder: Path, max_bytes: int, now: float) -> int:
    """Removes what is left over and, where that is too much, what is used least; the rest."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _remove_left_over(descriptor, now)
        entries = sorted(_entries(descriptor, now))
        total = sum(entry.bytes for entry in entries)
        if total > max_bytes:
            for entry in entries:
                if total <= max_bytes * _KEPT_SHARE:
                    break
                _remove(descriptor, entry.name)
                total -= entry.bytes
        return total
    finally:
        os.close(descriptor)


def _entries(folder: int, now: float) -> Iterator[_Entry]:
    with os.scandir(folder) as found:
        names = [entry.name for entry in found if _ENTRY.fullmatch(entry.name)]
    for name in names:
        with _opened(folder, name) as descriptor:
            if descriptor is None:
                continue
            _remove_left_over(descriptor, now)
            facts = [os.lstat(file, dir_fd=descriptor) for file in _own_files(descriptor)]
            used_at_ns = max((fact.st_mtime_ns for fact in facts), default=0)
            yield _Entry(used_at_ns, name, sum(fact.st_size for fact in facts))


def _remove(folder: int, name: str) -> None:
    with _opened(folder, name) as descriptor:
        if descriptor is None:
            return
        # Without what the index says of it, a file counts as not there.
        for file in sorted(_own_files(descriptor), key=lambda file: file != RELEASE):
            _unlink(file, descriptor)
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=folder)


def _own_files(folder: int) -> list[str]:
    with os.scandir(folder) as found:
        return [
            entry.name
            for entry in found
            if entry.is_file(follow_symlinks=False)
            and (entry.name == RELEASE or is_distribution_name(entry.name))
        ]


def _remove_left_over(folder: int, now: float) -> None:
    """Removes the temporary files of processes that were killed."""
    with os.scandir(folder) as found:
        old = [
            entry.name
            for entry in found
            if _TEMPORARY.fullmatch(entry.name)
            and entry.is_file(follow_symlinks=False)
            and now - entry.stat(follow_symlinks=False).st_mtime > _LEFT_OVER_SECONDS
        ]
    for name in old:
        _unlink(name, folder)


def _unlink(name: str, folder: int) -> None:
    with contextlib.suppress(FileNotFoundError, IsADirectoryError, PermissionError):
        os.unlink(name, dir_fd=folder)


@contextmanager
def _opened(folder: int, name: str) -> Iterator[int | None]:
    """A folder itself, not what a link of this name leads to; None where it is none."""
    try:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
