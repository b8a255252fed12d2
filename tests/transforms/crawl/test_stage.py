import errno

import apache_beam as beam
import pytest

from runners.direct import DirectSettings, pipeline_options
from schemas import tables
from schemas.failures import Reason
from transforms.crawl import stage as crawl_stage
from transforms.crawl.registry import SOURCES
from transforms.crawl.repository import crawl_repository
from transforms.crawl.source import CrawlError, Limits, Request
from transforms.crawl.stage import CrawlOptions, CrawlRepositories, PartCrawl
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


def requests_of(**settings):
    return [
        request for kind, values in settings.items() for request in SOURCES[kind].requests(values)
    ]


def rows_of(workspace, table):
    paths = [workspace.staged(table, tables.part_name(part)) for part in range(PARTS)]
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
    requests = requests_of(
        pypi={"projects": ["tool==2.0", "tool==1.0", "bare", "missing"], "index": index.url},
        git={"urls": [f"{git_daemon.url}/served", f"{git_daemon.url}/absent"]},
        directory={"path": str(folder)},
    )
    with beam.Pipeline(options=pipeline_options(DirectSettings(2))) as pipeline:
        pipeline | CrawlRepositories(workspace, requests, options)

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
    for part in range(PARTS):
        found = read_part(workspace.staged(tables.DOCUMENTS, tables.part_name(part)))
        keys = [(r["repository"], r["revision"], r["path"]) for r in found.to_pylist()]
        assert keys == sorted(keys)
        listed = read_part(workspace.staged(tables.REPOSITORIES, tables.part_name(part)))
        assert sum(listed["files"].to_pylist()) == found.num_rows
    failures = rows_of(workspace, tables.failures_of("crawl"))
    assert {(row["path"], row["reason"]) for row in failures} == {
        (None, "not_found"),
        ("big.py", "file_too_large"),
    }


def test_the_same_repository_twice_is_one_and_the_other_is_named(
    workspace, options, git_folder, git_daemon
):
    git_folder.commit("served", {"a.py": b"a\n"})
    requests = requests_of(
        git={
            "urls": [f"{git_daemon.url}/served", {"url": f"{git_daemon.url}/served", "ref": "main"}]
        }
    )
    assert len(set(requests)) == 2
    receipt = PartCrawl(workspace, options, tuple(requests))("part-00000")
    assert receipt.statistics == {
        "documents": 1,
        "bytes": 2,
        "repositories.crawled": 1,
        "repositories.failed": 1,
        "failures.repositories.duplicate_repository": 1,
    }


class Broken:
    """A source whose repositories go wrong in ways that nobody thought of."""

    def __init__(self, error):
        self.error = error

    def fetch(self, request, place, limits):
        if request.location == "bad":
            raise self.error
        return SOURCES["directory"].fetch(
            Request(request.repository, "directory", request.location), place, limits
        )


@pytest.fixture
def broken(monkeypatch, tmp_path):
    folder = tmp_path / "good"
    folder.mkdir()
    (folder / "a.py").write_bytes(b"a\n")

    def install(error):
        monkeypatch.setitem(crawl_stage.SOURCES, "broken", Broken(error))
        return (Request("x/bad", "broken", "bad"), Request("x/good", "broken", str(folder)))

    return install


def test_an_unexpected_error_fails_its_repository_and_no_other(workspace, options, broken):
    requests = broken(ZeroDivisionError("of all things"))
    receipt = PartCrawl(workspace, options, requests)("part-00000")
    assert receipt.statistics["repositories.crawled"] == 1
    path = workspace.staged(tables.failures_of("crawl"), "part-00000.parquet")
    (row,) = read_part(path).to_pylist()
    assert (row["repository"], row["reason"]) == ("x/bad", "unexpected")
    assert row["detail"] == "ZeroDivisionError: of all things"


def test_a_full_disk_ends_the_part_instead_of_failing_repository_after_repository(
    workspace, options, broken
):
    requests = broken(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        PartCrawl(workspace, options, requests)("part-00000")
    assert not workspace.staged(tables.DOCUMENTS, "part-00000.parquet").exists()
    assert not workspace.has_receipt("part-00000")


def test_a_repository_that_breaks_off_leaves_no_document(workspace, options, monkeypatch, tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "a.py").write_bytes(b"a\n")

    def break_off(*arguments):
        crawl_repository(*arguments)
        raise CrawlError(Reason.CORRUPT_ARCHIVE, "ends too early")

    monkeypatch.setattr(crawl_stage, "crawl_repository", break_off)
    requests = requests_of(directory={"path": str(tmp_path / "r")})
    PartCrawl(workspace, options, tuple(requests))("part-00000")
    assert read_part(workspace.staged(tables.DOCUMENTS, "part-00000.parquet")).num_rows == 0
    assert not list((tmp_path / "staging" / "scratch").iterdir())
