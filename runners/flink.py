"""Apache Flink 1.19: in this process's job server, or a cluster at HOST:PORT.

Needs Java 11 to 17, and Maven once for Beam's job server. Jobs of a cluster are submitted to
its REST address. A job that loses a task manager begins again, up to ``RETRIES`` times; what
has a receipt is not done again.
"""

from __future__ import annotations

from dataclasses import dataclass

from runners.cores import available_cores
from runners.jars import JobServerJar
from runners.members import ask, can_connect
from runners.portable import host_and_port
from runners.settings import EngineSettings

VERSION = "1.19"
RETRIES = 3
_RETRY_MILLISECONDS = 2000
_JAR = JobServerJar(f"beam-runners-flink-{VERSION}-job-server", "flink")


@dataclass(frozen=True)
class FlinkCluster:
    """A Flink cluster, or Flink in the job server where the settings name none."""

    settings: EngineSettings
    jar: JobServerJar = _JAR

    def problems(self) -> list[str]:
        """Why the cluster at the settings' address cannot take jobs."""
        url = self.settings.url
        host, port = host_and_port(url)
        if not port:
            return [f"--runner-url {url}: Flink's address is HOST:PORT, such as 127.0.0.1:8081"]
        if not can_connect(host, port):
            return [
                f"nobody listens at {host}:{port}: start the cluster, or name its REST address "
                "(rest.address and rest.port in its configuration) by --runner-url"
            ]
        overview = ask(f"{self._address}/overview")
        if not isinstance(overview, dict) or "flink-version" not in overview:
            return [f"what listens at {host}:{port} is no Flink job manager"]
        problems = []
        if not str(overview["flink-version"]).startswith(f"{VERSION}."):
            found = overview["flink-version"]
            problems.append(
                f"the cluster runs Flink {found}, Beam's job server speaks {VERSION}: use a "
                f"cluster of Flink {VERSION}, or name the jar of a job server for it as runner.jar"
            )
        if not overview.get("slots-total"):
            problems.append(f"the cluster at {host}:{port} has no task manager: start one")
        return problems

    def server_arguments(self) -> list[str]:
        """Where the job server sends jobs."""
        return ["--flink-master", self.settings.url.rpartition("://")[2] or "[local]"]

    def machine_options(self) -> list[str]:
        """Nothing that Java does not do by itself."""
        return []

    def variables(self) -> dict[str, str]:
        """None."""
        return {}

    def job_arguments(self) -> list[str]:
        """How much is done at a time, and what happens when a task manager is lost."""
        if not self.settings.url:
            # What fails here fails again.
            return [f"--parallelism={self.settings.workers or available_cores()}"]
        arguments = [
            f"--number_of_execution_retries={RETRIES}",
            f"--execution_retry_delay={_RETRY_MILLISECONDS}",
        ]
        if self.settings.workers:
            arguments.append(f"--parallelism={self.settings.workers}")
        return arguments

    def link(self, job: str) -> str:
        """The page of a job on the cluster's dashboard, once the cluster knows it."""
        if not self.settings.url:
            return ""
        found = ask(f"{self._address}/jobs/overview")
        for each in found.get("jobs", ()) if isinstance(found, dict) else ():
            if each.get("name") == job:
                return f"{self._address}/#/job/running/{each['jid']}/overview"
        return ""

    @property
    def _address(self) -> str:
        return f"http://{self.settings.url.rpartition('://')[2].rstrip('/')}"
