"""What Flink and Spark have in common: jobs go to a job server of Beam on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from runners.jars import JobServerJar
from runners.java import java_problem
from runners.jobserver import JobServer
from runners.settings import EngineSettings, Tell
from runners.workers import check_workers, environment_arguments, local_problems

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Cluster(Protocol):
    """What differs between the engines behind a job server."""

    @property
    def settings(self) -> EngineSettings:
        """What the user says of it."""
        ...

    @property
    def jar(self) -> JobServerJar:
        """The job server that speaks to it."""
        ...

    def problems(self) -> list[str]:
        """What is wrong with the cluster itself."""
        ...

    def server_arguments(self) -> list[str]:
        """What the job server is told of the cluster."""
        ...

    def machine_options(self) -> list[str]:
        """Options of the job server's virtual machine."""
        ...

    def variables(self) -> dict[str, str]:
        """Environment variables of the job server."""
        ...

    def job_arguments(self) -> list[str]:
        """Options of every job, besides those of all portable engines."""
        ...

    def link(self, job: str) -> str:
        """Where the cluster shows a job."""
        ...


@dataclass(frozen=True)
class PortableEngine:
    """An engine that takes jobs by Beam's job server, embedded in it or a cluster of its own."""

    cluster: Cluster

    def problems(self) -> list[str]:
        """What would keep jobs from running, each with its cure."""
        settings = self.cluster.settings
        found = [java_problem(), self._jar_problem()]
        problems = [problem for problem in found if problem]
        if settings.url:
            problems += self.cluster.problems()
        if settings.url and settings.worker.are_here and not is_here(settings.url):
            problems.append(
                f"workers in this process cannot be reached from {settings.url}: name where they "
                "come from there, by runner.worker.command, image or pool"
            )
        if is_here(settings.url):
            problems += local_problems(settings.worker)
        return problems

    def _jar_problem(self) -> str | None:
        settings = self.cluster.settings
        if settings.jar:
            exists = os.access(settings.jar, os.R_OK)
            return None if exists else f"runner.jar: {settings.jar} is no file that can be read"
        return self.cluster.jar.problem(settings.cache)

    @contextmanager
    def started(self, tell: Tell) -> Iterator[PortableJobs]:
        """The job server, and workers that are of this version; raises `RunnerError`."""
        settings = self.cluster.settings
        jar = Path(settings.jar) if settings.jar else self.cluster.jar.provide(settings.cache, tell)
        server = JobServer(
            jar=jar.absolute(),
            machine=self.cluster.machine_options(),
            arguments=self.cluster.server_arguments(),
            variables=self.cluster.variables(),
        )
        tell("the job server starts")
        with server.running() as endpoint:
            jobs = PortableJobs(endpoint, settings, self.cluster.job_arguments(), self.cluster.link)
            if not settings.worker.are_here:
                tell("the cluster's workers are asked for their version")
                check_workers(jobs.options("repomill-check"))
            tell("")
            yield jobs


@dataclass(frozen=True)
class PortableJobs:
    """A job server that runs."""

    endpoint: str
    settings: EngineSettings
    arguments: Sequence[str]
    find_link: Callable[[str], str]

    def options(self, job: str) -> PipelineOptions:
        """The options that send a pipeline to the job server."""
        from apache_beam.options.pipeline_options import PipelineOptions

        return PipelineOptions(
            [
                "--runner=PortableRunner",
                f"--job_endpoint={self.endpoint}",
                f"--job_name={job}",
                *environment_arguments(self.settings.worker),
                *self.arguments,
                *self.settings.options,
            ],
            save_main_session=False,
        )

    def link(self, job: str) -> str:
        """Where the cluster shows this job."""
        return self.find_link(job)


def is_here(url: str) -> bool:
    """Whether an address is this machine's own; so is that of a cluster that is started here."""
    return not url or host_and_port(url)[0] in LOOPBACK


def host_and_port(url: str) -> tuple[str, int]:
    """The parts of ``[SCHEME://]HOST:PORT``; port 0 where there is none."""
    host, _, port = url.rpartition("://")[2].rstrip("/").rpartition(":")
    return (host.strip("[]"), int(port)) if port.isdigit() else (port, 0)
