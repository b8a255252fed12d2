"""What `repomill plan` predicts against runs of 0.5, 2 and 10 GB, and its constants anew."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from benchmarks import direct_work
from benchmarks.corpus import RUNS, corpus_size, crawled_run
from benchmarks.harness import ROOT, Report
from benchmarks.observation import POLL_SECONDS, Observed, observe, timed
from benchmarks.scale import write_data_sets
from pipeline.costs import COSTS, GB
from pipeline.folder import RunFolder
from pipeline.plan import Corpus, RunPlan, StagePlan, plan_run
from pipeline.reading import read_configuration
from pipeline.stages import PRODUCERS, STAGES
from schemas import tables
from schemas.manifest import Manifest
from transforms.deduplicate import stage as deduplicate
from transforms.shard import stage as shard

COPIES = (1, 4, 21)
"""Copies of the reference corpus, 0.47 GB each; constants are of the first two sizes."""

GOAL = 0.25
SMALL_BYTES = 5_000_000
"""Tables below are left out: they are mostly what every file begins and ends with."""
WORKERS = 2
SERIAL = {
    "deduplicate": (
        deduplicate.RankRepositories,
        deduplicate.DividePartners,
    ),
    "shard": (
        shard.DivideParts,
        shard.ChooseSplits,
        shard.LimitRepositories,
        shard.LayOutShards,
        shard.FinishPlan,
    ),
}
"""Steps of one element, while which no other worker has anything to do."""

_FOLDER = RUNS / "plan"
# A run that only lists has no documents, which is an error.
_MEASURED = tuple(stage.name for stage in STAGES if stage.name != "list")


@dataclass(frozen=True)
class Size:
    """What a run of some size has cost, by stage, and the bytes and files of its tables."""

    corpus: Corpus
    plan: RunPlan
    stages: Mapping[str, Observed]
    serial: Mapping[str, float]
    tables: Mapping[str, tuple[int, int]]

    def planned(self, stage: str) -> StagePlan:
        """The prediction for a stage."""
        return next(each for each in self.plan.stages if each.name == stage)


def report(copies: Sequence[int] = COPIES) -> Report:
    """Makes, measures and removes a corpus of each size."""
    found = Report("What a plan predicts, and what runs took")
    sizes = [_measure_size(number) for number in copies]
    found.say(
        f"The reference corpus {', '.join(map(str, copies))} times, as in the benchmark scale; "
        f"`python -m pipeline run` with {WORKERS} workers, a process a stage, one round. Memory "
        "is the most that a process held besides pages of files, looked up every "
        f"{POLL_SECONDS} s. Predicted by the constants of `pipeline/costs.py`; list is "
        "part of crawl."
    )
    for size in sizes:
        _compare(found, size)
    _say_constants(found, sizes[: len(COPIES) - 1])
    return found


def _measure_size(copies: int) -> Size:
    folder = ROOT / _FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    try:
        write_data_sets(crawled_run(), copies, folder / "data")
        run, configuration = folder / "run", folder / "plan.yaml"
        columns = {name: name for name in ("content", "path", "repository")}
        source = {"paths": [str(folder / "data" / "*.parquet")], "columns": columns}
        body = {"sources": [{"parquet": source}], "output": str(run)}
        configuration.write_text(yaml.safe_dump(body))
        stages = {
            stage: observe(_command(configuration, stage), run / ".staging" / stage)
            for stage in _MEASURED
        }
        manifests = {table: RunFolder(run).manifest(table) for table in PRODUCERS}
        corpus = _corpus(manifests, corpus_size(run.relative_to(ROOT))[1])
        return Size(
            corpus=corpus,
            plan=plan_run(read_configuration(configuration), corpus, WORKERS, WORKERS),
            stages=stages,
            serial={stage: _serial_seconds(run, stage) for stage in SERIAL},
            tables={
                table: (sum(file.bytes for file in manifest.files), len(manifest.files))
                for table, manifest in manifests.items()
            },
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _command(configuration: Path, stage: str) -> list[str]:
    """What does one stage with the code of this checkout."""
    run = [sys.executable, "-m", "pipeline", "run", str(configuration)]
    return [*run, "--stage", stage, "--workers", str(WORKERS)]


def _corpus(manifests: Mapping[str, Manifest], size: int) -> Corpus:
    """What there was, and what its text is like: other names have more tokens."""
    counts = manifests[tables.TOKENS].statistics
    return Corpus(
        repositories=manifests[tables.REPOSITORIES].rows,
        bytes=size,
        selected=counts["bytes"] / size,
        tokens_a_byte=counts["tokens"] / counts["bytes"],
    )


def _serial_seconds(run: Path, stage: str) -> float:
    """The seconds of the steps that one worker does alone, called one after another."""
    with tempfile.TemporaryDirectory(dir=run.parent) as staging, ExitStack() as stack:
        seconds = [stack.enter_context(timed(step)) for step in SERIAL[stage]]
        direct_work.do_stage(stage, run, Path(staging))
        return sum(map(sum, seconds))


def _compare(found: Report, size: Size) -> None:
    """A table of predictions, measurements and how far off the former are."""
    pairs = []
    for stage, observed in size.stages.items():
        planned = size.planned(stage)
        cpu = planned.cpu_seconds + (size.planned("list").cpu_seconds if stage == "crawl" else 0)
        pairs.append((f"{stage}, CPU s", cpu, observed.cpu))
        pairs.append((f"{stage}, memory MB", planned.memory / 1e6, observed.memory / 1e6))
    cpu = [pair[1:] for pair in pairs if pair[0].endswith("CPU s")]
    pairs.append(("all, CPU s", *(sum(values) for values in zip(*cpu, strict=True))))
    for stage in STAGES:
        written = sum(size.tables[table][0] for table in stage.outputs)
        if written >= SMALL_BYTES:
            planned = size.planned(stage.name)
            pairs.append((f"{stage.name}, MB written", planned.written / 1e6, written / 1e6))
    worst = max(abs(predicted / measured - 1) for _, predicted, measured in pairs)
    found.say(f"{size.corpus.bytes / GB:.2f} GB:")
    found.table(
        ("stage and what of it", "predicted", "measured", "off by"),
        [
            (what, f"{predicted:,.1f}", f"{measured:,.1f}", f"{predicted / measured - 1:+.1%}")
            for what, predicted, measured in pairs
        ],
    )
    verdict = "reached" if worst <= GOAL else "MISSED"
    found.say(f"The goal of {GOAL:.0%} is {verdict}: {worst:.1%} at most.")


def _say_constants(found: Report, sizes: Sequence[Size]) -> None:
    """The constants that some sizes give, as `pipeline/costs.py` has them."""
    found.say("Lines through the smaller sizes, and shares of tables in the larger of them:")
    names = ("cpu_seconds", "cpu_seconds_a_gb", "memory MB", "memory_a_byte")
    more = ("serial_seconds_a_gb", "staged_a_byte")
    found.table(("stage", *names, *more), [_constants(stage, sizes) for stage in _MEASURED])
    last = sizes[-1]
    rows = [
        (table, f"{written / last.corpus.bytes:.5f}", files)
        for table, (written, files) in last.tables.items()
    ]
    found.table(("table", "bytes a byte of text", "files"), rows)


def _constants(stage: str, sizes: Sequence[Size]) -> tuple[str, ...]:
    seen = [size.stages[stage] for size in sizes]
    written = [
        sum(s.tables[t][0] for t, by in PRODUCERS.items() if by.name == stage) for s in sizes
    ]
    text = np.array([size.corpus.bytes for size in sizes], dtype=float)
    worked_on = np.array(written, dtype=float) if stage == "shard" else text
    held = text * (WORKERS / sizes[0].plan.parts if COSTS[stage].by_part else 1)
    slope, start = np.polyfit(worked_on / GB, [each.cpu for each in seen], 1)
    growth, memory = np.polyfit(held, [each.memory for each in seen], 1)
    serial = sizes[-1].serial.get(stage, 0.0) / worked_on[-1] * GB
    staged = max(seen[-1].staged - written[-1], 0) / text[-1]
    figures = (f"{start:.1f}", f"{slope:.1f}", f"{memory / 1e6:.0f}", f"{growth:.4f}")
    return (stage, *figures, f"{serial:.2f}", f"{staged:.2f}")
