"""Watches: whether anything has happened to the folder of a run.

Most programs never look at their folder. One that nobody has opened, listed, changed or put
a file into is as fresh for the next run as another would be, and costs nothing.
"""

from __future__ import annotations

import fcntl
import os
import termios
from contextlib import suppress
from pathlib import Path

from transforms.sandbox import kernel

_MOST_BYTES = 1 << 16
_NOTHING = bytes(4)


class FolderWatch:
    """Of one folder after another."""

    def __init__(self) -> None:
        self._watches = -1
        # A machine has few of these; without one nothing is known, and no folder is kept.
        with suppress(OSError):
            self._watches = kernel.open_watches()

    def start(self, folder: Path) -> None:
        """Watches a folder that was just made."""
        if self._watches < 0:
            return
        with suppress(BlockingIOError):
            while os.read(self._watches, _MOST_BYTES):
                pass
        try:
            kernel.watch_once(self._watches, folder)
        except OSError:
            os.close(self._watches)
            self._watches = -1

    def is_untouched(self) -> bool:
        """Whether nothing has happened to the folder, as far as is known."""
        if self._watches < 0:
            return False
        return fcntl.ioctl(self._watches, termios.FIONREAD, _NOTHING) == _NOTHING
