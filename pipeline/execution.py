"""Running the stages that are not up to date, one after another."""

from __future__ import annotations

import datetime
import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.compilation import telling_of_compilation
from pipeline.configuration import Configuration
from pipeline.engine import engine_settings
from pipeline.errors import UsageError
from pipeline.jobs import Jobs
from pipeline.preflight import check_sources
from pipeline.progress import Goal, ProgressDisplay, describe
from pipeline.reading import write_configuration
from pipeline.reuse import identify_units, reuse_units, unit_entries
from pipeline.runs import CONFIGURATION, Run
from pipeline.stages import Stage, source_states, special_roles
from pipeline.state import StageState, State, stage_state
from pipeline.tokenizer import prepare_tokenizer
from pipeline.worker_files import open_workspace
from schemas import tables
from schemas.manifest import FileEntry, Manifest
from transforms.parts import Receipt
from transforms.stores.requests import count_requests, worker_name

if TYPE_CHECKING:
    from apache_beam import PTransform


@dataclass(frozen=True)
class Execution:
    """What to run and how. ``redo`` names stages that run although they are up to date."""

    configuration: Configuration
    run: Run
    stages: Sequence[Stage]
    redo: frozenset[str] = frozenset()


def execute(execution: Execution, display: ProgressDisplay) -> None:
    """Brings the wanted stages up to date.

    Raises:
      UserError: something that the user can put right; committed stages are untouched.
    """
    run = execution.run
    run.check()
    source_states(execution.configuration)
    for stage in execution.stages:
        if stage.name == "learn":
            _check_tokenizer(execution, stage)
    with Jobs(engine_settings(execution.configuration), run.name).opened() as jobs:
        run.create()
        with run.locked():
            _execute_stages(execution, jobs, display)


def _execute_stages(execution: Execution, jobs: Jobs, display: ProgressDisplay) -> None:
    run = execution.run
    run.recover()
    run.store.write(CONFIGURATION, write_configuration(execution.configuration).encode())
    for stage in execution.stages:
        state = stage_state(run, execution.configuration, stage)
        if state.state is State.DONE and stage.name not in execution.redo:
            display.say(f"{stage.name:<11}  up to date")
            continue
        with telling_of_compilation(display):
            _execute_stage(execution, state, jobs, display)


def _check_tokenizer(execution: Execution, learn: Stage) -> None:
    """Raises `UsageError` where a tokenizer's file is wrong, before any long work.

    What is up to date has read it already, and need not take a second for that again.
    """
    configuration = execution.configuration
    choice = configuration.tokenize.tokenizer
    if choice.file and stage_state(execution.run, configuration, learn).state is not State.DONE:
        prepare_tokenizer(choice, whole=True, roles=special_roles(configuration))


def _execute_stage(
    execution: Execution, state: StageState, jobs: Jobs, display: ProgressDisplay
) -> None:
    stage, run = state.stage, execution.run
    if state.inputs is None:
        raise AssertionError(f"{stage.name} was reached before what it needs")
    if stage.name == "list":
        check_sources(execution.configuration)
    fingerprint = stage.fingerprint(state.settings, state.inputs)
    workspace = open_workspace(run, execution.configuration, stage.name, fingerprint)
    units = identify_units(run, stage, state.settings)
    reused = 0 if stage.name in execution.redo else reuse_units(run, stage, workspace, units)
    goal = _goal(execution, stage)

    def build() -> PTransform[Any, Any]:
        from pipeline.graphs import build_graph

        return build_graph(stage.name, execution.configuration, run, workspace)

    jobs.prepare(display)
    started, cpu, asked = time.monotonic(), _cpu_seconds(), count_requests()
    with display.stage(stage.name, workspace, goal):
        jobs.run(stage.name, build, workspace, display.follow)
    by_unit = workspace.receipts()
    receipts = by_unit.values()
    statistics = sum_statistics(receipts)
    if stage.name == "list" and not statistics["requests"]:
        raise UsageError("the sources name no repositories")
    files = _files_by_table(stage, receipts)
    run.publish(
        stage.name,
        [
            Manifest(
                table=table,
                stage=stage.name,
                version=version("repomill"),
                fingerprint=fingerprint,
                settings=state.settings,
                inputs=state.inputs,
                files=files[table],
                statistics=statistics,
                units=unit_entries(units, by_unit),
            )
            for table in stage.outputs
        ],
    )
    seconds = time.monotonic() - started
    requests = sum_requests(count_requests() - asked, receipts)
    _record(execution, stage, seconds, _cpu_seconds() - cpu, requests)
    line = describe(stage.name, _work_counts(run, stage, statistics), Goal({}), seconds)
    line += f"  {sum(requests.values()):,} requests" if requests else ""
    display.say(f"{line}  {reused} of {len(units)} parts as before" if reused else line)


