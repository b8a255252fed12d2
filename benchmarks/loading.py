"""Loading shards in shuffled batches against other loaders, each in a process of its own."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.environments import interpreter
from benchmarks.harness import ROOT, Report, interleave, measure, spread
from benchmarks.peers.loading_batches import LEAST_SECONDS, SEQUENCES
from benchmarks.token_shards import CONTEXT, write_manifest, write_run
from pipeline.train import Batches
from schemas.shards import Split, file_name

RUN = ROOT / "benchmarks" / "runs" / "loading"
ROWS = 49_152
ROUNDS = 3
TIMES_LITDATA = 2
TIMES_MOSAICML = 10
SHARDS = 1_000
OPENING_GOAL = 0.05
_ROWS_OF_SMALL = 16

OURS = "repomill: Batches"
LITDATA = "LitData: its token loader, stacked"
MOSAICML = "MosaicML Streaming: local MDS, torch's loader"

# One core for everybody, nothing asked from servers, nothing left elsewhere.
_ENVIRONMENT = {
    "DATA_OPTIMIZER_CACHE_FOLDER": str(RUN / "cache"),
    "DATA_OPTIMIZER_DATA_CACHE_FOLDER": str(RUN / "cache"),
    "HF_HOME": str(RUN / "cache"),
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
}

Told = Mapping[str, Sequence[Mapping[str, Any]]]


def report() -> Report:
    """Makes the data, lets everybody read it in turn, and opens many shards."""
    found = Report("Loading shards")
    commands = _commands()
    told: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
    try:
        write_run(RUN, ROWS, pa.uint16())
        for _ in range(ROUNDS):
            for name, command in commands.items():
                out = measure([*command, RUN], _ENVIRONMENT)[1]
                told[name].append(json.loads(out.splitlines()[-1]))
        _say_rates(found, told)
        _say_opening(found)
    finally:
        shutil.rmtree(RUN, ignore_errors=True)
    return found


def _commands() -> dict[str, list[str | Path]]:
    peers = ROOT / "benchmarks" / "peers"
    job: list[str | Path] = [sys.executable, "-m", "benchmarks.loading_job"]
    loaders, mosaicml = interpreter("loaders"), interpreter("mosaicml")
    litdata, datasets = peers / "litdata_loading.py", peers / "datasets_loading.py"
    return {
        OURS: [*job, "batches"],
        "repomill: Batches, and where documents begin": [*job, "batches_and_starts"],
        "NumPy: rows of one memory map, stacked": [*job, "memmap"],
        LITDATA: [loaders, litdata, "by_items"],
        "LitData: its token loader, its data loader": [loaders, litdata, "by_loader"],
        "datasets: torch format, rows of a batch at once": [loaders, datasets, "by_rows"],
        "datasets: torch format, torch's loader": [loaders, datasets, "by_loader"],
        MOSAICML: [mosaicml, peers / "mosaicml_loading.py"],
    }


def _say_rates(found: Report, told: Told) -> None:
    rates = {
        name: [facts["tokens"] / facts["cpu"] / 1e6 for facts in rounds]
        for name, rounds in told.items()
    }
    ours = statistics.median(rates[OURS])
    same = len({facts["sum"] for rounds in told.values() for facts in rounds}) == 1
    found.say(
        f"{ROWS * CONTEXT / 1e6:.1f} M tokens of 16 bits, shuffled, in batches of {SEQUENCES} x "
        f"{CONTEXT}, from files in the page cache. Million tokens a CPU second (user and system, "
        "children included) of whole epochs after one in which the ids were added up; at least "
        f"{LEAST_SECONDS:g} s a round, {ROUNDS} rounds in turn, each in a new process; medians "
        "(least-greatest). Start-up and the writing of files are not included."
    )
    found.table(
        ("loader", "ids", "M tokens a CPU s", "CPU us a batch", "repomill is faster by"),
        [
            (
                name,
                told[name][0]["ids"],
                spread(values, 1),
                f"{SEQUENCES * CONTEXT / statistics.median(values):.0f}",
                f"{ours / statistics.median(values):.1f}",
            )
            for name, values in rates.items()
        ],
    )
    found.say(f"The sums of all ids are {'equal' if same else 'DIFFERENT'}.")
    litdata, mosaicml = (ours / statistics.median(rates[name]) for name in (LITDATA, MOSAICML))
    reached = litdata >= TIMES_LITDATA and mosaicml >= TIMES_MOSAICML and same
    found.say(
        f"At least {TIMES_LITDATA}x as fast as LitData and {TIMES_MOSAICML}x as fast as MosaicML "
        f"Streaming: {'reached' if reached else 'MISSED'}; {litdata:.1f}x and {mosaicml:.1f}x."
    )
    versions = {f"{name.partition(':')[0]} {told[name][0]['version']}": None for name in told}
    found.say(
        f"Versions: {', '.join(versions)}. Everybody gives an array or tensor that is the caller's "
        "own; repomill also says how much of each sequence is padding. No worker processes."
    )


def _say_opening(found: Report) -> None:
    folder = RUN / "many" / "shards"
    write_run(folder.parent, _ROWS_OF_SMALL, pa.uint16())
    names = [file_name(Split.TRAIN, number, SHARDS) for number in range(SHARDS)]
    for name in names:
        (folder / name).hardlink_to(folder / file_name(Split.TRAIN, 0, 1))
    write_manifest(folder, dict.fromkeys(names, _ROWS_OF_SMALL))
    one_of_each = np.arange(SHARDS) * _ROWS_OF_SMALL
    seconds = interleave(
        {
            "open, and the first batch": lambda: Batches(folder, "train", SEQUENCES, seed=1)[0],
            "open, and a row of each": lambda: Batches(folder, "train", 1, seed=1).read(
                one_of_each
            ),
        },
        ROUNDS,
    )
    found.say(
        f"A folder of {SHARDS:,} shards: CPU ms in {ROUNDS} rounds after a warm-up, medians "
        "(least-greatest)."
    )
    rows = [(name, spread([1e3 * value for value in v], 1)) for name, v in seconds.items()]
    found.table(("what", "CPU ms"), rows)
    opening = statistics.median(seconds["open, and the first batch"])
    verdict = "reached" if opening < OPENING_GOAL else "MISSED"
    found.say(f"The goal of {1e3 * OPENING_GOAL:g} ms to open them is {verdict}.")
