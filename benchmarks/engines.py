"""The demo and the reference corpus on every engine: are the digests equal, and what it takes."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import platformdirs

from benchmarks.corpus import CONFIGURATION, RUNS, history, run_script
from benchmarks.harness import ROOT, Report, measure
from runners.clusters.distributions import provide_boot_program
from runners.clusters.flink import local_flink
from runners.clusters.spark import local_spark

DEMO = Path("examples/demo.yaml")
CORPORA = {"the demo, 47 MB": DEMO, "the reference corpus, 471 MB": CONFIGURATION}
_CACHE = platformdirs.user_cache_path("repomill")

Options = Callable[[Path], AbstractContextManager[tuple[str, ...]]]
"""Gives the options that name an engine, which runs as long as the context lasts."""


def _plain(*options: str) -> Options:
    @contextmanager
    def given(folder: Path) -> Iterator[tuple[str, ...]]:
        yield options

    return given


@contextmanager
def _flink_cluster(folder: Path) -> Iterator[tuple[str, ...]]:
    with local_flink(folder, _CACHE, print) as cluster:
        yield ("--runner=flink", f"--runner-url={cluster.url}", "--workers=2", *_workers())


@contextmanager
def _spark_cluster(folder: Path) -> Iterator[tuple[str, ...]]:
    with local_spark(folder, _CACHE, print) as cluster:
        yield ("--runner=spark", f"--runner-url={cluster.url}", *_workers())


def _workers() -> tuple[str, ...]:
    boot = provide_boot_program(_CACHE, print)
    settings = {"command": boot, "environment": sys.prefix}
    return tuple(f"--set=runner.worker.{name}={value}" for name, value in settings.items())


ENGINES: dict[str, Options] = {
    "direct, 1 worker": _plain("--workers=1"),
    "direct, 4 workers": _plain("--workers=4"),
    "Flink 1.19 in the job server": _plain("--runner=flink", "--workers=2"),
    "Spark 3.5 in the job server": _plain("--runner=spark", "--workers=2"),
    "Flink cluster, 2 task managers": _flink_cluster,
    "Spark cluster, 2 workers": _spark_cluster,
}


def report() -> Report:
    """Runs both corpora on every engine, each from nothing but the cache of downloads."""
    found = Report("The same run on every engine")
    found.say(
        "`repomill run` with each engine: all stages, from the cache of downloads. Clusters are of "
        "`runners.clusters`, all on this machine, with a Python worker a slot. Seconds are of the "
        "clock, with the start of job servers and not that of clusters; the digest is the SHA-256 "
        "of what `repomill digest` says."
    )
    for corpus, configuration in CORPORA.items():
        rows = [_row(name, options, configuration) for name, options in ENGINES.items()]
        found.table(("engine", corpus, "wall s", "slowest stage", "its s"), rows)
        digests = {row[1] for row in rows}
        verdict = "equal" if len(digests) == 1 else f"DIFFERENT: {len(digests)} digests"
        found.say(f"Digests of {corpus}: {verdict}.")
    return found


def _row(name: str, options: Options, configuration: Path) -> tuple[str, ...]:
    run = RUNS / "engines"
    shutil.rmtree(ROOT / run, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="repomill-") as folder, options(Path(folder)) as given:
        cost, _ = measure([run_script(), "run", configuration, "--output", run, *given])
    said = subprocess.run(
        [run_script(), "digest", run, "--json"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    slowest = max(history(run), key=lambda line: line["seconds"])
    digest = hashlib.sha256(json.dumps(json.loads(said), sort_keys=True).encode()).hexdigest()
    shutil.rmtree(ROOT / run)
    return (
        name,
        digest[:16],
        f"{cost.wall:.0f}",
        slowest["stage"],
        f"{slowest['seconds']:.1f}",
    )
