"""Writes records as lines of JSON, each at once: a process may end at any time."""

from __future__ import annotations

import _thread
import fcntl
import os

MOST_BYTES = 1 << 26
"""Of records of a process."""

_LEAST_HANDLE = 500
"""Handles of the project's own start at three, as without a tracer."""

_close, _fstat, _getpid, _open, _write = os.close, os.fstat, os.getpid, os.open, os.write
_duplicate, _duplicate_at_least = fcntl.fcntl, fcntl.F_DUPFD_CLOEXEC
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
_MOST_FILES = 1000


class Writer:
    """The file of a process in a folder; a forked process has one of its own.

    ``number`` is another one for each file, so that what a file says once can be said again.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._process = self._handle = -1
        self._place = (-1, -1)
        self._lock = _thread.allocate_lock()
        self._lock_process = _getpid()
        self.number = 0
        self.written = 0

    def lock(self) -> _thread.LockType:
        """What a thread holds while it writes; a fork may come while one that is gone does."""
        if self._lock_process != _getpid():
            self._lock, self._lock_process = _thread.allocate_lock(), _getpid()
        return self._lock

    def ready(self) -> bool:
        """Makes sure of a file to write to; False if there is none."""
        if self._process == _getpid() and self._is_ours():
            return True
        return self._open_next()

    def write(self, text: str) -> None:
        """Writes lines, unless there have been too many."""
        self.written += len(text)
        if self.written <= MOST_BYTES:
            _write(self._handle, text.encode("ascii"))

    def _is_ours(self) -> bool:
        # The project may have closed all files that it did not open, and opened its own.
        try:
            found = _fstat(self._handle)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._place

    def _open_next(self) -> bool:
        self._process = _getpid()
        for number in range(_MOST_FILES):
            path = "%s/calls-%d-%d.jsonl" % (self._folder, self._process, number)
            try:
                handle = _open(path, _FLAGS, 0o644)
            except FileExistsError:
                continue
            except OSError:
                return False
            break
        else:
            return False
        try:
            self._handle = _duplicate(handle, _duplicate_at_least, _LEAST_HANDLE)
            _close(handle)
        except OSError:  # the limit of open files is lower
            self._handle = handle
        found = _fstat(self._handle)
        self._place = (found.st_dev, found.st_ino)
        self.number += 1
        return True
