"""Reading source distributions: from the cache of downloads to tables, on one core."""

from __future__ import annotations

import gzip
import shutil
import statistics
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

import platformdirs
import yaml

from benchmarks.harness import ROOT, Report, interleave, spread
from schemas import requests, tables
from transforms.crawl.listing import request_batches
from transforms.crawl.part import CrawlOptions, CrawlPart
from transforms.crawl.pypi.requirements import parse_project_line
from transforms.crawl.source import Limits
from transforms.crawl.sources.pypi import PypiSource
from transforms.parts import Workspace

PARTS = 4
ROUNDS = 3
CORPORA = {
    "the 30 of examples/demo.yaml": ROOT / "examples" / "demo.yaml",
    "the sdists of benchmarks/licenses.yaml": ROOT / "benchmarks" / "licenses.yaml",
}


def report() -> Report:
    """Times the crawl and, beside it, the standard library reading the same files unguarded."""
    found = Report("Source distributions")
    found.say(
        f"CPU seconds of one process, {ROUNDS} rounds in turn after a warm-up, medians "
        f"(least-greatest). The crawl checks hashes, decompresses, judges every file, finds "
        f"licenses and writes {PARTS} parts of Parquet. The standard library only opens each "
        "archive and reads the same Python files. Text is what becomes documents; expanded is "
        "all that comes out of the archives, which has to be decompressed to get at it."
    )
    cache = platformdirs.user_cache_path("repomill")
    rows = []
    for name, path in CORPORA.items():
        projects = read_projects(path)
        with tempfile.TemporaryDirectory() as folder:
            crawl = prepare(projects, Path(folder), cache)
            text = crawl_all(crawl)
            archives = [archive for line in projects if (archive := find_sdist(line, cache))]
            expanded = sum(expanded_bytes(archive) for archive in archives)
            seconds = interleave(
                {
                    "repomill": lambda crawl=crawl: crawl_all(crawl),
                    "tarfile": lambda archives=archives: [read_plainly(each) for each in archives],
                },
                ROUNDS,
            )
        rows += [row(name, who, values, text, expanded) for who, values in seconds.items()]
    found.table(
        ("corpus", "who", "CPU s", "MB of text", "MB/s of text", "MB/s of what is expanded"), rows
    )
    return found


def row(name: str, who: str, values: Sequence[float], text: int, expanded: int) -> tuple[str, ...]:
    """A line of the table."""
    median = statistics.median(values)
    rates = (f"{size / 1e6 / median:.0f}" for size in (text, expanded))
    return (name, who, spread(list(values)), f"{text / 1e6:.0f}", *rates)


def read_projects(path: Path) -> list[str]:
    """The pinned sdists of a configuration or of the list of packages with known licenses."""
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "packages" in body:
        return [package["project"] for package in body["packages"]]
    return [line for entry in body["sources"] for line in entry["pypi"]["projects"]]


def prepare(projects: Sequence[str], folder: Path, cache: Path) -> CrawlPart:
    """Lists the projects and gives the work that crawls them, their files in the cache."""
    workspace = Workspace(str(folder), str(folder / "staging"))
    name = requests.file_name(0)
    listed = Workspace(str(folder), str(folder))
    with listed.write_table(tables.REQUESTS, name, requests.SCHEMA, row_group_bytes=1) as writer:
        for batch in request_batches(PypiSource(projects=tuple(projects)).requests(None), PARTS):
            writer.write(batch)
    options = CrawlOptions(PARTS, ("python",), Limits(), downloads=8, cache=str(cache))
    return CrawlPart(workspace, options, (name,))


def crawl_all(crawl: CrawlPart) -> int:
    """Crawls all parts anew; how many bytes of text came of it."""
    shutil.rmtree(crawl.workspace.staging, ignore_errors=True)
    units = [tables.part_name(part).removesuffix(".parquet") for part in range(PARTS)]
    return sum(crawl(unit).statistics["bytes"] for unit in units)


def find_sdist(line: str, cache: Path) -> Path | None:
    """The file of a pinned project in the cache, unless it is a wheel or zip."""
    for sha256 in parse_project_line(line).hashes:
        for path in (cache / "downloads" / sha256).glob("*.tar.gz"):
            return path
    return None


def expanded_bytes(archive: Path) -> int:
    """What comes out of a compressed tar."""
    with gzip.open(archive) as file:
        return sum(len(chunk) for chunk in iter(lambda: file.read(1 << 20), b""))


def read_plainly(archive: Path) -> int:
    """Reads the Python files of an archive as anyone would who trusts it."""
    with tarfile.open(archive) as tar:
        return sum(
            len(tar.extractfile(member).read())
            for member in tar
            if member.isfile() and member.name.endswith((".py", ".pyi"))
        )
