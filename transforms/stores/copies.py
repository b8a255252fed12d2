"""Copies of objects on this machine: memory maps and readers of Parquet want files.

They lie in a folder of the process below the system's one for temporary files (``TMPDIR``),
by object and ETag, and take a bounded part of its disk: the least recently used go
first. One that somebody is about to open is not removed; one that is open or mapped may
be, and stays readable, as POSIX has it.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PosixPath

_LOCK = ".lock"


class CopyPath(PosixPath):
    """The path of a copy, which is not removed as long as the path is held."""


@dataclass
class _Copy:
    path: Path
    size: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    held: Callable[[], CopyPath | None] = lambda: None
    is_there: bool = False

    def hold(self) -> CopyPath:
        # All who hold it hold the same path, so that one weak reference knows of all.
        path = self.held()
        if path is None:
            path = CopyPath(self.path)
            self.held = weakref.ref(path)
        return path

    @property
    def is_idle(self) -> bool:
        return self.is_there and self.held() is None and not self.lock.locked()


class Copies:
    """The copies of a process, in one folder, of a bounded size together."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        # Least recently used first.
        self._copies: dict[str, _Copy] = {}

    def get(self, address: str, etag: str, size: int, download: Callable[[Path], None]) -> CopyPath:
        """The copy of an object, which is downloaded if it is not there."""
        key = hashlib.sha256(f"{address}\n{etag}".encode()).hexdigest()[:32]
        with self._lock:
            copy = self._copies.pop(key, None)
            if copy is None:
                name = address.rpartition("/")[2]
                copy = _Copy(self._folder / key / name, size)
            self._copies[key] = copy
            held = copy.hold()
        with copy.lock:
            if not copy.is_there:
                self._make_room(size)
                copy.path.parent.mkdir(parents=True, exist_ok=True)
                temporary = copy.path.with_name(f"{copy.path.name}.part")
                try:
                    download(temporary)
                    temporary.replace(copy.path)
                finally:
                    temporary.unlink(missing_ok=True)
                copy.is_there = True
        return held

    def adopt(self, address: str, etag: str, size: int, written: Path) -> None:
        """Keeps a file that was uploaded, so that its object need not be downloaded."""

        def move(path: Path) -> None:
            shutil.move(written, path)

        self.get(address, etag, size, move)

    def _make_room(self, size: int) -> None:
        with self._lock:
            there = sum(copy.size for copy in self._copies.values() if copy.is_there)
            for key, copy in list(self._copies.items()):
                if there + size <= self._max_bytes:
                    return
                if copy.is_idle:
                    del self._copies[key]
                    shutil.rmtree(copy.path.parent, ignore_errors=True)
                    there -= copy.size


def scratch_folder() -> Path:
    """The folder of this process for temporary files; it goes when the process ends."""
    with _making:
        if not _made:
            _made.append(_make_scratch())
        return _made[0][0]


def process_copies() -> Copies:
    """The copies of this process, which take half of what the disk has free at first."""
    folder = scratch_folder()
    with _making:
        if not _copies:
            _copies.append(Copies(folder / "copies", shutil.disk_usage(folder).free // 2))
        return _copies[0]


_making = threading.Lock()
_made: list[tuple[Path, int]] = []
_copies: list[Copies] = []


def _make_scratch() -> tuple[Path, int]:
    home = Path(tempfile.gettempdir(), f"repomill-{os.getuid()}")
    home.mkdir(mode=0o700, exist_ok=True)
    if home.stat().st_uid != os.getuid():
        raise PermissionError(f"{home} belongs to somebody else; name another folder by TMPDIR")
    _remove_abandoned(home)
    folder = home / f"{os.getpid()}-{os.urandom(4).hex()}"
    folder.mkdir()
    # Held as long as the process lives, however it ends.
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    atexit.register(_remove, folder, os.getpid())
    return folder, lock


def _remove(folder: Path, process: int) -> None:
    # A forked process has its parent's duties at exit, too.
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(home: Path) -> None:
    """Removes what processes left that were killed."""
    for folder in home.iterdir():
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(lock)


def _forget() -> None:
    global _making
    _making = threading.Lock()
    _made.clear()
    _copies.clear()


os.register_at_fork(after_in_child=_forget)
