"""The engine of a configuration: which one does the work, and where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from runners.settings import EngineName, EngineSettings, WorkerSettings

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
        options=runner.options,
    )
