import errno
import json
import shutil
from pathlib import Path
from typing import ClassVar

import apache_beam as beam
import pytest

from runners.direct import pipeline_options
from runners.settings import EngineSettings
from schemas import tables
from schemas.failures import Reason
from schemas.requests import SCHEMA, file_name
from transforms.crawl import part, registry
from transforms.crawl.listing import request_batches
from transforms.crawl.part import CrawlOptions, CrawlPart
from transforms.crawl.registry import known_sources
from transforms.crawl.repository import crawl_repository
from transforms.crawl.source import CrawlError, Held, Limits, RepositoryFacts, Request, Source
from transforms.crawl.sources.directory import DirectorySource
from transforms.crawl.sources.git import GitSource
from transforms.crawl.sources.rows import JsonLinesSource
from transforms.crawl.stage import CrawlRepositories, ListRepositories
from transforms.parts import Workspace, read_part

PARTS = 3


@pytest.fixture
def options(tmp_path):
    return CrawlOptions(
        parts=PARTS,
        languages=("python",),
        limits=Limits(max_file_bytes=1000, attempts=1, timeout_seconds=30),
        downloads=2,
        cache=str(tmp_path / "cache"),
    )


@pytest.fixture
def workspace(tmp_path):
    return Workspace(run=str(tmp_path / "run"), staging=str(tmp_path / "staging"))


def list_sources(workspace, options, **settings):
    """Lists sources as a stage of its own and commits what it wrote; gives the files."""
    sources = tuple(known_sources()[kind](**values) for kind, values in settings.items())
    with beam.Pipeline(options=pipeline_options(EngineSettings(workers=2))) as pipeline:
        pipeline | ListRepositories(workspace, sources, options.parts, options.cache)
    return commit_requests(workspace)


def commit_requests(workspace):
    committed = Path(workspace.run, tables.REQUESTS)
    committed.parent.mkdir(exist_ok=True)
    Path(workspace.staging, tables.REQUESTS).rename(committed)
    shutil.rmtree(workspace.staging)
    return tuple(sorted(path.name for path in committed.iterdir()))


def write_requests(workspace, requests):
    """Commits requests of one part."""
    name = file_name(0)
    with workspace.write_table(tables.REQUESTS, name, SCHEMA, row_group_bytes=1) as writer:
        for batch in request_batches(requests, 1):
            writer.write(batch)
    return commit_requests(workspace)


def rows_of(workspace, table):
    paths = [workspace.staged(table, tables.part_name(number)) for number in range(PARTS)]
    return [row for path in paths for row in read_part(path).to_pylist()]


def test_all_sources_in_one_pipeline_each_repository_in_its_part(
    tmp_path, workspace, options, index, sdist, git_folder, git_daemon
):
    index.publish("tool", "tool-1.0.tar.gz", sdist("tool", "1.0", {"tool.py": b"t = 1\n"}))
    index.publish("tool", "tool-2.0.tar.gz", sdist("tool", "2.0", {"tool.py": b"t = 2\n"}))
    index.publish("bare", "bare-1.0.tar.gz", sdist("bare", "1.0", {"README": b"no code\n"}))
    commit = git_folder.commit("served", {"b.py": b"b\n", "a.py": b"a\n", "big.py": b"#" * 5000})
    folder = tmp_path / "local"
    folder.mkdir()
    (folder / "local.py").write_bytes(b"here = True\n")
    listed = list_sources(
        workspace,
        options,
        pypi={"projects": ["tool==2.0", "tool==1.0", "bare", "missing"], "index": index.url},
        git={"urls": [f"{git_daemon.url}/served", f"{git_daemon.url}/absent"]},
        directory={"path": str(folder)},
    )
    with beam.Pipeline(options=pipeline_options(EngineSettings(workers=2))) as pipeline:
        pipeline | CrawlRepositories(workspace, listed, options)

    repositories = {
        (row["repository"].split("/")[-1], row["revision"]): (row["status"], row["reason"])
        for row in rows_of(workspace, tables.REPOSITORIES)
    }
    assert repositories == {
        ("tool", "1.0"): ("crawled", None),
        ("tool", "2.0"): ("crawled", None),
        ("bare", "1.0"): ("empty", None),
        ("missing", ""): ("failed", "not_found"),
        ("served", commit): ("crawled", None),
        ("absent", ""): ("failed", "not_found"),
        ("local", ""): ("crawled", None),
    }
    documents = rows_of(workspace, tables.DOCUMENTS)
    assert sorted((row["path"], row["content"]) for row in documents) == [
        ("a.py", b"a\n"),
        ("b.py", b"b\n"),
        ("local.py", b"here = True\n"),
        ("tool.py", b"t = 1\n"),
        ("tool.py", b"t = 2\n"),
    ]
    for number in range(PARTS):
        found = read_part(workspace.staged(tables.DOCUMENTS, tables.part_name(number)))
        keys = [(r["repository"], r["revision"], r["path"]) for r in found.to_pylist()]
        assert keys == sorted(keys)
        rows = read_part(workspace.staged(tables.REPOSITORIES, tables.part_name(number)))
        assert sum(rows["files"].to_pylist()) == found.num_rows
    failures = rows_of(workspace, tables.failures_of("crawl"))
    assert {(row["path"], row["reason"]) for row in failures} == {
        (None, "not_found"),
        ("big.py", "file_too_large"),
    }


