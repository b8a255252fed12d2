"""What a user says of the engine that does the work, and what is wrong where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from runners.names import EngineName

Tell = Callable[[str], None]
"""Takes a line that says what is waited for; an empty one ends it."""


class RunnerError(Exception):
    """An engine cannot be used, or a job of it failed; the message says what to do."""


class _Settings(BaseModel):
    """Settings that are a part of a run's configuration as they are."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class WorkerSettings(_Settings):
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
    def _one_place(self) -> Self:
        named = [name for name in ("command", "image", "pool") if getattr(self, name)]
        if len(named) > 1:
            raise ValueError(f"workers come from one place, not from {' and '.join(named)}")
        if self.environment and not self.command:
            raise ValueError("environment is that of a command: name the command too")
        return self

    @property
    def are_here(self) -> bool:
        """Whether they are threads of this process."""
        return not (self.command or self.image or self.pool)


class DataflowSettings(_Settings):
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
    disk_gb: int = 0
    """Disk of each worker; 0 for what Dataflow decides."""

    @field_validator("disk_gb")
    @classmethod
    def _not_negative(cls, size: int) -> int:
        if size < 0:
            raise ValueError(f"disk_gb must be 0 (Dataflow decides) or more, got {size}")
        return size


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
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    jar: str = ""
    cache: Path = Path()
    output: str = ""
    dataflow: DataflowSettings = field(default_factory=DataflowSettings)
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ValueError(f"workers must be 0 or more, got {self.workers}")
