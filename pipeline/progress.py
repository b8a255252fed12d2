"""Progress of a run on standard error: a display in a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from transforms.parts import Workspace

REFRESH_SECONDS = 0.25
PLAIN_SECONDS = 5.0
"""How often a plain line is written where there is no terminal."""


@dataclass(frozen=True)
class Goal:
    """How much there is to do: counts by name, where they are known beforehand."""

    counts: Mapping[str, int]


class ProgressDisplay:
    """Shows how far each stage is, from what its workers left in the staging folder."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._notice = ""
        self._find_link: Callable[[], str] | None = None

    def tell(self, notice: str) -> None:
        """Says in words what all stages wait for, until the next notice; an empty one ends it."""
        self._notice = notice

    def follow(self, find_link: Callable[[], str]) -> None:
        """Says where else the stage can be watched, as soon as that is known."""
        self._find_link = find_link

    def say(self, line: str) -> None:
        """Writes one line."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def stage(self, name: str, workspace: Workspace, goal: Goal) -> Iterator[None]:
        """Shows a stage while the context lasts."""
        started = time.monotonic()
        resumed = _sum(workspace)
        stop = threading.Event()
        interval = REFRESH_SECONDS if self._console.is_terminal else PLAIN_SECONDS
        # What workers tell less often is not worth asking for more often.
        interval = max(interval, workspace.files.progress_seconds / 2)
        spinner = Spinner("dots", Text(f"{name}  starting"))

        def watch() -> None:
            while not stop.wait(interval):
                self._say_link()
                seconds = time.monotonic() - started
                # A store that does not answer now ends no work that goes on.
                with suppress(OSError):
                    line = describe(name, _sum(workspace), goal, seconds, resumed)
                    notices = [self._notice] if self._notice else []
                    line = "  ".join([line, *notices, *workspace.notices()])
                    if self._console.is_terminal:
                        spinner.update(text=Text(line))
                    else:
                        self.say(line)

        watcher = threading.Thread(target=watch, name="progress", daemon=True)
        live = Live(spinner, console=self._console, transient=True, refresh_per_second=8)
        shown = live if self._console.is_terminal else _nothing()
        with shown:
            watcher.start()
            try:
                yield
            finally:
                stop.set()
                watcher.join()
                self._find_link = None

    def _say_link(self) -> None:
        link = self._find_link() if self._find_link else ""
        if link:
            self.say(f"{'':<11}  {link}")
            self._find_link = None


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _sum(workspace: Workspace) -> dict[str, int]:
    totals: dict[str, int] = {}
    for counts in workspace.progress().values():
        for name, count in counts.items():
            totals[name] = totals.get(name, 0) + count
    return totals


def describe(
    name: str,
    counts: Mapping[str, int],
    goal: Goal,
    seconds: float,
    resumed: Mapping[str, int] = MappingProxyType({}),
) -> str:
    """One line that says how far a stage is, such as ``crawl  3/30 repositories  12 MB/s``.

    ``resumed`` are the counts with which it began, where it goes on.
    """
    words = [f"{name:<11}"]
    for what in ("repositories", "documents", "candidates", "sequences", "samples", "functions"):
        if what in goal.counts:
            words.append(f"{counts.get(what, 0):,}/{goal.counts[what]:,} {what}")
        elif what in counts:
            words.append(f"{counts[what]:,} {what}")
    if counts.get("failed"):
        words.append(f"{counts['failed']:,} failed")
    if "bytes" in counts:
        words.append(f"{megabytes(counts['bytes'])}")
        new = counts["bytes"] - resumed.get("bytes", 0)
        words.append(f"{new / 1e6 / max(seconds, 1e-3):,.1f} MB/s")
    words += _pace(counts, goal, seconds, resumed)
    words.append(f"{seconds:.1f} s")
    return "  ".join(words)


def _pace(
    counts: Mapping[str, int], goal: Goal, seconds: float, resumed: Mapping[str, int]
) -> list[str]:
    """Samples a second, and the time that samples or repositories left take at their pace."""
    words = []
    for what in ("samples", "repositories"):
        rate = (counts.get(what, 0) - resumed.get(what, 0)) / max(seconds, 1e-3)
        left = goal.counts.get(what, 0) - counts.get(what, 0)
        if rate > 0 and what == "samples":
            words.append(f"{rate:,.0f}/s")
        if rate > 0 and left > 0:
            words.append(f"{left / rate:,.0f} s left")
    return words


def megabytes(size: int) -> str:
    """Bytes as megabytes of 10^6 bytes, with one decimal."""
    return f"{size / 1e6:,.1f} MB"
