"""Telling the user that kernels are being compiled, which the first run on a machine waits for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.progress import ProgressDisplay

NOTICE = "compiling kernels, once on this machine"


@contextmanager
def telling_of_compilation(display: ProgressDisplay) -> Iterator[None]:
    """Says so as soon as Numba compiles what is not in its cache, and shows it until it is done.

    That is known of this process only.
    """
    # It costs a third of a second, which what is up to date need not wait for.
    from numba.core import event

    with event.install_listener("numba:compile", _listener(display, event.Listener)):
        yield


def _listener(display: ProgressDisplay, base: Any) -> Any:
    lock = threading.Lock()
    under_way = 0
    said = False

    class Compilation(base):  # type: ignore[misc]
        """Hears of every function that is compiled, of those that it calls inside of that."""

        def on_start(self, event: Any) -> None:
            nonlocal under_way, said
            with lock:
                under_way += 1
                if not said:
                    display.say(f"{'':<11}  {NOTICE}")
                said = True
                display.tell(NOTICE)

        def on_end(self, event: Any) -> None:
            nonlocal under_way
            with lock:
                under_way -= 1
                if not under_way:
                    display.tell("")

    return Compilation()
