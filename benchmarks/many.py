"""The stages list and crawl on 2,000 small repositories from a server on this machine."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import yaml

from benchmarks.corpus import crawled_run, sample_texts
from benchmarks.harness import Report, measure
from benchmarks.served import (
    SMALL,
    SMALL_FILE_BYTES,
    SMALL_FILES,
    git_daemon,
    import_small_repositories,
    smart_http,
)

WORKERS = 2
SAMPLE_BYTES = 40_000_000


def report() -> Report:
    """Runs both stages over both protocols, start-up of the program apart."""
    found = Report("Many small repositories")
    found.say(
        f"{SMALL:,} repositories of {SMALL_FILES} files of up to {SMALL_FILE_BYTES:,} bytes, "
        f"`repomill run --stage crawl --workers {WORKERS}`: the stage as its history says. The "
        "server's processes share the cores. Peak memory is that of repomill, without git."
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = [text for text in sample_texts(crawled_run(), SAMPLE_BYTES).to_pylist() if text]
        import_small_repositories(folder / "served", texts)
        rows = []
        for protocol, serve in (("git", git_daemon), ("http", smart_http)):
            with serve(folder / "served") as url:
                rows.append((protocol, *crawl(url, folder / protocol)))
    found.table(
        ("protocol", "repositories a second", "wall s", "CPU s with git", "peak memory MB"), rows
    )
    return found


def crawl(url: str, folder: Path) -> tuple[str, ...]:
    """Crawls all repositories of a server from a list; gives the cells of a row."""
    folder.mkdir()
    (folder / "urls.txt").write_text("".join(f"{url}/{number}\n" for number in range(SMALL)))
    body = {
        "sources": [{"git": {"lists": [str(folder / "urls.txt")]}}],
        "output": str(folder / "run"),
        # One server stands for the many that a real list names.
        "crawl": {"requests_per_second": 10_000},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(body))
    script = Path(sys.executable).with_name("repomill")
    options = ["--stage", "crawl", "--workers", str(WORKERS)]
    measure([script, "run", folder / "config.yaml", *options])
    lines = (folder / "run" / "history.jsonl").read_text().splitlines()
    (stage,) = (line for line in map(json.loads, lines) if line["stage"] == "crawl")
    return (
        f"{SMALL / stage['seconds']:.0f}",
        f"{stage['seconds']:.1f}",
        f"{stage['cpu_seconds']:.1f}",
        f"{stage['peak_memory_bytes'] / 1e6:.0f}",
    )
