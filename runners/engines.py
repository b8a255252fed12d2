"""The engines by name. Nothing outside of this package knows which one is in use."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from runners.names import EngineName
from runners.settings import EngineSettings, Tell

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions


class Started(Protocol):
    """An engine that takes jobs."""

    def options(self, job: str) -> PipelineOptions:
        """The options that run a pipeline as the job of this name."""
        ...

    def link(self, job: str) -> str:
        """Where the engine shows this job, empty where it does not or not yet."""
        ...


class Engine(Protocol):
    """What runs the pipelines of a run."""

    def problems(self) -> list[str]:
        """Why it cannot be used, each with its cure; nothing is started to find out."""
        ...

    def started(self, tell: Tell) -> AbstractContextManager[Started]:
        """The engine, ready for jobs as long as the context lasts; raises `RunnerError`."""
        ...


def engine_of(settings: EngineSettings) -> Engine:
    """The engine that the settings name."""
    return _ENGINES[settings.name](settings)


# Each is imported only where it is asked for.
def _direct(settings: EngineSettings) -> Engine:
    from runners.direct import DirectEngine

    return DirectEngine(settings)


def _flink(settings: EngineSettings) -> Engine:
    from runners.flink import FlinkCluster
    from runners.portable import PortableEngine

    return PortableEngine(FlinkCluster(settings))


def _spark(settings: EngineSettings) -> Engine:
    from runners.portable import PortableEngine
    from runners.spark import SparkCluster

    return PortableEngine(SparkCluster(settings))


def _dataflow(settings: EngineSettings) -> Engine:
    from runners.dataflow import DataflowEngine

    return DataflowEngine(settings)


_ENGINES: dict[EngineName, Callable[[EngineSettings], Engine]] = {
    EngineName.DIRECT: _direct,
    EngineName.FLINK: _flink,
    EngineName.SPARK: _spark,
    EngineName.DATAFLOW: _dataflow,
}
