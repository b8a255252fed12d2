"""Deduplication against its peers: the whole job, each in a process of its own."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.corpus import (
    corpus_size,
    crawled_run,
    fresh_run,
    history,
    parts,
    remove_run,
    run_command,
)
from benchmarks.deduplication_job import WORKERS
from benchmarks.environments import FOLDER, interpreter
from benchmarks.harness import ROOT, Cost, Report, measure, median_cost, spread
from benchmarks.judge import Judge, read_truth
from benchmarks.plain_copy import write_plain_copy
from pipeline.configuration import Deduplicate
from schemas import tables
from transforms.parts import read_part

ROUNDS = 3
TIMES_BEST = 4
TIMES_DATATROVE = 20
OURS = "repomill: the deduplication job"
ANNOTATED = "repomill: annotate and deduplicate whole"

# One core for everybody, nothing asked from servers.
_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
}
_IMPORTS = "import benchmarks.deduplication_job"
_PEERS = {
    "gaoya": ("gaoya: words by its analyzer, checked by signature", ROUNDS),
    "rensa": ("rensa: deduplicator, checked by signature", ROUNDS),
    "datasketch": ("datasketch: dropped where the index has a match", ROUNDS),
    "datatrove": ("datatrove: 14 buckets of 8, words by a regex", 1),
    "textdedup": ("text-dedup: its program, not checked", 1),
}
_CLUSTERS = "text-dedup: the same clusters, first of each kept"

Numbers = npt.NDArray[np.int64]


@dataclass
class Contestant:
    """A program with what it cost in each round and what it dropped in the last."""

    name: str
    run: Callable[[], tuple[Cost, float, Numbers]]
    rounds: int
    costs: list[Cost] = field(default_factory=list)
    start_ups: list[float] = field(default_factory=list)
    dropped: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))

    def measure(self) -> None:
        """Runs it once more."""
        cost, start_up, self.dropped = self.run()
        self.costs.append(cost)
        self.start_ups.append(start_up)

    @property
    def cpu(self) -> float:
        """The median of the CPU seconds."""
        return statistics.median(cost.cpu for cost in self.costs)

    @property
    def working(self) -> float:
        """The same without start-up, which does not grow with the corpus."""
        return self.cpu - statistics.median(self.start_ups)


def report() -> Report:
    """Runs everybody on the reference corpus in turn, and judges what they dropped."""
    found = Report("Deduplication against its peers")
    reference = crawled_run()
    documents, size = corpus_size(reference)
    plain = write_plain_copy(reference)
    outputs = ROOT / FOLDER / "dropped"
    outputs.mkdir(parents=True, exist_ok=True)
    peers = {name: interpreter(name) for name in _PEERS}
    facts: dict[str, Mapping[str, Any]] = {}
    everybody = [Contestant(OURS, _job, ROUNDS), Contestant(ANNOTATED, _stages, ROUNDS)]
    for name, python in peers.items():
        call = _peer_call(name, python, reference, plain, outputs / name, facts)
        everybody.append(Contestant(_PEERS[name][0], call, _PEERS[name][1]))
    # Compiles what is not in the cache.
    _job(), _stages()
    for number in range(ROUNDS):
        for contestant in everybody:
            if number < contestant.rounds:
                contestant.measure()
    shutil.rmtree(plain)
    threshold = Deduplicate().threshold
    found.say(
        f"{documents:,} documents, {size / 1e6:.1f} MB. Near-duplicates at a similarity of "
        f"{threshold} over five-word shingles. CPU seconds, user and system, of a process and "
        "its children that read the documents, sign, cluster, verify and write which are "
        f"dropped; {ROUNDS} rounds in turn, medians (least-greatest); one round of datatrove and "
        f"text-dedup. One thread each; repomill with {WORKERS} worker on Beam's local runner, with "
        "commits. Start-up, which is included, is what the process costs until all is imported."
    )
    judge = read_truth(reference, threshold)
    _say_costs(found, everybody, size)
    _say_verdicts(found, everybody, judge, outputs)
    _say_goals(found, everybody, judge)
    _say_notes(found, facts)
    return found


def _job() -> tuple[Cost, float, Numbers]:
    run = fresh_run("deduplication")
    cost, out = measure([sys.executable, "-m", "benchmarks.deduplication_job", run], _ENVIRONMENT)
    return _finish(run, replace(cost, peak_memory=int(out)))


def _stages() -> tuple[Cost, float, Numbers]:
    run = fresh_run("deduplication")
    stages = ("--stage", "annotate", "--stage", "deduplicate")
    cost, _ = measure(run_command(run, *stages, "--workers", str(WORKERS)), _ENVIRONMENT)
    peak = max(line["peak_memory_bytes"] for line in history(run))
    return _finish(run, replace(cost, peak_memory=peak))


def _finish(run: Path, cost: Cost) -> tuple[Cost, float, Numbers]:
    start_up = measure([sys.executable, "-c", _IMPORTS])[0].cpu
    columns = [read_part(path, ["duplicate_of"]) for path in parts(run, tables.DUPLICATES)]
    kept = [table["duplicate_of"].is_null().to_numpy() for table in columns]
    remove_run(run)
    return cost, start_up, np.flatnonzero(~np.concatenate(kept))


def _peer_call(
    name: str,
    python: Path,
    reference: Path,
    plain: Path,
    output: Path,
    facts: dict[str, Mapping[str, Any]],
) -> Callable[[], tuple[Cost, float, Numbers]]:
    script = ROOT / "benchmarks" / "peers" / f"{name}_dedup.py"
    command = [python, script, ROOT / reference / tables.DOCUMENTS, plain, output]

    def call() -> tuple[Cost, float, Numbers]:
        # A cache of results from the round before would be no measurement.
        cache = output.with_suffix(".cache")
        shutil.rmtree(cache, ignore_errors=True)
        cost, out = measure(command, {**_ENVIRONMENT, "HF_HOME": str(cache)})
        shutil.rmtree(cache, ignore_errors=True)
        facts[name] = told = json.loads(out.splitlines()[-1])
        cost = replace(cost, peak_memory=told["peak_memory"])
        return cost, told["start_up"], _read_numbers(output)

    return call


def _read_numbers(path: Path) -> Numbers:
    return np.array([int(line) for line in path.read_text().split()], dtype=np.int64)


def _say_costs(found: Report, everybody: Sequence[Contestant], size: int) -> None:
    ours = everybody[0].cpu
    rows = []
    for each in everybody:
        cost = median_cost(each.costs)
        rows.append(
            (
                each.name,
                spread([cost.cpu for cost in each.costs], 1),
                f"{statistics.median(each.start_ups):.1f}",
                f"{size / each.cpu / 1e6:.1f}",
                f"{each.cpu / ours:.2f}",
                f"{each.working / everybody[0].working:.2f}",
                f"{cost.wall:.1f}",
                f"{cost.peak_memory / 1e6:.0f}",
            )
        )
    header = ("program", "CPU s", "of it start-up", "MB/s a core", "times repomill")
    found.table((*header, "both without start-up", "wall s", "peak memory MB"), rows)


def _say_verdicts(
    found: Report, everybody: Sequence[Contestant], judge: Judge, outputs: Path
) -> None:
    found.say(
        f"Held against the truth ({judge.pairs.left.size:,} similar pairs among "
        f"{int(judge.content.max()) + 1:,} distinct contents, counted exactly over repomill's "
        "shingles). Precision: the share of dropped documents that have a kept one of equal "
        "content or similar at the threshold; of contents: the same for contents of which no "
        "copy is kept, each once. Recall: the share of similar pairs of which not both are kept."
    )
    judged = {each.name: each.dropped for each in everybody}
    judged[_CLUSTERS] = _read_numbers(outputs / "textdedup.clusters")
    rows = []
    for name, dropped in judged.items():
        verdict = judge.judge(dropped)
        rows.append(
            (
                name,
                f"{verdict.dropped:,}",
                f"{verdict.precision:.4f}",
                f"{verdict.precision_of_contents:.4f}",
                f"{verdict.recall:.5f}",
            )
        )
    found.table(("program", "dropped", "precision", "precision of contents", "recall"), rows)


def _say_goals(found: Report, everybody: Sequence[Contestant], judge: Judge) -> None:
    ours, best = everybody[0], min(everybody[2:], key=lambda each: each.cpu)
    trove = next(each for each in everybody if each.name == _PEERS["datatrove"][0])
    precision = judge.judge(ours.dropped).precision
    times, times_trove = best.cpu / ours.cpu, trove.cpu / ours.cpu
    reached = times >= TIMES_BEST and times_trove >= TIMES_DATATROVE and precision == 1
    found.say(
        f"At least {TIMES_BEST}x less CPU than the best peer and {TIMES_DATATROVE}x less than "
        f"datatrove, at precision 1.000: {'reached' if reached else 'MISSED'}; "
        f"{times:.1f}x less than {best.name.partition(':')[0]}, {times_trove:.1f}x less than "
        f"datatrove, precision {precision:.4f}."
    )


def _say_notes(found: Report, facts: Mapping[str, Mapping[str, Any]]) -> None:
    versions = "; ".join(
        f"{name} {entry['version']} ({entry['license'] or 'no license in its metadata'})"
        for name, entry in facts.items()
    )
    found.say(
        f"Peers: {versions}. Each in a virtual environment of its own, by its own recipe "
        "(benchmarks/peers): 128 permutations, or 14 buckets of 8. gaoya, rensa and datasketch "
        "read the run's Parquet; datatrove and text-dedup read a plain copy of it, the making of "
        "which is not counted. datatrove's own words are spaCy's, which is not measured; here "
        "they are those of a regular expression; its last step, which writes the kept documents, "
        "is left out. text-dedup names a cluster by a number that is not a member's, so that "
        "without its check all members are dropped; its clusters are therefore also judged with "
        "the first of each kept. Its check compares all pairs of a cluster in Python and is left "
        "out: tried once here, it had not ended after nine CPU minutes. Before Python 3.12 its "
        "type statements are rewritten to run."
    )