def test_the_same_repository_twice_is_one_and_the_other_is_named(
    workspace, options, git_folder, git_daemon
):
    git_folder.commit("served", {"a.py": b"a\n"})
    url = f"{git_daemon.url}/served"
    requests = GitSource(urls=[url, {"url": url, "ref": "main"}]).requests(None)
    listed = write_requests(workspace, requests)
    receipt = CrawlPart(workspace, options, listed)("part-00000")
    assert receipt.statistics == {
        "documents": 1,
        "bytes": 2,
        "repositories.crawled": 1,
        "repositories.failed": 1,
        "failures.repositories.duplicate_repository": 1,
    }


def test_progress_counts_what_was_asked_for_to_the_last(workspace, options, tmp_path):
    lines = [json.dumps({"text": "x = 1\n", "repo": f"o/{n}"}) for n in range(9)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    columns = {"content": "text", "repository": "repo"}
    rows = JsonLinesSource(paths=[str(tmp_path / "rows.jsonl")], columns=columns)
    gone = GitSource(urls=[(tmp_path / f"gone{n}").as_uri() for n in range(3)])
    listed = write_requests(workspace, [*rows.requests(None), *gone.requests(None)])
    receipt = CrawlPart(workspace, options, listed)("part-00000")
    assert receipt.statistics["repositories.crawled"] == 9
    (counts,) = workspace.progress().values()
    assert counts == {"repositories": 4, "documents": 9, "bytes": 54, "failed": 3}


class Broken(Source):
    """A source whose repositories go wrong in ways that nobody thought of."""

    kind: ClassVar[str] = "broken"
    error: ClassVar[Exception]

    def requests(self, place):
        yield Request("x/bad", "broken", "bad")

    @classmethod
    def fetch(cls, request, place, limits):
        raise cls.error


@pytest.fixture
def broken(monkeypatch, tmp_path, workspace):
    folder = tmp_path / "good"
    folder.mkdir()
    (folder / "a.py").write_bytes(b"a\n")

    def install(error):
        monkeypatch.setattr(Broken, "error", error, raising=False)
        sources = {**known_sources(), "broken": Broken}
        monkeypatch.setattr(registry, "known_sources", lambda: sources)
        good = DirectorySource(path=str(folder)).requests(None)
        return write_requests(workspace, [*Broken().requests(None), *good])

    return install


def test_an_unexpected_error_fails_its_repository_and_no_other(workspace, options, broken):
    listed = broken(ZeroDivisionError("of all things"))
    receipt = CrawlPart(workspace, options, listed)("part-00000")
    assert receipt.statistics["repositories.crawled"] == 1
    path = workspace.staged(tables.failures_of("crawl"), "part-00000.parquet")
    (row,) = read_part(path).to_pylist()
    assert (row["repository"], row["reason"]) == ("x/bad", "unexpected")
    assert row["detail"] == "ZeroDivisionError: of all things"


def test_a_detail_that_is_no_text_is_made_one(workspace, options, broken):
    listed = broken(CrawlError(Reason.NOT_FOUND, "\udcff\x1b[2J: " + "x" * 100_000))
    CrawlPart(workspace, options, listed)("part-00000")
    path = workspace.staged(tables.failures_of("crawl"), "part-00000.parquet")
    (row,) = read_part(path).to_pylist()
    assert row["detail"].startswith("\\udcff\\x1b[2J: xxx")
    assert len(row["detail"]) < 2000


@pytest.mark.parametrize(
    "facts",
    [
        RepositoryFacts("1", stars=1 << 63),
        RepositoryFacts("\ud800"),
        RepositoryFacts("1", released="yesterday"),
    ],
)
def test_facts_that_no_table_holds_fail_their_repository_and_no_other(
    workspace, options, broken, monkeypatch, facts
):
    listed = broken(ZeroDivisionError())
    monkeypatch.setattr(Broken, "fetch", lambda *arguments: Held(facts, []))
    receipt = CrawlPart(workspace, options, listed)("part-00000")
    assert receipt.statistics["failures.repositories.unexpected"] == 1
    assert receipt.statistics["repositories.crawled"] == 1


def test_a_full_disk_ends_the_part_instead_of_failing_repository_after_repository(
    workspace, options, broken
):
    listed = broken(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        CrawlPart(workspace, options, listed)("part-00000")
    assert not workspace.staged(tables.DOCUMENTS, "part-00000.parquet").exists()
    assert not workspace.has_receipt("part-00000")


def test_a_repository_that_breaks_off_leaves_no_document(workspace, options, monkeypatch, tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "a.py").write_bytes(b"a\n")

    def break_off(*arguments):
        crawl_repository(*arguments)
        raise CrawlError(Reason.CORRUPT_ARCHIVE, "ends too early")

    monkeypatch.setattr(part, "crawl_repository", break_off)
    source = DirectorySource(path=str(tmp_path / "r"))
    CrawlPart(workspace, options, write_requests(workspace, source.requests(None)))("part-00000")
    assert read_part(workspace.staged(tables.DOCUMENTS, "part-00000.parquet")).num_rows == 0
    assert not list((tmp_path / "staging" / "scratch").iterdir())
