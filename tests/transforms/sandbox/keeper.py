"""Runs a command and ends, by their ids, all processes that it leaves behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def keep(command: list[str]) -> int:
    """Runs a command in a session of its own, with this process's descriptors.

    Orphans of it come to this process, wherever in the tree they were started.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        child = subprocess.Popen(command, close_fds=False, start_new_session=True)
        # Else whoever reads what the command writes would not see that it died.
        os.closerange(0, 2)
        return child.wait()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end_children()


def end_children() -> None:
    """Ends children and, as they become children, all that is below them."""
    own = os.getpid()
    while children := Path(f"/proc/{own}/task/{own}/children").read_text().split():
        for child in map(int, children):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(child, 0)


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
