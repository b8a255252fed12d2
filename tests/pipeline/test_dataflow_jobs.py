"""The job of every stage as Dataflow would get it; nothing is sent."""

import warnings

import apache_beam as beam
import pytest
from apache_beam.portability.api import beam_runner_api_pb2

from pipeline.stages import STAGES
from runners.dataflow import has_google_cloud, pipeline_options
from runners.settings import DataflowSettings
from tests.pipeline.jobs import add_stage

pytestmark = pytest.mark.skipif(
    not has_google_cloud(), reason="apache-beam[gcp] is not installed: `make test-dataflow` has it"
)

IMAGE = "example.org/images/repomill:0.1.0"
WHEEL = "repomill-0.1.0-py3-none-any.whl"
# Which packages are at the worker, and a list of what was here, which the worker logs.
LISTS = {"extra_packages.txt", "submission_environment_dependencies.txt"}


@pytest.fixture
def dry_run(finished, tmp_path):
    (tmp_path / WHEEL).touch()
    settings = DataflowSettings(
        project="my-project",
        region="europe-west4",
        temp_location="gs://my-bucket/temp",
        image=IMAGE,
        wheel=str(tmp_path / WHEEL),
    )

    def build(stage):
        options = pipeline_options(settings, f"repomill-{stage}", dry_run=True)
        pipeline = beam.Pipeline(options=options)
        add_stage(pipeline, finished, stage)
        with warnings.catch_warnings():
            # Of Google's libraries, when they are imported.
            warnings.simplefilter("ignore")
            return pipeline.run().job

    return build


@pytest.mark.parametrize("stage", [stage.name for stage in STAGES])
def test_the_job_runs_in_the_image_and_stages_the_wheel(dry_run, stage):
    job = dry_run(stage)
    assert job.proto.name == f"repomill-{stage}"
    (environment,) = job.proto_pipeline.components.environments.values()
    docker = beam_runner_api_pb2.DockerPayload.FromString(environment.payload)
    assert docker.container_image == IMAGE
    staged = {
        beam_runner_api_pb2.ArtifactStagingToRolePayload.FromString(each.role_payload).staged_name
        for each in environment.dependencies
    }
    assert staged - LISTS == {WHEEL}


@pytest.mark.parametrize("stage", [stage.name for stage in STAGES])
def test_the_job_has_the_steps_of_the_stage(dry_run, stage):
    names = {t.unique_name for t in dry_run(stage).proto_pipeline.components.transforms.values()}
    assert stage.capitalize() in names
    assert len(dry_run(stage).proto_pipeline.SerializeToString()) < 100_000
