"""A Flink cluster on loopback: one job manager and some task managers, each a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runners.clusters.distributions import FLINK, provide_distribution
from runners.java import java_command
from runners.members import HOST, Members, ask, free_port, wait_for_members
from runners.settings import Tell

_ENTRY = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
_OPENED = ("java.lang", "java.net", "java.io", "java.nio", "java.text", "java.time", "java.util")
_MEMORY = {
    # Flink's scripts work these out; without them each has to be said.
    "taskmanager.cpu.cores": "1",
    "taskmanager.memory.task.heap.size": "256m",
    "taskmanager.memory.task.off-heap.size": "0m",
    "taskmanager.memory.framework.heap.size": "128m",
    "taskmanager.memory.framework.off-heap.size": "128m",
    "taskmanager.memory.network.min": "64m",
    "taskmanager.memory.network.max": "64m",
    "taskmanager.memory.managed.size": "128m",
    "taskmanager.memory.jvm-metaspace.size": "256m",
    "taskmanager.memory.jvm-overhead.min": "128m",
    "taskmanager.memory.jvm-overhead.max": "128m",
}


@dataclass(frozen=True)
class LocalFlink:
    """A Flink cluster that runs. ``url`` is its REST address."""

    members: Members
    jars: Path
    url: str

    def start_task_manager(self, number: int) -> None:
        """Starts one more."""
        memory = [f"-D{name}={value}" for name, value in _MEMORY.items()]
        heap = ["-Xmx384m", "-XX:MaxDirectMemorySize=192m", "-XX:MaxMetaspaceSize=256m"]
        self._java(f"task-manager-{number}", heap, _TASK_MANAGER, memory)

    def kill_task_manager(self, number: int) -> None:
        """Ends one as a power cut would."""
        self.members.kill(f"task-manager-{number}")

    def start_job_manager(self) -> None:
        """Starts the one that takes jobs."""
        self._java("job-manager", ["-Xmx512m"], _ENTRY, [])
        self.members.wait_for_port("job-manager", int(self.url.rpartition(":")[2]))

    def wait_for(self, slots: int) -> None:
        """Waits until the cluster has so many slots; raises `RunnerError`."""
        wait_for_members(self.slots, slots, "slots")

    def slots(self) -> int:
        """How many slots there are; none while there is no answer."""
        # It listens before it has been made the leader.
        overview = ask(f"http://{self.url}/overview") or {}
        return int(overview.get("slots-total", 0))

    def _java(self, name: str, machine: list[str], entry: str, more: list[str]) -> None:
        opened = [f"--add-opens=java.base/{each}=ALL-UNNAMED" for each in _OPENED]
        configuration = ["--configDir", str(self.members.folder), *more]
        places = ["-cp", f"{self.jars}/*"]
        java = java_command() or "java"
        self.members.start(name, [java, *machine, *opened, *places, entry, *configuration])


@contextmanager
def local_flink(
    folder: Path, cache: Path, tell: Tell, task_managers: int = 2
) -> Iterator[LocalFlink]:
    """A cluster with a slot a task manager, as long as the context lasts.

    Logs and temporary files are in ``folder``. Raises `RunnerError`.
    """
    jars = provide_distribution(FLINK, cache, tell) / "pyflink" / "lib"
    rest, rpc = free_port(), free_port()
    with Members(folder) as members:
        _write_configuration(folder, rest, rpc)
        cluster = LocalFlink(members, jars, f"{HOST}:{rest}")
        cluster.start_job_manager()
        for number in range(1, task_managers + 1):
            cluster.start_task_manager(number)
        cluster.wait_for(task_managers)
        yield cluster


def _write_configuration(folder: Path, rest: int, rpc: int) -> None:
    settings = {
        "jobmanager.rpc.address": HOST,
        "jobmanager.rpc.port": rpc,
        "jobmanager.bind-host": HOST,
        "rest.address": HOST,
        "rest.bind-address": HOST,
        "rest.port": rest,
        "taskmanager.host": HOST,
        "taskmanager.bind-host": HOST,
        "taskmanager.numberOfTaskSlots": 1,
        "parallelism.default": 2,
        "io.tmp.dirs": folder / "tmp",
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": 3,
        "restart-strategy.fixed-delay.delay": "2 s",
        # A task manager that was killed is missed soon.
        "heartbeat.interval": 2000,
        "heartbeat.timeout": 10000,
    }
    text = "".join(f"{name}: {value}\n" for name, value in settings.items())
    (folder / "tmp").mkdir(exist_ok=True)
    (folder / "flink-conf.yaml").write_text(text, encoding="utf-8")
    (folder / "log4j.properties").write_text("", encoding="utf-8")
