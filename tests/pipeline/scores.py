"""Scoring small files of samples, for tests."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline.progress import ProgressDisplay
from pipeline.score import Scoring, score
from pipeline.score_summary import ScoreSummary
from runners.settings import EngineSettings
from tests.transforms.execute.builders import json_lines
from transforms.sandbox.limits import Limits, Tier
from transforms.sandbox.process import SandboxError
from transforms.sandbox.tiers import SAFE_TIERS, choose_tier

ADDED = ("verdict", "reason", "seconds", "memory_bytes", "tier")

CHECK = "def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(-1, 1) == 0\n"
RIGHT, WRONG, LOUD, ENDLESS = (
    "    return first + second\n",
    "    return first - second\n",
    "    raise KeyError(first)\n",
    "    while True: pass\n",
)
WITHOUT_TIMES = ("verdict", "reason", "tier")


def addition(name: str) -> dict[str, str]:
    """A problem in HumanEval's format."""
    return {
        "task_id": name,
        "prompt": 'def add(first, second):\n    """The sum."""\n',
        "entry_point": "add",
        "canonical_solution": RIGHT,
        "test": CHECK,
    }


def write_problems(folder: Path, count: int = 2) -> Path:
    """Writes so many problems: sum/0 and so on."""
    return json_lines(folder / "problems.jsonl", *(addition(f"sum/{n}") for n in range(count)))


def sample(completion: str, task: str = "sum/0", **fields: Any) -> dict[str, Any]:
    """A row of a file of samples."""
    return {"task_id": task, "completion": completion, **fields}


@cache
def offers(*tiers: Tier) -> str | None:
    """Why this machine has none of some tiers, if so."""
    try:
        choose_tier(tiers)
    except SandboxError as error:
        return str(error)
    return None


def need(*tiers: Tier) -> None:
    """Skips a test on a machine that offers none of some tiers."""
    if fault := offers(*(tiers or SAFE_TIERS)):
        pytest.skip(f"NO SANDBOX: {fault}")


def scoring(samples: Path, problems: Path | None, **changes: Any) -> Scoring:
    """How a file of samples is scored, with results beside it."""
    values: dict[str, Any] = {
        "results": samples.with_name("results.jsonl"),
        "ks": (1,),
        "limits": Limits(),
        "tier": None,
        "engine": EngineSettings(workers=2),
        "with_bleu": False,
    }
    return Scoring(samples=samples, problems=problems, **values | changes)


def score_quietly(wanted: Scoring) -> ScoreSummary:
    """Scores, and shows nothing of how far it is."""
    return score(wanted, ProgressDisplay(Console(file=io.StringIO())))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON Lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def judged(path: Path) -> list[tuple[Any, ...]]:
    """What the rows of a file of results say that is the same in every run."""
    return [tuple(row[name] for name in WITHOUT_TIMES) for row in read_rows(path)]


def start_score(*arguments: object) -> subprocess.Popen[str]:
    """`repomill score` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", "score", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def call_score(*arguments: object, status: int = 0) -> tuple[str, str]:
    """Output and errors of `repomill score`, which must end with a status."""
    process = start_score(*arguments)
    output, errors = process.communicate()
    assert process.returncode == status, errors
    return output, errors
