"""Cost and memory over size: the stages after the crawl at 0.5, 2 and 8 GB of text."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from benchmarks.corpus import (
    RUNS,
    corpus_size,
    crawled_run,
    fresh_run,
    history,
    parts,
    remove_run,
    run_command,
    run_script,
)
from benchmarks.figure import Series, draw
from benchmarks.harness import ROOT, Cost, Report, measure
from benchmarks.renaming import rename_texts
from pipeline.configuration import Deduplicate
from schemas import tables
from transforms.buffers import utf8_contents
from transforms.parts import iterate_row_groups, read_part

COPIES = (1, 4, 17)
"""Copies of the reference corpus, 0.47 GB each, all but the first with other names."""

STAGES = ("annotate", "deduplicate", "select", "tokenize", "shard")
DECIDING = STAGES[:3]
GOAL = 0.15
FIGURE = Path("docs/scale.svg")
_FOLDER = RUNS / "scale"
_COLUMNS = {name: name for name in ("content", "path", "repository")}


@dataclass(frozen=True)
class Size:
    """What one size of the corpus has cost, by stage; memory is that of the stage's process."""

    documents: int
    bytes: int
    dropped: int
    costs: Mapping[str, Cost]

    def cpu(self, stages: Sequence[str]) -> float:
        """CPU seconds of some stages."""
        return sum(self.costs[stage].cpu for stage in stages)

    def memory(self, stages: Sequence[str]) -> int:
        """The most bytes that one of some stages held."""
        return max(self.costs[stage].peak_memory for stage in stages)


def report() -> Report:
    """Makes, measures and removes a corpus of each size, and fits lines through the costs."""
    found = Report("Cost and memory over size")
    reference = crawled_run()
    # Compiles what is not in the cache.
    measure(run_command(fresh_run("scale_warm_up")))
    remove_run(RUNS / "scale_warm_up")
    sizes = [_measure_size(reference, copies) for copies in COPIES]
    found.say(
        f"The reference corpus {', '.join(map(str, COPIES))} times; in all copies but the first "
        "names and numbers are replaced by a permutation of letters of its own "
        "(benchmarks/renaming.py), and repositories are called otherwise, so that each copy has "
        "the duplicates that the first has and none in another. The copies are written as "
        "Parquet data sets and crawled as such. `repomill run`, one process a stage, one round; "
        "CPU seconds of the whole process; peak memory as the run's history says."
    )
    _say_sizes(found, sizes)
    _say_lines(found, sizes)
    budget = Deduplicate().memory_bytes
    worst = max(size.costs["deduplicate"].peak_memory for size in sizes)
    found.say(
        f"`deduplicate.memory_bytes` is {budget / 1e6:,.0f} MB; the most that the stage's "
        f"process held is {worst / 1e6:,.0f} MB."
    )
    _draw(sizes, budget)
    found.say(f"The figure is {FIGURE}.")
    return found


