"""Looking up near-duplicates of a file in a run of a million documents: the whole command."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

import numpy as np

from benchmarks.corpus import run_script
from benchmarks.harness import ROOT, Report, measure, spread
from benchmarks.million import CHANGED, DOCUMENTS, WORDS, change_text, make_text, write_million
from schemas import tables

RUN = ROOT / "benchmarks" / "runs" / "million"
ROUNDS = 5
GOAL = 1.0


def report() -> Report:
    """Makes such a run up, and times the command on some files."""
    found = Report("Near-duplicates of a file in a run of a million documents")
    shutil.rmtree(RUN, ignore_errors=True)
    try:
        text = write_million(RUN)
        rng = np.random.default_rng(2)
        files = {
            "a document of the run": text,
            "the same with some words exchanged": change_text(text, rng),
            "one that is like none": make_text(rng),
        }
        found.say(
            f"{DOCUMENTS:,} documents of {WORDS} words ({_gigabytes(tables.DOCUMENTS)} of Parquet) "
            f"in pairs that differ in {CHANGED} words; {_gigabytes(tables.FINGERPRINT)} of "
            f"fingerprints; {_gigabytes(tables.BANDS)} of index. `repomill similar RUN FILE` as a "
            f"process of its own, {ROUNDS} rounds: wall seconds, median (least-greatest)."
        )
        rows = [_time(name, content) for name, content in files.items()]
        slowest = max(row[1] for row in rows)
        shutil.rmtree(RUN / tables.BANDS)
        rows.append(_time("a document of the run, without an index", text))
        found.table(("file", "wall s", "CPU s", "peak memory"), [row[0] for row in rows])
        verdict = "reached" if slowest < GOAL else "MISSED"
        found.say(f"The goal of {GOAL:g} s is {verdict}: {slowest:.2f} s.")
    finally:
        shutil.rmtree(RUN, ignore_errors=True)
    return found


def _time(name: str, text: bytes) -> tuple[tuple[str, str, str, str], float]:
    path = RUN / "query.py"
    path.write_bytes(text)
    command: list[str | Path] = [run_script(), "similar", RUN, path]
    costs = [measure(command)[0] for _ in range(ROUNDS)]
    wall = [cost.wall for cost in costs]
    peak = max(cost.peak_memory for cost in costs) / 2**20
    cpu = [cost.cpu for cost in costs]
    return (name, spread(wall), spread(cpu), f"{peak:.0f} MiB"), statistics.median(wall)


def _gigabytes(table: str) -> str:
    size = sum(path.stat().st_size for path in (RUN / table).iterdir())
    return f"{size / 1e9:.2f} GB"
