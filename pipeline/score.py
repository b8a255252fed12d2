"""Scoring a file of samples: each is run against the tests of its problem in the sandbox.

What is under way lies in a folder beside the results, in batches; the same command goes on
where it was interrupted, unless the samples, the problems or the way of running them changed.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.errors import UserError
from pipeline.jobs import Jobs
from pipeline.progress import Goal, ProgressDisplay, describe
from pipeline.score_summary import ScoreSummary, Tried, summarize_score
from pipeline.score_workspace import opened_workspace
from runners.settings import EngineSettings
from schemas.verdicts import Verdict
from transforms.execute.intake import Intake, survey_samples
from transforms.execute.results import Result, result_without_run, writing_results
from transforms.execute.samples import Sample, iterate_samples
from transforms.parts import Workspace, read_part
from transforms.problemsets.problem_files import (
    ProblemFile,
    ProblemFileError,
    read_humaneval,
    read_problems,
)
from transforms.problemsets.problems import imported_modules
from transforms.problemsets.rows import RowFileError
from transforms.sandbox.limits import Limits, Tier
from transforms.sandbox.process import SandboxError
from transforms.sandbox.tiers import SAFE_TIERS, choose_tier
from transforms.stores.files import write_whole

if TYPE_CHECKING:
    from apache_beam import PTransform

BATCH_SAMPLES = 64
"""So many that what a batch costs besides does not show, few enough for all cores to have one."""

_PROBLEMS = "problems"
_SCHEMA = pa.schema([("task_id", pa.string()), ("completion", pa.string())])
_VERSION = "1"


@dataclass(frozen=True)
class Scoring:
    """What to score and how.

    ``problems`` is HumanEval if not given, ``tier`` the best that there is.
    """

    samples: Path
    results: Path
    problems: Path | None
    ks: tuple[int, ...]
    limits: Limits
    tier: Tier | None
    engine: EngineSettings
    with_bleu: bool = True


def score(scoring: Scoring, display: ProgressDisplay) -> ScoreSummary:
    """Runs all samples, writes their results, and sums them up.

    Raises:
      UserError: a file cannot be read, has no samples of these problems, or there is no sandbox.
    """
    try:
        file = read_problems(scoring.problems) if scoring.problems else read_humaneval()
        intake = survey_samples(iterate_samples(scoring.samples), file.problems)
    except (RowFileError, ProblemFileError) as error:
        raise UserError(str(error)) from error
    if not intake.samples:
        raise UserError(_without_samples(scoring, intake))
    tier = scoring.tier
    if scoring.engine.name == "direct":
        try:
            tier = choose_tier(SAFE_TIERS if tier is None else [tier])
        except SandboxError as error:
            raise UserError(str(error)) from error
    with opened_workspace(scoring.results, _identity(scoring)) as workspace:
        _execute(scoring, tier, file, intake, workspace, display)
        tried = _write_results(scoring, file, workspace)
        summary = summarize_score(tried, file, intake, scoring.ks, scoring.with_bleu)
        text = json.dumps(summary_json(summary, scoring), indent=1)
        write_whole(summary_path(scoring.results), text.encode() + b"\n")
    return summary


def summary_json(summary: ScoreSummary, scoring: Scoring) -> dict[str, Any]:
    """What is said of a scoring to programs."""
    limits = {"limits": asdict(scoring.limits)}
    return {"results": str(scoring.results), **summary.to_json(), **limits}


def summary_path(results: Path) -> Path:
    """Where the summary goes: ``S_summary.json`` beside ``S_results.jsonl``."""
    return results.with_name(f"{results.stem.removesuffix('_results')}_summary.json")


def _without_samples(scoring: Scoring, intake: Intake) -> str:
    of = f"of {scoring.problems}" if scoring.problems else "of HumanEval"
    found = [f"{intake.malformed} malformed" if intake.malformed.count else ""]
    found.append(f"{intake.unknown_tasks} of unknown tasks" if intake.unknown_tasks.count else "")
    said = f" ({', '.join(filter(None, found))})" if any(found) else ""
    return (
        f"{scoring.samples} has no sample {of} in its {intake.rows:,} rows{said}. A sample is a "
        'line {"task_id": ..., "completion": ...}; `repomill score --example FILE` makes some'
    )


def _identity(scoring: Scoring) -> str:
    """What verdicts depend on."""
    digests = [_digest(path) for path in (scoring.samples, scoring.problems) if path]
    limits = json.dumps(asdict(scoring.limits), sort_keys=True)
    return "\n".join([_VERSION, *digests, limits, str(scoring.tier)])


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    for each in files:
        with each.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _execute(
    scoring: Scoring,
    tier: Tier | None,
    file: ProblemFile,
    intake: Intake,
    workspace: Workspace,
    display: ProgressDisplay,
) -> None:
    batches = list(_write_batches(scoring, file, workspace))
    problems = _copy_problems(scoring.problems, workspace) if scoring.problems else ""

    def build() -> PTransform[Any, Any]:
        from transforms.execute.stage import ExecuteOptions, ExecuteSamples

        preload = imported_modules(file.problems.values())
        options = ExecuteOptions(scoring.limits, problems, tier, preload)
        return ExecuteSamples(workspace, batches, options)

    resumed = {"samples": _count_finished(workspace)}
    goal = Goal({"samples": intake.samples})
    with Jobs(scoring.engine, str(scoring.results)).opened() as jobs:
        jobs.prepare(display)
        began = time.monotonic()
        with display.stage("score", workspace, goal):
            jobs.run("score", build, workspace, display.follow)
        seconds = time.monotonic() - began
        display.say(describe("score", goal.counts, Goal({}), seconds, resumed))


def _count_finished(workspace: Workspace) -> int:
    receipts = workspace.receipts().values()
    return sum(sum(each.statistics.values()) for each in receipts)


def _copy_problems(problems: Path, workspace: Workspace) -> str:
    """Takes a file or table of problems along to where workers are; gives its name there."""
    place = Path(workspace.staging, _PROBLEMS)
    if problems.is_dir():
        shutil.copytree(problems, place, dirs_exist_ok=True)
    else:
        shutil.copyfile(problems, place)
    return _PROBLEMS


def _write_batches(scoring: Scoring, file: ProblemFile, workspace: Workspace) -> Iterator[str]:
    """Writes what is to be run; gives the names of the batches."""
    rows = iterate_samples(scoring.samples)
    wanted = (
        {"task_id": row.task_id, "completion": row.completion}
        for row in rows
        if isinstance(row, Sample) and row.task_id in file.problems
    )
    for number, batch in enumerate(_batched(wanted, BATCH_SAMPLES)):
        name = f"batch-{number:06}"
        yield name
        if not workspace.files.exists(f"samples/{name}.parquet"):
            with workspace.write_table("samples", f"{name}.parquet", _SCHEMA) as writer:
                writer.write(pa.RecordBatch.from_pylist(batch, schema=_SCHEMA))


def _batched(rows: Iterable[dict[str, str]], size: int) -> Iterator[list[dict[str, str]]]:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def _write_results(scoring: Scoring, file: ProblemFile, workspace: Workspace) -> Iterator[Tried]:
    """Writes the row and result of each sample in the order of the file; gives them as well."""
    verdicts = _read_verdicts(workspace)
    with writing_results(scoring.results) as write:
        for row in iterate_samples(scoring.samples):
            result = result_without_run(row, file.problems) or next(verdicts, None)
            if result is None:
                raise UserError(
                    f"{scoring.samples} has grown while it was scored: run the same command again"
                )
            write(row, result)
            yield Tried(row, result)


def _read_verdicts(workspace: Workspace) -> Iterator[Result]:
    for name in sorted(entry.name for entry in workspace.files.entries("verdicts")):
        for row in read_part(workspace.files.path(name)).to_pylist():
            yield Result(**{**row, "verdict": Verdict(row["verdict"])})