def _measure_size(reference: Path, copies: int) -> Size:
    folder = ROOT / _FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    try:
        write_data_sets(reference, copies, folder / "data")
        run = _crawl(folder)
        costs = {stage: _run_stage(folder, run, stage) for stage in STAGES}
        documents, size = corpus_size(run)
        kept = [read_part(path, ["duplicate_of"])[0] for path in parts(run, tables.DUPLICATES)]
        dropped = sum(len(column) - column.null_count for column in kept)
        return Size(documents, size, dropped, costs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_data_sets(run: Path, copies: int, folder: Path) -> None:
    """Writes copies of a run's documents as Parquet files of content, path and repository."""
    folder.mkdir(parents=True)
    for copy in range(copies):
        for path in parts(run):
            batches = _copied(path, copy)
            first = next(batches, None)
            if first is None:
                continue
            with pq.ParquetWriter(folder / f"{copy:03d}-{path.name}", first.schema) as writer:
                for batch in (first, *batches):
                    writer.write_batch(batch)


def _copied(path: Path, copy: int) -> Iterator[pa.RecordBatch]:
    names = ["content", "encoding", "path", "repository", "revision"]
    for batch in iterate_row_groups(path, names):
        texts = rename_texts(utf8_contents(batch["content"], batch["encoding"]), copy)
        # Versions of a project are repositories of one name in the reference corpus.
        own = batch["repository"], batch["revision"]
        named = pc.binary_join_element_wise(f"copy-{copy:03d}", *own, "/")
        yield pa.RecordBatch.from_arrays([texts, batch["path"], named], list(_COLUMNS))


def _crawl(folder: Path) -> Path:
    run = folder / "run"
    source = {"paths": [str(folder / "data" / "*.parquet")], "columns": _COLUMNS}
    body = {"sources": [{"parquet": source}], "output": str(run)}
    (folder / "scale.yaml").write_text(yaml.safe_dump(body))
    measure([run_script(), "run", folder / "scale.yaml", "--stage", "crawl"])
    return run.relative_to(ROOT)


def _run_stage(folder: Path, run: Path, stage: str) -> Cost:
    cost, _ = measure([run_script(), "run", folder / "scale.yaml", "--stage", stage])
    entry = [line for line in history(run) if line["stage"] == stage][-1]
    return Cost(cost.wall, cost.cpu, entry["peak_memory_bytes"])


def fit_line(
    x: Sequence[float], y: Sequence[float]
) -> tuple[float, float, npt.NDArray[np.float64]]:
    """The line of least squares: slope, intercept, and each point's deviation as a share of it."""
    slope, intercept = np.polyfit(x, y, 1)
    line = slope * np.asarray(x) + intercept
    return float(slope), float(intercept), np.asarray(y) / line - 1


def _say_sizes(found: Report, sizes: Sequence[Size]) -> None:
    rows = []
    for size in sizes:
        for name, stages in [*((stage, (stage,)) for stage in STAGES), ("all", STAGES)]:
            cpu = size.cpu(stages)
            rows.append(
                (
                    f"{size.bytes / 1e9:.2f} GB, {name}",
                    f"{cpu:.1f}",
                    f"{size.bytes / cpu / 1e6:.1f}",
                    f"{sum(size.costs[stage].wall for stage in stages):.1f}",
                    f"{size.memory(stages) / 1e6:,.0f}",
                )
            )
    found.table(("size, stage", "CPU s", "MB/s a core", "wall s", "peak memory MB"), rows)
    found.table(
        ("size", "documents", "dropped as duplicates", "share"),
        [
            (
                f"{size.bytes / 1e9:.2f} GB",
                f"{size.documents:,}",
                f"{size.dropped:,}",
                f"{size.dropped / size.documents:.1%}",
            )
            for size in sizes
        ],
    )


def _say_lines(found: Report, sizes: Sequence[Size]) -> None:
    x = [size.bytes / 1e9 for size in sizes]
    rows, worst = [], 0.0
    for name, stages in [
        *((stage, (stage,)) for stage in STAGES),
        ("annotate, deduplicate, select", DECIDING),
        ("all", STAGES),
    ]:
        slope, intercept, deviations = fit_line(x, [size.cpu(stages) for size in sizes])
        if len(stages) > 1:
            worst = max(worst, float(np.abs(deviations).max()))
        shown = [f"{deviation:+.1%}" for deviation in deviations]
        rows.append((name, f"{slope:.1f}", f"{intercept:.1f}", *shown))
    found.say("Lines of least squares through the CPU seconds, and deviations from them:")
    header = ("stages", "CPU s a GB", "CPU s at 0", *(f"at {value:.2f} GB" for value in x))
    found.table(header, rows)
    found.say(
        f"The goal of a line within {GOAL:.0%} is {'reached' if worst <= GOAL else 'MISSED'}: "
        f"{worst:.1%} at most, for the three stages that decide and for all five."
    )


def _draw(sizes: Sequence[Size], budget: int) -> None:
    x = [size.bytes / 1e9 for size in sizes]
    cpu = [
        Series("all stages", x, [size.cpu(STAGES) for size in sizes]),
        Series("annotate, deduplicate, select", x, [size.cpu(DECIDING) for size in sizes]),
    ]
    memory = [
        Series(stage, x, [size.costs[stage].peak_memory / 1e9 for size in sizes])
        for stage in STAGES
    ]
    panels = {"CPU seconds": cpu, "peak memory, GB": memory}
    limit = {"peak memory, GB": ("deduplicate.memory_bytes", budget / 1e9)}
    (ROOT / FIGURE).write_text(draw(panels, "GB of text", limit), encoding="utf-8")
