"""The entry point: answers Ctrl-C from the first moment, while imports are still under way."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from pipeline.imports import without_collection

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 and the number of the signal."""

_ENDING_SIGNALS = ("SIGTERM", "SIGHUP")


def main() -> None:
    """Runs the command line; see `pipeline.commands.main` for the exit status."""
    received = [signal.SIGINT.value]

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        received[0] = number
        raise KeyboardInterrupt

    for name in _ENDING_SIGNALS:
        number = getattr(signal, name, None)
        # What nohup has it ignore stays ignored.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop)
    try:
        with without_collection():
            from pipeline.commands import main as run_command

        run_command()
    except KeyboardInterrupt:
        end_interrupted(received[0])
    except SystemExit as done:
        if done.code == INTERRUPTED:
            end_interrupted(received[0])
        raise


def end_interrupted(number: int) -> None:
    """Ends the process at once: a normal end would wait for downloads in other threads."""
    print("interrupted: run the same command again to resume", file=sys.stderr)
    sys.stdout.flush()
    os._exit(128 + number)


if __name__ == "__main__":
    main()
