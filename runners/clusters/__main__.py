"""Starts a cluster on this machine and says how to run on it, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import platformdirs

from runners.clusters.distributions import provide_boot_program
from runners.clusters.flink import local_flink
from runners.clusters.spark import local_spark
from runners.settings import RunnerError, Tell


class _Cluster(Protocol):
    @property
    def url(self) -> str: ...


_CLUSTERS: dict[str, Callable[[Path, Path, Tell, int], AbstractContextManager[_Cluster]]] = {
    "flink": local_flink,
    "spark": local_spark,
}


def main() -> None:
    """Reads the command line; exit status 1 where the cluster does not start."""
    parser = argparse.ArgumentParser(
        prog="python -m runners.clusters",
        description=__doc__,
        epilog="Example: python -m runners.clusters flink --workers 2",
    )
    parser.add_argument("engine", choices=sorted(_CLUSTERS))
    parser.add_argument("--workers", type=int, default=2, help="task managers, or Spark's workers")
    parser.add_argument("--folder", type=Path, help="for logs; a temporary one if not given")
    arguments = parser.parse_args()
    try:
        _run(arguments.engine, arguments.workers, arguments.folder)
    except RunnerError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("ended", file=sys.stderr)


def _run(engine: str, workers: int, folder: Path | None) -> None:
    cache = platformdirs.user_cache_path("repomill")
    with tempfile.TemporaryDirectory(prefix=f"repomill-{engine}-") as temporary:
        place = folder or Path(temporary)
        boot = provide_boot_program(cache, _say)
        with _CLUSTERS[engine](place, cache, _say, workers) as cluster:
            _say(f"{engine} runs with {workers} workers; logs are in {place}. Run on it:")
            options = f"--runner {engine} --runner-url {cluster.url} --workers {workers}"
            worker = f"--set runner.worker.command={boot}"
            print(f"repomill run CONFIG {options} {worker} \\")
            print(f"    --set runner.worker.environment={sys.prefix}", flush=True)
            _say("Ctrl-C ends it")
            threading.Event().wait()


def _say(line: str) -> None:
    if line:
        print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
