"""The jobs of a finished run, built and not run."""

from __future__ import annotations

from collections.abc import Sequence

import apache_beam as beam

from pipeline.folder import RunFolder
from pipeline.graphs import build_graph
from pipeline.reading import read_configuration
from transforms.parts import Workspace


def add_stage(
    pipeline: beam.Pipeline, run: RunFolder, stage: str, changes: Sequence[str] = ()
) -> beam.Pipeline:
    """Adds to a pipeline what a stage does over the committed tables of a run."""
    configuration = read_configuration(
        run.path / "config.yaml", output=str(run.path), changes=changes
    )
    workspace = Workspace(run=str(run.path), staging=str(run.staging(stage)))
    pipeline | stage.capitalize() >> build_graph(stage, configuration, run, workspace)
    return pipeline