def sum_statistics(receipts: Iterable[Receipt]) -> dict[str, int]:
    """The counts of all receipts together, by name in sorted order."""
    totals: dict[str, int] = {}
    for receipt in receipts:
        for name, count in receipt.statistics.items():
            totals[name] = totals.get(name, 0) + count
    return dict(sorted(totals.items()))


def _files_by_table(
    stage: Stage, receipts: Iterable[Receipt]
) -> Mapping[str, tuple[FileEntry, ...]]:
    files: dict[str, list[FileEntry]] = {table: [] for table in stage.outputs}
    for receipt in receipts:
        for table, entries in receipt.files.items():
            files[table].extend(entries)
    return {
        table: tuple(sorted(entries, key=lambda entry: entry.name))
        for table, entries in files.items()
    }


def _goal(execution: Execution, stage: Stage) -> Goal:
    if stage.name == "crawl":
        manifest = execution.run.manifest(tables.REQUESTS)
        return Goal({"repositories": manifest.rows if manifest else 0})
    if stage.name in ("list", "gather", "collect"):
        return Goal({})
    if stage.name == "trace":
        manifest = execution.run.manifest(tables.TREES)
        return Goal({"repositories": manifest.statistics["trees"] if manifest else 0})
    return Goal({"documents": _corpus_counts(execution.run)["documents"]})


def _work_counts(run: Run, stage: Stage, statistics: Mapping[str, int]) -> dict[str, int]:
    """What a finished stage has worked on."""
    if stage.name == "list":
        return {"repositories": statistics["requests"]}
    if stage.name == "gather":
        return {"repositories": statistics.get("trees", 0)}
    if stage.name == "trace":
        return {"repositories": sum_below(statistics, "projects.")}
    if stage.name == "collect":
        return {"functions": sum_below(statistics, "problems.")}
    return _corpus_counts(run)


def sum_below(statistics: Mapping[str, int], prefix: str) -> int:
    """The counts whose names begin so, together."""
    return sum(count for name, count in statistics.items() if name.startswith(prefix))


def _corpus_counts(run: Run) -> dict[str, int]:
    """How many documents and bytes a run's crawl gave."""
    manifest = run.manifest(tables.DOCUMENTS)
    statistics = manifest.statistics if manifest else {}
    return {name: statistics.get(name, 0) for name in ("documents", "bytes")}


def _cpu_seconds() -> float:
    # User and system time of this process, then of its children.
    return sum(os.times()[:4])


def _peak_memory_bytes() -> int:
    """The most memory that this process has held."""
    # What getrusage says begins, on Linux, with what the process held that started this one.
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def sum_requests(own: Counter[str], receipts: Iterable[Receipt]) -> dict[str, int]:
    """What was asked of object stores: by this process by operation, by others as a sum."""
    requests = dict(sorted(own.items()))
    others: dict[str, int] = {}
    for receipt in receipts:
        if receipt.worker != worker_name():
            # What a worker says is what it has asked so far.
            others[receipt.worker] = max(others.get(receipt.worker, 0), receipt.requests)
    return requests | ({"by_workers": sum(others.values())} if any(others.values()) else {})


def _record(
    execution: Execution, stage: Stage, seconds: float, cpu: float, requests: Mapping[str, int]
) -> None:
    """Appends what a stage cost to the run's history, which is for people and no input."""
    line = {
        "stage": stage.name,
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "peak_memory_bytes": _peak_memory_bytes(),
        "runner": execution.configuration.runner.name,
        "workers": execution.configuration.runner.workers,
        "version": version("repomill"),
        **({"requests": requests} if requests else {}),
    }
    execution.run.add_history(json.dumps(line))
