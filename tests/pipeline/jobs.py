"""The jobs of a finished run, built and not run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apache_beam as beam

from pipeline.folder import RunFolder
from pipeline.graphs import build_graph
from pipeline.reading import read_configuration
from schemas import tables
from schemas.manifest import Manifest
from transforms.parts import Workspace


class _Traced:
    """A run as if its tests had been traced: with as many parts as it has of documents."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)

    def manifest(self, table: str) -> Manifest | None:
        return self._run.manifest(tables.DOCUMENTS if table in _TRACED else table)


_TRACED = (tables.TREES, tables.FUNCTIONS)


def add_stage(
    pipeline: beam.Pipeline, run: RunFolder, stage: str, changes: Sequence[str] = ()
) -> beam.Pipeline:
    """Adds to a pipeline what a stage does over the committed tables of a run."""
    configuration = read_configuration(
        run.path / "config.yaml", output=str(run.path), changes=changes
    )
    workspace = Workspace(run=str(run.path), staging=str(run.staging(stage)))
    pipeline | stage.capitalize() >> build_graph(stage, configuration, _Traced(run), workspace)
    return pipeline
