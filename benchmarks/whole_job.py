"""The whole job after the crawl: at least 40 MB of text a second and core, start-up included."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.corpus import (
    STAGES,
    corpus_size,
    crawled_run,
    fresh_run,
    history,
    remove_run,
    run_command,
    selected_bytes,
)
from benchmarks.harness import Cost, Report, measure, median_cost, spread

ROUNDS = 3
BAR = 40.0
"""MB a second and core."""
TOKENS_BAR = 60.0
"""That of tokenize and shard together, of the text that is selected."""

_IMPORTS = "import pipeline.commands, pipeline.execution, pipeline.graphs, runners.direct"


def report() -> Report:
    """Measures the job in one process and in one process a stage, in turn."""
    found = Report("The whole job after the crawl")
    documents, size = corpus_size(crawled_run())
    measure(run_command(fresh_run("whole_job")))
    together: list[Cost] = []
    inside: list[Mapping[str, float]] = []
    apart: dict[str, list[Cost]] = {stage: [] for stage in STAGES}
    in_stage: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for _ in range(ROUNDS):
        run = fresh_run("whole_job")
        together.append(measure(run_command(run))[0])
        inside.append(_history(run))
        run = fresh_run("whole_job")
        for stage in STAGES:
            apart[stage].append(measure(run_command(run, "--stage", stage))[0])
        for stage, seconds in _history(run).items():
            in_stage[stage].append(seconds)
    imports = [measure([sys.executable, "-c", _IMPORTS])[0].cpu for _ in range(ROUNDS)]
    selected = selected_bytes(run)
    remove_run(run)
    found.say(
        f"{documents:,} documents, {size / 1e6:.1f} MB of text; {ROUNDS} rounds, medians "
        "(least-greatest). MB/s a core is text bytes by CPU seconds of the whole process."
    )
    _say_together(found, together, size)
    _say_apart(found, apart, in_stage, inside, size)
    _say_tokens(found, inside, selected)
    found.say(
        f"Importing the program with Beam costs {spread(imports)} CPU seconds in each process. "
        '"In the stage" is what the run\'s history says: the import of Beam falls into the '
        "first stage of a process."
    )
    return found


def _history(run: Path) -> Mapping[str, float]:
    return {row["stage"]: row["cpu_seconds"] for row in history(run)}


def _say_together(found: Report, costs: Sequence[Cost], size: int) -> None:
    rates = [size / cost.cpu / 1e6 for cost in costs]
    cost = median_cost(costs)
    found.say("One process for the whole job:")
    found.table(
        ("CPU s", "MB/s a core", "wall s", "MB/s", "peak memory MB"),
        [
            (
                spread([cost.cpu for cost in costs], 1),
                spread(rates, 1),
                spread([cost.wall for cost in costs], 1),
                f"{size / cost.wall / 1e6:.1f}",
                f"{cost.peak_memory / 1e6:.0f}",
            )
        ],
    )
    _say_verdict(found, statistics.median(rates))


def _say_apart(
    found: Report,
    apart: Mapping[str, Sequence[Cost]],
    in_stage: Mapping[str, Sequence[float]],
    inside: Sequence[Mapping[str, float]],
    size: int,
) -> None:
    found.say("One process a stage:")
    rows = []
    for stage, costs in apart.items():
        cost = median_cost(costs)
        rows.append(
            (
                stage,
                spread([cost.cpu for cost in costs]),
                f"{statistics.median(in_stage[stage]):.2f}",
                f"{statistics.median(line[stage] for line in inside):.2f}",
                f"{size / cost.cpu / 1e6:.0f}",
                f"{cost.wall:.1f}",
                f"{cost.peak_memory / 1e6:.0f}",
            )
        )
    totals = [sum(costs[n].cpu for costs in apart.values()) for n in range(ROUNDS)]
    rates = [size / total / 1e6 for total in totals]
    rows.append(
        (
            "all",
            spread(totals),
            f"{sum(statistics.median(values) for values in in_stage.values()):.2f}",
            f"{statistics.median(sum(line.values()) for line in inside):.2f}",
            f"{statistics.median(rates):.1f}",
            f"{sum(median_cost(costs).wall for costs in apart.values()):.1f}",
            f"{max(median_cost(costs).peak_memory for costs in apart.values()) / 1e6:.0f}",
        )
    )
    found.table(
        (
            "stage",
            "CPU s of the process",
            "in the stage",
            "in the stage, one process for all",
            "MB/s a core",
            "wall s",
            "peak memory MB",
        ),
        rows,
    )
    _say_verdict(found, statistics.median(rates))


def _say_tokens(found: Report, inside: Sequence[Mapping[str, float]], selected: int) -> None:
    rates = [selected / (line["tokenize"] + line["shard"]) / 1e6 for line in inside]
    verdict = "reached" if statistics.median(rates) >= TOKENS_BAR else "MISSED"
    found.say(
        f"Tokenize and shard, in the process that does all stages, handle {spread(rates, 1)} MB of "
        f"selected text ({selected / 1e6:.1f} MB) a CPU second; the bar of {TOKENS_BAR:.0f} is "
        f"{verdict}."
    )


def _say_verdict(found: Report, rate: float) -> None:
    verdict = "reached" if rate >= BAR else "MISSED"
    found.say(f"The bar of {BAR:.0f} MB/s a core is {verdict}: {rate:.1f}.")
