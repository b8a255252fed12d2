"""A Spark cluster on loopback: a master and some workers, each a process with one core."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runners.clusters.distributions import SPARK, provide_distribution
from runners.java import java_command
from runners.members import HOST, Members, ask, free_port, wait_for_members
from runners.settings import Tell

_MASTER = "org.apache.spark.deploy.master.Master"
_WORKER = "org.apache.spark.deploy.worker.Worker"
_WORKER_MEMORY = "1g"


@dataclass(frozen=True)
class LocalSpark:
    """A Spark cluster that runs. ``url`` is what jobs are sent to, ``page`` its master's page."""

    members: Members
    home: Path
    url: str
    page: int

    def start_master(self) -> None:
        """Starts the one that takes jobs."""
        port = self.url.rpartition(":")[2]
        places = ["--host", HOST, "--port", port, "--webui-port", str(self.page)]
        self._start("master", _MASTER, places)
        self.members.wait_for_port("master", self.page)

    def start_worker(self, number: int) -> None:
        """Starts one more."""
        folder = self.members.folder / f"worker-{number}"
        places = ["--host", HOST, "--webui-port", str(free_port()), "--work-dir", str(folder)]
        self._start(
            f"worker-{number}",
            _WORKER,
            ["--cores", "1", "--memory", _WORKER_MEMORY, *places, self.url],
        )

    def kill_worker(self, number: int) -> None:
        """Ends one as a power cut would, its executors with it."""
        self.members.kill(f"worker-{number}")

    def wait_for(self, workers: int) -> None:
        """Waits until the cluster has so many workers; raises `RunnerError`."""
        wait_for_members(self.workers, workers, "workers")

    def workers(self) -> int:
        """How many workers there are; none while there is no answer."""
        state = ask(f"http://{HOST}:{self.page}/json/") or {}
        return int(state.get("aliveworkers", 0))

    def _start(self, name: str, entry: str, arguments: list[str]) -> None:
        java = Path(java_command() or "java").resolve()
        variables = {
            "SPARK_LOCAL_IP": HOST,
            "SPARK_HOME": str(self.home),
            "JAVA_HOME": str(java.parent.parent),
            "SPARK_LOCAL_DIRS": str(self.members.folder / "tmp"),
            "SPARK_DAEMON_JAVA_OPTS": "-Dspark.worker.timeout=15",
        }
        self.members.start(
            name, [str(self.home / "bin" / "spark-class"), entry, *arguments], variables
        )


@contextmanager
def local_spark(folder: Path, cache: Path, tell: Tell, workers: int = 2) -> Iterator[LocalSpark]:
    """A cluster of workers with one core each, as long as the context lasts.

    Logs and temporary files are in ``folder``. Raises `RunnerError`.
    """
    home = provide_distribution(SPARK, cache, tell) / "pyspark"
    with Members(folder) as members:
        cluster = LocalSpark(members, home, f"spark://{HOST}:{free_port()}", free_port())
        cluster.start_master()
        for number in range(1, workers + 1):
            cluster.start_worker(number)
        cluster.wait_for(workers)
        yield cluster
