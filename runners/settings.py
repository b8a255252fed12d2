"""What a user says of the engine that does the work, and what is wrong where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

Tell = Callable[[str], None]
"""Takes a line that says what is waited for; an empty one ends it."""


class EngineName(StrEnum):
    """The engines that a run can name."""

    DIRECT = "direct"
    FLINK = "flink"
    SPARK = "spark"
    DATAFLOW = "dataflow"


class RunnerError(Exception):
    """An engine cannot be used, or a job of it failed; the message says what to do."""


@dataclass(frozen=True)
class WorkerSettings:
    """Where a cluster gets its Python workers from; in this process where nothing is named.

    One of these: ``command``, Beam's boot program as it is called on every machine of the
    cluster, with ``environment``, the folder of the virtual environment there; ``image``, a
    container image; ``pool``, HOST:PORT of a worker pool on every machine.
    """

    command: str = ""
    environment: str = ""
    image: str = ""
    pool: str = ""

    def __post_init__(self) -> None:
        named = [name for name in ("command", "image", "pool") if getattr(self, name)]
        if len(named) > 1:
            raise ValueError(f"workers come from one place, not from {' and '.join(named)}")
        if self.environment and not self.command:
            raise ValueError("environment is that of a command: name the command too")

    @property
    def are_here(self) -> bool:
        """Whether they are threads of this process."""
        return not (self.command or self.image or self.pool)


@dataclass(frozen=True)
class DataflowSettings:
    """Where and on what machines jobs run; what is empty or 0 is left to Dataflow.

    ``temp_location`` and ``staging_location`` are folders of buckets (``gs://``); the latter is
    the former where it is empty. ``image`` is the container image of the workers, ``wheel`` the
    path of our wheel. ``workers`` is the number of machines from beginning to end, ``disk_gb``
    the size of each one's disk.
    """

    project: str = ""
    region: str = ""
    temp_location: str = ""
    staging_location: str = ""
    image: str = ""
    wheel: str = ""
    service_account: str = ""
    network: str = ""
    subnetwork: str = ""
    public_addresses: bool = True
    machine_type: str = ""
    workers: int = 0
    disk_gb: int = 0
    dry_run: bool = False

    def __post_init__(self) -> None:
        for name in ("workers", "disk_gb"):
            if (value := getattr(self, name)) < 0:
                raise ValueError(f"{name} must be 0 (Dataflow decides) or more, got {value}")


@dataclass(frozen=True)
class EngineSettings:
    """An engine and where it is.

    ``workers`` is how many things are done at a time, 0 for as many as the machine or the
    cluster has room for. ``url`` is where the cluster is, empty for one that is started here.
    ``jar`` is Beam's job server where it is not to be fetched or built, ``cache`` the folder
    in which one that was is kept. ``output`` is the folder of the run. ``options`` are further
    ones of Beam, as ``--name=value``.
    """

    name: EngineName = EngineName.DIRECT
    workers: int = 0
    url: str = ""
    worker: WorkerSettings = WorkerSettings()
    jar: str = ""
    cache: Path = Path()
    output: str = ""
    dataflow: DataflowSettings = DataflowSettings()
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ValueError(f"workers must be 0 or more, got {self.workers}")
