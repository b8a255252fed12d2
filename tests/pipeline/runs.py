"""Running configurations inside tests."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from pipeline.execution import Execution, execute
from pipeline.folder import RunFolder
from pipeline.progress import ProgressDisplay
from pipeline.reading import read_configuration
from pipeline.stages import CORPUS_STAGES, stages_for
from pipeline.verification import committed_tables

CORPUS_TABLES = [table for stage in CORPUS_STAGES for table in stage.outputs]
"""The tables of a run that traces nothing."""


def run_configuration(
    path: Path,
    *changes: str,
    output: str | None = None,
    workers: int = 2,
    stages: tuple[str, ...] = (),
) -> RunFolder:
    """Runs a configuration in this process and gives the run's folder."""
    changes = (*changes, f"runner.workers={workers}")
    configuration = read_configuration(path, output=output, changes=changes)
    folder = RunFolder(Path(configuration.output))
    execution = Execution(configuration, folder, list(stages_for(configuration, stages)))
    execute(execution, ProgressDisplay(Console(quiet=True)))
    return folder


def run_again(run: RunFolder, *changes: str, stages: tuple[str, ...] = ()) -> RunFolder:
    """Runs a run's own configuration with changes, in its folder wherever that was copied."""
    path = run.path / "config.yaml"
    return run_configuration(path, *changes, output=str(run.path), stages=stages)


def digests(run: RunFolder) -> dict[str, str]:
    """The digest of each table of a run."""
    return {manifest.table: manifest.digest for manifest in committed_tables(run)}


def executed(run: RunFolder) -> list[str]:
    """The stages that have run, in order, from the run's history."""
    lines = (run.path / "history.jsonl").read_text().splitlines()
    return [json.loads(line)["stage"] for line in lines]
