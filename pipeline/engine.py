"""The engine of a configuration: which one does the work, and where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from runners.settings import DataflowSettings, EngineName, EngineSettings, WorkerSettings

if TYPE_CHECKING:
    from pipeline.configuration import Configuration


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Worker(_Settings):
    """Where a cluster gets its Python workers from: one of these, or this process."""

    command: str = ""
    """Beam's boot program, as it is called on every machine of the cluster."""
    environment: str = ""
    """Folder of the virtual environment on those machines that the boot program runs."""
    image: str = ""
    """Container image with the boot program and repomill."""
    pool: str = ""
    """HOST:PORT of a worker pool, as every machine of the cluster reaches its own."""

    @model_validator(mode="after")
    def _one_place(self) -> Worker:
        self.settings()
        return self

    def settings(self) -> WorkerSettings:
        """The same for runners."""
        return WorkerSettings(**self.model_dump())


class Dataflow(_Settings):
    """Where and on what machines Dataflow runs jobs; what is not given is left to it."""

    project: str = ""
    """Google Cloud project that pays."""
    region: str = ""
    """Region to run in, such as ``europe-west4``."""
    temp_location: str = ""
    """Folder of a bucket for temporary files, ``gs://BUCKET/FOLDER``."""
    staging_location: str = ""
    """Folder of a bucket for the wheel; that of temporary files if not given."""
    image: str = ""
    """Container image of the workers, made by ``runners/container/Dockerfile``."""
    wheel: str = ""
    """repomill's wheel on this machine."""
    service_account: str = ""
    """Mail address of the account that workers act as."""
    network: str = ""
    """Network of the workers."""
    subnetwork: str = ""
    """Subnetwork of the workers, as ``regions/REGION/subnetworks/NAME``."""
    public_addresses: bool = True
    """Whether workers have addresses of their own on the internet."""
    machine_type: str = ""
    """Kind of machine, such as ``n2-standard-8``."""
    disk_gb: Annotated[int, Field(ge=0)] = 0
    """Disk of each worker."""


class Runner(_Settings):
    """Which engine does the work. Results do not depend on it."""

    name: EngineName = EngineName.DIRECT
    """``direct``: this machine, with nothing else. ``flink``, ``spark``: on this machine too, or
    a cluster at ``url``. ``dataflow``: Google's service."""
    url: str = ""
    """Where the cluster is: ``HOST:PORT`` of Flink's REST address, ``spark://HOST:PORT``."""
    workers: Annotated[int, Field(ge=0, le=10_000)] = 0
    """How many things are done at a time; 0 for as many as there are cores."""
    worker: Worker = Worker()
    """Where a cluster gets its Python workers from."""
    dataflow: Dataflow = Dataflow()
    """Where and on what machines Dataflow runs jobs."""
    jar: str = ""
    """Beam's job server for Flink or Spark; fetched or built once if not given."""
    options: tuple[str, ...] = ()
    """Further options of Beam, such as ``--max_parallelism=128``."""

    @field_validator("options")
    @classmethod
    def _named(cls, options: tuple[str, ...]) -> tuple[str, ...]:
        for option in options:
            if not option.startswith("--"):
                raise ValueError(f"{option!r:.80} is no option: --NAME=VALUE")
        return options


def engine_settings(configuration: Configuration) -> EngineSettings:
    """The engine that a configuration names, for `runners`."""
    # What keeps downloads keeps job servers too, which are such.
    from pipeline.caches import download_cache

    runner = configuration.runner
    return EngineSettings(
        name=runner.name,
        workers=runner.workers,
        url=runner.url,
        worker=runner.worker.settings(),
        jar=runner.jar,
        cache=download_cache(configuration),
        output=configuration.output,
        dataflow=DataflowSettings(**runner.dataflow.model_dump()),
        options=runner.options,
    )
