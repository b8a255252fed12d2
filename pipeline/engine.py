"""The engine of a configuration: which one does the work, and where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from runners.names import EngineName
from runners.settings import DataflowSettings, EngineSettings, WorkerSettings

if TYPE_CHECKING:
    from pipeline.configuration import Configuration


class Runner(BaseModel):
    """Which engine does the work. Results do not depend on it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: EngineName = EngineName.DIRECT
    """``direct``: this machine, with nothing else. ``flink``, ``spark``: on this machine too, or
    a cluster at ``url``. ``dataflow``: Google's service."""
    url: str = ""
    """Where the cluster is: ``HOST:PORT`` of Flink's REST address, ``spark://HOST:PORT``."""
    workers: Annotated[int, Field(ge=0, le=10_000)] = 0
    """How many things are done at a time; 0 for as many as there are cores."""
    worker: WorkerSettings = WorkerSettings()
    """Where a cluster gets its Python workers from."""
    dataflow: DataflowSettings = DataflowSettings()
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
        worker=runner.worker,
        jar=runner.jar,
        cache=download_cache(configuration),
        output=configuration.output,
        dataflow=runner.dataflow,
        options=runner.options,
    )
