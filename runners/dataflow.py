"""Google Cloud Dataflow: Beam's DataflowRunner, which hands the job to the service.

Needs ``apache-beam[gcp]`` here, credentials, a bucket, and a container image for the workers
that `runners/container/Dockerfile` describes. The wheel is the only file of ours that a job
stages, so that workers run the code that built the job. With ``dry_run`` the job is built and
checked here and nothing is sent.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runners.settings import DataflowSettings, EngineSettings, Tell

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

_LOCATION = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/.*)?")


def pipeline_options(
    settings: DataflowSettings, job_name: str, workers: int = 0, *, dry_run: bool = False
) -> PipelineOptions:
    """The options that run a pipeline as a job with a name like this one.

    ``workers`` is the number of machines from beginning to end, 0 for what Dataflow decides.
    With ``dry_run`` the job is built and not sent.
    """
    from apache_beam.options.pipeline_options import PipelineOptions

    chosen = {
        "service_account_email": settings.service_account,
        "network": settings.network,
        "subnetwork": settings.subnetwork,
        "machine_type": settings.machine_type,
        "num_workers": workers,
        # Stages are short: a job that grew to its size would be done before.
        "max_num_workers": workers,
        "disk_size_gb": settings.disk_gb,
        # A flag that is there counts as set, whatever its value.
        "dry_run": dry_run,
    }
    return PipelineOptions(
        [] if settings.public_addresses else ["--no_use_public_ips"],
        runner="DataflowRunner",
        project=settings.project,
        region=settings.region,
        temp_location=settings.temp_location,
        staging_location=settings.staging_location or settings.temp_location,
        job_name=valid_job_name(job_name),
        sdk_container_image=settings.image,
        sdk_location="container",
        extra_packages=[settings.wheel],
        save_main_session=False,
        # Dataflow starts a process for each core. A unit of work keeps one busy, and so many
        # are in memory at a time as there are threads.
        number_of_worker_harness_threads=1,
        **{name: value for name, value in chosen.items() if value},
    )


def valid_job_name(name: str) -> str:
    """The name of a job in the letters that Dataflow allows: a-z, 0-9 and hyphens."""
    # As Beam checks it (pipeline_options_validator.JOB_PATTERN): a letter is first.
    letters = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return letters if letters[:1].isalpha() else f"job-{letters}".rstrip("-")


def problems(settings: DataflowSettings, *, dry_run: bool = False) -> list[str]:
    """Why no job can be sent, or built where ``dry_run`` is set: all reasons, each with a cure."""
    found = [*_missing_names(settings), *_wrong_locations(settings), *_missing_files(settings)]
    if not has_google_cloud():
        found.append("apache-beam[gcp] is not installed: run `pip install 'apache-beam[gcp]'`")
    elif not dry_run and (problem := credentials_problem()):
        found.append(problem)
    return found


def _missing_names(settings: DataflowSettings) -> list[str]:
    wanted = {
        "project": "the id of the Google Cloud project that pays for the job",
        "region": "the region to run in, such as europe-west4",
        "temp_location": "a folder of a bucket in that region, such as gs://my-bucket/temp",
    }
    return [
        f"no {name} is named: give {what}"
        for name, what in wanted.items()
        if not getattr(settings, name)
    ]


def _wrong_locations(settings: DataflowSettings) -> list[str]:
    locations = {name: getattr(settings, name) for name in ("temp_location", "staging_location")}
    return [
        f"{name} is {location!r}, which no worker can reach: give a folder of a bucket, "
        "such as gs://my-bucket/temp"
        for name, location in locations.items()
        if location and not _LOCATION.fullmatch(location)
    ]


def _missing_files(settings: DataflowSettings) -> list[str]:
    found = []
    if not settings.image:
        found.append(
            "no image is named, and Dataflow's own has neither git nor the packages that stages "
            "import: build runners/container/Dockerfile, push it and name it (docs/dataflow.md)"
        )
    if not (settings.wheel.endswith(".whl") and Path(settings.wheel).is_file()):
        given = f"{settings.wheel!r} is no wheel" if settings.wheel else "no wheel is named"
        found.append(f"{given}: run `python -m build --wheel` and give the file in dist/")
    return found


def has_google_cloud() -> bool:
    """Whether what Beam needs to speak with Dataflow is installed."""
    try:
        return importlib.util.find_spec("google.cloud.dataflow") is not None
    except ModuleNotFoundError:
        return False


def credentials_problem() -> str | None:
    """Why nothing can be sent in anyone's name, with the cure."""
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        google.auth.default()
    except DefaultCredentialsError as error:
        return (
            f"no credentials ({str(error).partition('. ')[0]}): run `gcloud auth "
            "application-default login`, or name a key file by GOOGLE_APPLICATION_CREDENTIALS"
        )
    return None


@dataclass(frozen=True)
class DataflowEngine:
    """Dataflow as the engine of a run."""

    settings: EngineSettings

    def problems(self) -> list[str]:
        """Why no job can be sent."""
        found = problems(self.settings.dataflow)
        if "://" not in self.settings.output:
            found.append(
                f"{self.settings.output} is a folder of this machine, which Dataflow's workers do "
                "not have: name one of an object store by --output"
            )
        return found

    @contextmanager
    def started(self, tell: Tell) -> Iterator[DataflowEngine]:
        """Itself: the service is always there."""
        yield self

    def options(self, job: str) -> PipelineOptions:
        """The options that send a pipeline to the service."""
        return pipeline_options(self.settings.dataflow, job, self.settings.workers)

    def link(self, job: str) -> str:
        """The service's list of jobs, newest first."""
        place = self.settings.dataflow
        return (
            f"https://console.cloud.google.com/dataflow/jobs?project={place.project}"
            f"&region={place.region}"
        )
