"""Local parallelism: threads against processes in Beam's local runner, and what two cores give."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.corpus import corpus_size, finished_run, fresh_run, remove_run, run_command
from benchmarks.harness import ROOT, Cost, Report, measure, median_cost, spread

GRAPHS = ("annotate", "tokenize")
MODES = ("in_memory", "multi_processing")
WORKERS = (1, 2)
ROUNDS = 3

Variant = tuple[str, int]
Timing = tuple[Cost, float, float]
"""Cost of the process, seconds of the graph, CPU seconds of its busiest thread."""


def report() -> Report:
    """Measures graphs in every mode, and the whole job, with one worker and with two."""
    found = Report("Local parallelism")
    run = finished_run()
    documents, size = corpus_size(run)
    found.say(
        f"{documents:,} documents, {size / 1e6:.1f} MB; {ROUNDS} rounds in turn, medians "
        "(least-greatest). `in_memory` runs workers as threads, and is what "
        "`runners/direct.py` uses."
    )
    for graph in GRAPHS:
        _say_graph(found, graph, _measure_graph(graph, run))
    _say_whole(found, size)
    return found


def _measure_graph(graph: str, run: Path) -> Mapping[Variant, list[Timing]]:
    variants = [(mode, workers) for mode in MODES for workers in WORKERS]
    costs: dict[Variant, list[Timing]] = {variant: [] for variant in variants}
    for _ in range(ROUNDS):
        for mode, workers in variants:
            module = [sys.executable, "-m", "benchmarks.parallelism"]
            cost, out = measure([*module, str(run), graph, str(workers), mode])
            costs[mode, workers].append((cost, *map(float, out.split())))
    return costs


def _say_graph(found: Report, graph: str, costs: Mapping[Variant, list[Timing]]) -> None:
    alone = statistics.median(wall for _, wall, _ in costs["in_memory", 1])
    rows = []
    for (mode, workers), measured in costs.items():
        walls = [wall for _, wall, _ in measured]
        busiest = spread([thread for *_, thread in measured], 1)
        rows.append(
            (
                f"{graph}, {mode}",
                workers,
                spread(walls, 1),
                f"{alone / statistics.median(walls):.2f}",
                spread([cost.cpu for cost, *_ in measured], 1),
                busiest if mode == "in_memory" else "",
                f"{median_cost([cost for cost, *_ in measured]).peak_memory / 1e6:.0f}",
            )
        )
    header = ("graph", "workers", "wall s of the graph", "speed-up", "CPU s of the process")
    found.table((*header, "of its busiest thread", "peak memory MB of one process"), rows)


def _say_whole(found: Report, size: int) -> None:
    costs: dict[int, list[Cost]] = {workers: [] for workers in WORKERS}
    for _ in range(ROUNDS):
        for workers in WORKERS:
            run = fresh_run("parallelism")
            costs[workers].append(measure(run_command(run, "--workers", str(workers)))[0])
    remove_run(run)
    alone = statistics.median(cost.wall for cost in costs[1])
    rows = []
    for workers, measured in costs.items():
        middle = median_cost(measured)
        rows.append(
            (
                "whole job, in_memory",
                workers,
                spread([cost.wall for cost in measured], 1),
                f"{alone / middle.wall:.2f}",
                spread([cost.cpu for cost in measured], 1),
                f"{size / middle.cpu / 1e6:.1f}",
                f"{middle.peak_memory / 1e6:.0f}",
            )
        )
    header = ("job", "workers", "wall s", "speed-up", "CPU s", "MB/s a core", "peak memory MB")
    found.table(header, rows)


class ThreadClock(threading.Thread):
    """Notes the CPU time of every thread of this process, also of those that end (Linux)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._ticks: dict[str, int] = {}
        self._before = self._look()
        self._done = threading.Event()

    def run(self) -> None:
        """Looks every 50 ms until `busiest` is called."""
        while not self._done.wait(0.05):
            self._ticks |= self._look()

    def _look(self) -> dict[str, int]:
        ticks = {}
        for path in Path("/proc/self/task").glob("*/stat"):
            with contextlib.suppress(OSError):
                fields = path.read_text().rpartition(")")[2].split()
                ticks[path.parent.name] = int(fields[11]) + int(fields[12])
        return ticks

    def busiest(self) -> float:
        """The CPU seconds of the thread that has used most since this clock was made."""
        self._done.set()
        self.join()
        used = [count - self._before.get(name, 0) for name, count in self._ticks.items()]
        return max(used, default=0) / os.sysconf("SC_CLK_TCK")


def run_graph(run: Path, graph: str, workers: int, mode: str) -> tuple[float, float]:
    """Runs a stage's graph in a mode and throws its output away.

    Returns:
      Its seconds, and the CPU seconds of its busiest thread: what it takes at least on
      cores that nobody else uses.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from pipeline.folder import RunFolder
    from pipeline.graphs import build_graph
    from pipeline.reading import read_configuration
    from transforms.parts import Workspace

    folder = RunFolder(ROOT / run)
    staging = ROOT / run / ".staging" / "parallelism"
    shutil.rmtree(staging, ignore_errors=True)
    workspace = Workspace(run=str(folder.path), staging=str(staging))
    configuration = read_configuration(folder.path / "config.yaml")
    options = PipelineOptions(
        [],
        runner="FnApiRunner",
        direct_num_workers=workers,
        direct_running_mode=mode,
        save_main_session=False,
    )
    clock = ThreadClock()
    clock.start()
    started = time.perf_counter()
    with beam.Pipeline(options=options) as pipeline:
        pipeline | build_graph(graph, configuration, folder, workspace)
    seconds = time.perf_counter() - started
    shutil.rmtree(staging)
    return seconds, clock.busiest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Seconds of one graph in one mode.")
    parser.add_argument("run", type=Path)
    parser.add_argument("graph", choices=GRAPHS)
    parser.add_argument("workers", type=int)
    parser.add_argument("mode", choices=MODES)
    print(*run_graph(**vars(parser.parse_args())))
