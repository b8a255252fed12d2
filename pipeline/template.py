"""What the launcher of a Dataflow Flex Template runs: it hands over the job of one stage.

A launcher waits for no job (docs.cloud.google.com, "Use Flex Templates to package a Dataflow
pipeline"), so that nobody is there to commit. Workers leave receipts; the next ``repomill run``
finds every unit done and commits the stage.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineResult

from pipeline.configuration import Configuration
from pipeline.errors import UsageError
from pipeline.graphs import build_graph
from pipeline.places import run_at
from pipeline.preflight import use_endpoint
from pipeline.reading import read_configuration
from pipeline.stages import STAGES
from pipeline.state import State, stage_state
from pipeline.worker_files import open_workspace


def launch(
    configuration: Configuration, stage_name: str, options: PipelineOptions
) -> PipelineResult | None:
    """Starts the job of a stage; None where the stage is up to date.

    Raises:
      UsageError: no stage has the name, or what it reads is not committed.
    """
    stages = {stage.name: stage for stage in STAGES}
    if stage_name not in stages:
        raise UsageError(f"no stage {stage_name!r}; there are {', '.join(stages)}")
    use_endpoint(configuration)
    stage, run = stages[stage_name], run_at(configuration.output)
    run.create()
    with run.locked():
        state = stage_state(run, configuration, stage)
        if state.inputs is None:
            raise UsageError(f"{stage_name} {state.why}: do and commit the stages before it first")
        if state.state is State.DONE:
            return None
        fingerprint = stage.fingerprint(state.settings, state.inputs)
        workspace = open_workspace(run, configuration, stage_name, fingerprint)
        pipeline = beam.Pipeline(options=options)
        graph = build_graph(stage_name, configuration, run, workspace)
        pipeline | stage_name.capitalize() >> graph
        return pipeline.run()


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads what the template and its launcher say; what is not ours are options of Beam."""
    parser = argparse.ArgumentParser(prog="template")
    parser.add_argument("--config", required=True)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--output")
    ours, others = parser.parse_known_args(arguments)
    configuration = read_configuration(ours.config, output=ours.output)
    launch(configuration, ours.stage, PipelineOptions(others, save_main_session=False))
