"""git: fetching and reading repositories from servers on this machine, against libraries."""

from __future__ import annotations

import importlib
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.corpus import crawled_run, sample_texts
from benchmarks.harness import Report, interleave, spread
from benchmarks.served import (
    SMALL,
    SMALL_FILE_BYTES,
    SMALL_FILES,
    git_daemon,
    import_repository,
    import_small_repositories,
    smart_http,
)
from transforms.crawl.source import Limits, Place, Request, SourceFile
from transforms.crawl.sources.git import GitSource

LARGE_BYTES = 40_000_000
DOWNLOADS = 16
ROUNDS = 3
PEERS = ("pygit2", "dulwich")
OURS = "repomill: git processes"
WHY_PROCESSES = (
    "What the figures do not show: a process of git ends with its time limit however a server "
    "behaves, has a memory limit of its own, and takes nothing down with it when a hostile "
    "pack breaks it. Both libraries expand packs in the memory of the worker, and pygit2 cannot "
    "leave large blobs with the server."
)

Fetch = Callable[[str, Path], int]


def report() -> Report:
    """Measures one large repository and many small ones, over both protocols."""
    found = Report("git repositories")
    calls: dict[str, Fetch] = {OURS: fetch_and_read}
    for name in PEERS:
        try:
            peer = importlib.import_module(f"benchmarks.peers.{name}_repositories")
        except ImportError:
            found.say(f"{name} is not installed, so it is left out.")
        else:
            calls[name] = peer.fetch_and_read
    git = subprocess.run(["git", "version"], capture_output=True, check=True, text=True)
    found.say(f"{git.stdout.strip()}; servers on this machine share its cores.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = [text for text in sample_texts(crawled_run(), LARGE_BYTES).to_pylist() if text]
        import_repository(folder / "served" / "large", texts)
        import_small_repositories(folder / "served", texts)
        for serve in (git_daemon, smart_http):
            with serve(folder / "served") as url:
                _measure_large(found, calls, url, folder)
                _measure_small(found, calls, url, folder)
    found.say(WHY_PROCESSES)
    return found


def fetch_and_read(url: str, folder: Path) -> int:
    """Fetches HEAD the way the crawl does and counts the bytes of its files."""
    folder.mkdir()
    limits = Limits(requests_per_second=1e6, max_file_bytes=100_000_000)
    fetched = GitSource.fetch(Request("benchmark", "git", url), Place(folder, folder), limits)
    files = fetched.read(lambda path: True, limits)
    total = sum(len(file.content) for file in files if isinstance(file, SourceFile))
    shutil.rmtree(folder)
    return total


def _measure_large(found: Report, calls: Mapping[str, Fetch], url: str, folder: Path) -> None:
    size = fetch_and_read(f"{url}/large", folder / "fetched")
    timed = {
        name: lambda call=call: call(f"{url}/large", folder / "fetched")  # type: ignore[misc]
        for name, call in calls.items()
    }
    seconds = interleave(timed, ROUNDS, _cpu_seconds)
    found.say(
        f"One repository of {size / 1e6:.1f} MB of text over {url.partition(':')[0]}, fetched "
        f"and read: CPU seconds with all child processes, the server's apart; {ROUNDS} rounds "
        "in turn, medians (least-greatest)."
    )
    found.table(
        ("who", "CPU s", "MB/s a core"),
        [
            (name, spread(values), f"{size / statistics.median(values) / 1e6:.0f}")
            for name, values in seconds.items()
        ],
    )


def _measure_small(found: Report, calls: Mapping[str, Fetch], url: str, folder: Path) -> None:
    found.say(
        f"{SMALL:,} repositories of {SMALL_FILES} files of up to {SMALL_FILE_BYTES:,} bytes over "
        f"{url.partition(':')[0]}, {DOWNLOADS} at a time in threads; wall time, server included, "
        "and CPU time without it."
    )
    rows = []
    for name, call in calls.items():
        cpu, wall = _cpu_seconds(), time.perf_counter()
        with ThreadPoolExecutor(DOWNLOADS) as pool:
            urls = [f"{url}/{number}" for number in range(SMALL)]
            folders = [folder / f"fetched-{number}" for number in range(SMALL)]
            sizes = list(pool.map(call, urls, folders))
        cpu, wall = _cpu_seconds() - cpu, time.perf_counter() - wall
        if min(sizes) == 0:
            raise RuntimeError(f"{name} read a repository without files")
        rows.append((name, f"{SMALL / wall:.0f}", f"{cpu / SMALL * 1e3:.1f}"))
    found.table(("who", "repositories a second", "CPU ms each"), rows)


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
