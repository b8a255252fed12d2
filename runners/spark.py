"""Apache Spark 3.5: in this process's job server, or a cluster at spark://HOST:PORT.

Needs Java 11 to 17, and Maven once for Beam's job server, which is the driver of the job: a
cluster's executors connect to it. A task whose executor is lost is tried again elsewhere; what
has a receipt is not done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from runners.cores import available_cores
from runners.jars import JobServerJar
from runners.members import HOST, can_connect, free_port
from runners.portable import host_and_port, is_here
from runners.settings import EngineSettings

_JAR = JobServerJar("beam-runners-spark-3-job-server", "spark")
_OPENED: Sequence[str] = (
    *("java.lang", "java.lang.invoke", "java.net", "java.nio"),
    *("java.util", "java.util.concurrent", "sun.nio.ch", "sun.security.action"),
)
"""What Spark takes from Java 17 by reflection; its own scripts open the same."""


@dataclass(frozen=True)
class SparkCluster:
    """A Spark cluster, or Spark in the job server where the settings name none.

    ``page`` is the port at which the driver shows what it does.
    """

    settings: EngineSettings
    page: int = field(default_factory=free_port)
    jar: JobServerJar = _JAR

    def problems(self) -> list[str]:
        """Why the cluster at the settings' address cannot take jobs."""
        url = self.settings.url
        host, port = host_and_port(url)
        if not url.startswith("spark://") or not port:
            return [
                f"--runner-url {url}: Spark's address is spark://HOST:PORT, such as the master says"
            ]
        if not can_connect(host, port):
            return [
                f"nobody listens at {host}:{port}: start the cluster, or name the address that "
                "its master shows by --runner-url"
            ]
        return []

    def server_arguments(self) -> list[str]:
        """Where the job server runs jobs."""
        workers = self.settings.workers or available_cores()
        # The second number is how often a task is tried.
        return [f"--spark-master-url={self.settings.url or f'local[{workers},4]'}"]

    def machine_options(self) -> list[str]:
        """What Spark asks of Java, where it shows its page, and where it may be reached from."""
        opened = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _OPENED]
        settings = {"spark.ui.port": str(self.page), "spark.ui.showConsoleProgress": "false"}
        if is_here(self.settings.url):
            settings |= {"spark.driver.host": HOST, "spark.driver.bindAddress": HOST}
        if self.settings.url and self.settings.workers:
            settings["spark.cores.max"] = str(self.settings.workers)
        return [*opened, *(f"-D{name}={value}" for name, value in settings.items())]

    def variables(self) -> dict[str, str]:
        """Where Spark listens, if nobody else needs to reach it."""
        return {} if self.settings.url else {"SPARK_LOCAL_IP": HOST}

    def job_arguments(self) -> list[str]:
        """Nothing: what is done at a time is the cluster's number of cores."""
        return []

    def link(self, job: str) -> str:
        """The driver's page, where the job is shown as long as it runs."""
        return f"http://{HOST}:{self.page}/jobs/" if can_connect(HOST, self.page) else ""
