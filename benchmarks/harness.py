"""Measuring processes and calls, and writing down what came out and on what machine."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "benchmarks" / "reports"
LIBRARIES = (
    "repomill",
    "apache-beam",
    "pyarrow",
    "numpy",
    "numba",
    "gigatoken",
    "tokenizers",
    "datasketch",
    "licenseclassifier",
)


@dataclass(frozen=True)
class Cost:
    """What a process and those it waited for have cost: seconds, and bytes at the peak."""

    wall: float
    cpu: float
    peak_memory: int


def measure(
    command: Sequence[str | Path], environment: Mapping[str, str] | None = None
) -> tuple[Cost, str]:
    """Runs a command in the project's folder, with some more environment variables.

    Returns:
      What it cost, and its standard output. The peak is that of the largest single process.

    Raises:
      RuntimeError: it failed; the message ends with what it printed.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        variables = {**os.environ, **(environment or {})}
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=out, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        for stream in (out, errors):
            stream.seek(0)
        if process.returncode:
            raise RuntimeError(f"{command} failed:\n{errors.read().decode()[-3000:]}")
        unit = 1 if sys.platform == "darwin" else 1024
        cost = Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)
        return cost, out.read().decode()


def own_peak_memory() -> int:
    """The most bytes that this process has held, without what held who started it (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def interleave(
    calls: Mapping[str, Callable[[], Any]],
    rounds: int,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, list[float]]:
    """The CPU seconds of each call in each round, one after another in turn, after a warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            started = clock()
            call()
            if number:
                seconds[name].append(clock() - started)
    return seconds


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median of some values, and the least and greatest of them."""
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def median_cost(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        int(statistics.median(cost.peak_memory for cost in costs)),
    )


@dataclass
class Report:
    """What a benchmark found. Tables and paragraphs appear in the order in which they came."""

    title: str
    blocks: list[str] = field(default_factory=list)
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    def say(self, text: str) -> None:
        """Adds a paragraph."""
        self.blocks.append(text)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Adds a table; the first column is text, the others are figures."""
        cells = [list(header), *([str(cell) for cell in row] for row in rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
        lines = [_line(row, widths) for row in cells]
        rule = "|" + "|".join(
            "-" * (width + 1) + ("-" if column == 0 else ":") for column, width in enumerate(widths)
        )
        self.blocks.append("\n".join([lines[0], f"{rule}|", *lines[1:]]))

    def publish(self, name: str) -> None:
        """Prints the report and writes it into `REPORTS`."""
        text = "\n\n".join([f"# {self.title}", *self.blocks, "## Measured on", self._facts(name)])
        print(text, flush=True)
        REPORTS.mkdir(exist_ok=True)
        today = datetime.datetime.now(datetime.UTC).date()
        (REPORTS / f"{today}-{name}.md").write_text(f"{text}\n", encoding="utf-8")

    def _facts(self, name: str) -> str:
        libraries = ", ".join(f"{library} {version(library)}" for library in LIBRARIES)
        return "\n".join(
            [
                f"- {machine()}; load average {self.load:.1f} at the start",
                f"- Python {platform.python_version()}, {libraries}; commit {commit()}",
                f"- `python -m benchmarks {name}`",
            ]
        )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"


def machine() -> str:
    """The processor, memory and operating system, without the machine's name."""
    cpuinfo = Path("/proc/cpuinfo")
    model = platform.processor() or platform.machine()
    if cpuinfo.exists():
        lines = (line.partition(":") for line in cpuinfo.read_text().splitlines())
        model = next((value.strip() for key, _, value in lines if key.startswith("model n")), model)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    release = platform.release().partition("-")[0]
    return f"{model}, {cores} cores, {memory:.0f} GiB, {system}, kernel {release}"


def commit() -> str:
    """The commit that was measured, and whether files differ from it."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        code = ("pipeline", "transforms", "schemas", "runners")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", *code)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}{' with changes' if changed else ''}"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True)
    return done.stdout.decode().strip()
