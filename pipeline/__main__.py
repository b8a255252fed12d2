"""The entry point: answers Ctrl-C from the first moment, while imports are still under way."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def main() -> None:
    """Runs the command line; see `pipeline.commands.main` for the exit status."""
    try:
        from pipeline.commands import main as run_command

        run_command()
    except KeyboardInterrupt:
        end_interrupted()
    except SystemExit as done:
        if done.code == INTERRUPTED:
            end_interrupted()
        raise


def end_interrupted() -> None:
    """Ends the process at once: a normal end would wait for downloads in other threads."""
    print("interrupted: run the same command again to resume", file=sys.stderr)
    sys.stdout.flush()
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
