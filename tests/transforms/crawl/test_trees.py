import json

import apache_beam as beam
import pytest

from runners.direct import pipeline_options
from runners.settings import EngineSettings
from schemas import tables
from schemas.documents import part_of_repository
from tests.transforms.crawl.test_stage import list_sources, rows_of
from transforms.crawl.part import CrawlOptions
from transforms.crawl.source import Held, Limits, RejectedFile, RepositoryFacts, Request, SourceFile
from transforms.crawl.stage import GatherTrees
from transforms.crawl.trees import BATCH_BYTES, GatherOptions, read_tree, tree_batches
from transforms.optout import OptOuts, Places, repository_keys
from transforms.parts import Workspace, read_part

PARTS = 3
PLACES = Places(frozenset({"directory"}))
LIMITS = Limits(max_file_bytes=1000, attempts=1, timeout_seconds=30)
LICENSED = b"# SPDX-License-Identifier: MIT\n"


@pytest.fixture
def workspace(tmp_path):
    return Workspace(run=str(tmp_path / "run"), staging=str(tmp_path / "staging"))


@pytest.fixture
def crawl(tmp_path):
    return CrawlOptions(PARTS, ("python",), LIMITS, downloads=2, cache=str(tmp_path / "cache"))


def gather(workspace, crawl, patterns, sources, opt_outs=""):
    listed = list_sources(workspace, crawl, **sources)
    options = GatherOptions(PARTS, patterns, LIMITS, crawl.cache, opt_outs)
    with beam.Pipeline(options=pipeline_options(EngineSettings(workers=2))) as pipeline:
        pipeline | GatherTrees(workspace, listed, options)
    return {
        (row["repository"], row["path"]): row["content"] for row in rows_of(workspace, tables.TREES)
    }


def write_files(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_gathers_all_files_of_the_wanted_repositories_and_of_no_other(tmp_path, workspace, crawl):
    files = {"a.py": LICENSED, "tests/data.bin": b"\0\1", "tox.ini": b"[tox]\n"}
    for name in ("one", "two", "three"):
        write_files(tmp_path / "projects" / name, files)
    sources = {"directory": {"path": str(tmp_path / "projects"), "repositories": "each"}}
    found = gather(workspace, crawl, ("*/one", "*/two"), sources)
    assert {name.split("/")[-1] for name, _ in found} == {"one", "two"}
    assert {path for _, path in found} == files.keys()
    assert set(found.values()) == set(files.values())
    rows = [row for row in rows_of(workspace, tables.TREES) if row["path"] == "a.py"]
    assert {row["license"] for row in rows} == {"MIT"}


def test_data_sets_of_rows_have_no_trees(tmp_path, workspace, crawl):
    rows = [{"content": "x = 1\n", "path": "a.py", "repository": "r"}]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = {"content": "content", "path": "path", "repository": "repository"}
    sources = {"jsonl": {"paths": [str(tmp_path / "data.jsonl")], "columns": columns}}
    assert gather(workspace, crawl, ("*",), sources) == {}


def test_what_cannot_be_read_is_recorded_and_others_are_gathered(tmp_path, workspace, crawl):
    write_files(tmp_path / "good", {"a.py": b"x\n", "big.bin": b"b" * 2000})
    (tmp_path / "bad.tar.gz").write_bytes(b"no archive")
    sources = {
        "directory": {"path": str(tmp_path / "good")},
        "archive": {"paths": [str(tmp_path / "bad.tar.gz")]},
    }
    found = gather(workspace, crawl, ("*",), sources)
    assert {path for _, path in found} == {"a.py"}
    failed = rows_of(workspace, tables.failures_of("gather"))
    assert {(row["stage"], row["path"], row["reason"]) for row in failed} == {
        ("gather", "big.bin", "file_too_large"),
        ("gather", None, "corrupt_archive"),
    }


def test_repositories_that_opted_out_are_not_fetched(tmp_path, workspace, crawl):
    write_files(tmp_path / "projects" / "one", {"a.py": b"x\n"})
    write_files(tmp_path / "projects" / "two", {"a.py": b"x\n"})
    sources = {"directory": {"path": str(tmp_path / "projects"), "repositories": "each"}}
    first = gather(workspace, crawl, ("*",), sources)
    name, other_name = sorted(name for name, _ in first)
    keys = {*repository_keys(name, PLACES)} - {*repository_keys(other_name, PLACES)}
    opt_outs = tmp_path / "opt-outs"
    opt_outs.write_bytes(OptOuts.of_keys(keys, PLACES).to_bytes())
    other = Workspace(str(tmp_path / "run-2"), str(tmp_path / "staging-2"))
    found = gather(other, crawl, ("*",), sources, str(opt_outs))
    assert {name for name, _ in found} == {other_name}


def held(*files):
    return Held(RepositoryFacts("1"), list(files))


def test_paths_that_leave_the_repository_are_rejected():
    files = [SourceFile(path, b"x") for path in ("../a", "/b", "c/../../d", "ok", "OK")]
    tree = read_tree(Request("r", "s", "l"), held(*files), LIMITS)
    assert [file.path for file in tree.files] == ["ok"]
    assert {file.reason for file in tree.rejected} == {"unsafe_path", "colliding_path"}
    assert all(isinstance(file, RejectedFile) for file in tree.rejected)


def test_batches_are_bounded_and_have_every_file_once():
    size = BATCH_BYTES // 2
    files = [SourceFile(f"f{n}", bytes(size)) for n in range(5)]
    tree = read_tree(Request("r", "s", "l"), held(*files), LIMITS)
    batches = list(tree_batches(tree))
    assert [batch.num_rows for batch in batches] == [2, 2, 1]
    assert [path for batch in batches for path in batch["path"].to_pylist()] == [
        file.path for file in files
    ]


def test_parts_are_those_of_documents(tmp_path, workspace, crawl):
    for name in ("one", "two", "three", "four"):
        write_files(tmp_path / "projects" / name, {"a.py": b"x\n"})
    sources = {"directory": {"path": str(tmp_path / "projects"), "repositories": "each"}}
    found = gather(workspace, crawl, ("*",), sources)
    for number in range(PARTS):
        path = workspace.staged(tables.TREES, tables.part_name(number))
        for name in read_part(path)["repository"].to_pylist():
            assert part_of_repository(name, PARTS) == number
    assert len(found) == 4
