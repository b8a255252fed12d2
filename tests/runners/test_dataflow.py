import importlib
import re
import sys
from types import ModuleType

import pytest
from apache_beam.options import pipeline_options as options_of_beam
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from hypothesis import given
from hypothesis import strategies as st

from runners import dataflow
from runners.dataflow import DataflowEngine, pipeline_options, problems, valid_job_name
from runners.names import EngineName
from runners.settings import DataflowSettings, EngineSettings


@pytest.fixture
def settings(tmp_path):
    wheel = tmp_path / "repomill-0.1.0-py3-none-any.whl"
    wheel.touch()
    return DataflowSettings(
        project="my-project",
        region="europe-west4",
        temp_location="gs://my-bucket/temp",
        image="example.org/images/repomill:0.1.0",
        wheel=str(wheel),
    )


class DefaultCredentialsError(Exception):
    pass


@pytest.fixture
def google_cloud(monkeypatch):
    """Google's libraries, as far as the preflight asks them; whose credentials are ``found``."""
    auth, exceptions = ModuleType("google.auth"), ModuleType("google.auth.exceptions")
    exceptions.DefaultCredentialsError = DefaultCredentialsError

    def default():
        if not auth.found:
            raise DefaultCredentialsError("None were found. More about that is elsewhere.")

    auth.found, auth.default = True, default
    monkeypatch.setattr(importlib.import_module("google"), "auth", auth, raising=False)
    monkeypatch.setitem(sys.modules, "google.auth", auth)
    monkeypatch.setitem(sys.modules, "google.auth.exceptions", exceptions)
    monkeypatch.setattr(dataflow, "has_google_cloud", lambda: True)
    return auth


def test_nothing_is_wrong_with_settings_that_name_all(settings, google_cloud):
    assert problems(settings) == []


def test_all_that_is_missing_is_said_at_once(monkeypatch):
    monkeypatch.setattr(dataflow, "has_google_cloud", lambda: False)
    found = problems(DataflowSettings())
    beginnings = ["no project is", "no region is", "no temp_location is", "no image is", "no wheel"]
    assert len(found) == len(beginnings) + 1
    assert all(map(str.startswith, found, beginnings))
    assert found[-1].endswith("run `pip install 'apache-beam[gcp]'`")


@pytest.mark.parametrize("name", ["temp_location", "staging_location"])
@pytest.mark.parametrize(
    "location", ["/tmp/here", "s3://my-bucket/temp", "gs://", "gs://No Bucket"]
)
def test_refuses_locations_that_are_in_no_bucket(settings, google_cloud, name, location):
    (problem,) = problems(settings.model_copy(update={name: location}))
    assert problem.startswith(f"{name} is {location!r}")
    assert problem.endswith("such as gs://my-bucket/temp")


def test_refuses_a_wheel_that_is_not_there_or_is_none(settings, google_cloud, tmp_path):
    (tmp_path / "repomill.zip").touch()
    for name in ("absent.whl", "repomill.zip"):
        (problem,) = problems(settings.model_copy(update={"wheel": str(tmp_path / name)}))
        assert re.match(r"'.*' is no wheel: run `python -m build --wheel`", problem)


def test_asks_for_credentials_unless_nothing_is_sent(settings, google_cloud):
    google_cloud.found = False
    (problem,) = problems(settings)
    assert problem.startswith("no credentials (None were found): run `gcloud auth")
    assert problems(settings, dry_run=True) == []


@pytest.mark.parametrize(
    ("settings_of", "name"), [(EngineSettings, "workers"), (DataflowSettings, "disk_gb")]
)
def test_refuses_negative_numbers(settings_of, name):
    with pytest.raises(ValueError, match=rf"{name} must be 0 .* got -1"):
        settings_of(**{name: -1})


def test_options_name_the_runner_the_image_and_one_wheel(settings):
    options = pipeline_options(settings, "my run: annotate")
    google = options.view_as(options_of_beam.GoogleCloudOptions)
    assert options.view_as(options_of_beam.StandardOptions).runner == "DataflowRunner"
    assert (google.project, google.region) == ("my-project", "europe-west4")
    assert google.temp_location == google.staging_location == "gs://my-bucket/temp"
    assert google.job_name == "my-run-annotate"
    assert options.view_as(options_of_beam.WorkerOptions).sdk_container_image == settings.image
    assert options.view_as(options_of_beam.SetupOptions).extra_packages == [settings.wheel]
    assert not options.view_as(options_of_beam.SetupOptions).save_main_session
    assert not options.view_as(options_of_beam.TestOptions).dry_run


def test_options_leave_to_dataflow_what_is_not_said(settings):
    worker = pipeline_options(settings, "job").view_as(options_of_beam.WorkerOptions)
    assert (worker.num_workers, worker.machine_type, worker.network) == (None, None, None)
    assert worker.use_public_ips is None


def test_options_pass_on_what_is_said(settings):
    said = DataflowSettings(
        **{
            **settings.model_dump(),
            "staging_location": "gs://other/staging",
            "service_account": "worker@my-project.iam.gserviceaccount.com",
            "subnetwork": "regions/europe-west4/subnetworks/private",
            "public_addresses": False,
            "machine_type": "n2-standard-8",
            "disk_gb": 100,
        }
    )
    options = pipeline_options(said, "job", workers=20, dry_run=True)
    google, worker = (
        options.view_as(options_of_beam.GoogleCloudOptions),
        options.view_as(options_of_beam.WorkerOptions),
    )
    assert google.staging_location == "gs://other/staging"
    assert google.service_account_email == said.service_account
    assert worker.subnetwork == said.subnetwork
    assert worker.use_public_ips is False
    assert (worker.machine_type, worker.disk_size_gb) == ("n2-standard-8", 100)
    assert worker.num_workers == worker.max_num_workers == 20
    assert options.view_as(options_of_beam.TestOptions).dry_run is True


@given(st.text(max_size=100) | st.sampled_from(["", "1", "a-", "my_run", "-", "\u00e9\u00e9"]))
def test_any_name_becomes_one_that_beam_accepts(name):
    job = valid_job_name(name)
    assert re.fullmatch(PipelineOptionsValidator.JOB_PATTERN, job)
    assert valid_job_name(job) == job


def test_a_run_in_a_folder_of_this_machine_is_refused(settings):
    engine = DataflowEngine(EngineSettings(EngineName.DATAFLOW, output="run", dataflow=settings))
    assert any("run is a folder of this machine" in problem for problem in engine.problems())
    far = EngineSettings(EngineName.DATAFLOW, output="gs://bucket/run", dataflow=settings)
    assert not any("folder of this machine" in text for text in DataflowEngine(far).problems())


def test_the_number_of_workers_is_that_of_the_run(settings):
    engine = DataflowEngine(EngineSettings(EngineName.DATAFLOW, workers=7, dataflow=settings))
    options = engine.options("repomill-crawl").view_as(options_of_beam.WorkerOptions)
    assert options.num_workers == 7
    assert "project=" in engine.link("repomill-crawl")
