"""Data sets of rows from their files to the selection: everything is counted once."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import UsageError
from pipeline.summary import summarize
from schemas import tables
from tests.pipeline.conftest import module
from tests.pipeline.runs import run_configuration
from transforms.parts import read_part

COLUMNS = {"content": "text", "path": "path", "repository": "repo", "stars": "stars"}


def row(repo, path, text, stars):
    return {"text": text, "path": path, "repo": repo, "stars": stars}


@pytest.fixture
def data(tmp_path):
    """Two Parquet files that share a repository, and JSON Lines with a line cut off."""
    folder = tmp_path / "data"
    folder.mkdir()
    first = [
        row("o/shared", "a.py", module(0, 40), 3),
        row("o/shared", "b.py", module(1000, 30), 3),
        row("o/popular", "copy.py", module(0, 40), 90),
        row("o/popular", "none.py", None, 90),
        row("o/popular", "page.html", "<p>", 90),
    ]
    second = [
        row("o/shared", "a.py", module(0, 40), 3),
        row("o/shared", "near.py", module(2, 40), 3),
        row("o/shared", "binary.py", "x = 1\0\n", 3),
        row("o/alone", "main.py", module(5000, 30), None),
    ]
    for name, rows in {"train-0": first, "train-1": second}.items():
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    third = [row("o/json", "main.py", module(9000, 30), 1), row("o/json", "/../out.py", "1", 1)]
    lines = "".join(json.dumps(each) + "\n" for each in third)
    (folder / "extra.jsonl").write_text(lines + '{"text": "x =')
    return folder


def sources(data):
    return [
        {"parquet": {"paths": [str(data / "*.parquet")], "columns": COLUMNS}},
        {"jsonl": {"paths": [str(data / "extra.jsonl")], "columns": COLUMNS}},
    ]


def rows_of(run, table, parts):
    return [
        row
        for number in range(parts)
        for row in read_part(run.path / table / tables.part_name(number)).to_pylist()
    ]


@pytest.mark.parametrize("parts", [1, 3, 7])
def test_rows_of_three_files_are_counted_once_however_they_are_divided(
    configure, data, tmp_path, parts
):
    run = run_configuration(
        configure(sources=sources(data)), f"crawl.parts={parts}", stages=("select",)
    )
    summary = summarize(run)
    assert summary.documents == 7
    assert sum(each.documents for each in summary.funnel) == 7
    assert summary.failed_files == {
        "missing_content": 1,
        "binary_content": 1,
        "unsafe_path": 1,
        "malformed_row": 1,
    }
    # A row that no file path names belongs to its data file, which holds no document.
    statuses = {status: count for status, count in summary.repositories.items() if count}
    assert statuses == {"crawled": 5, "empty": 1}
    repositories = rows_of(run, tables.REPOSITORIES, parts)
    assert sorted((row["repository"], row["revision"], row["files"]) for row in repositories) == [
        ("jsonl/extra.jsonl", "extra.jsonl", 0),
        ("jsonl/o/json", "extra.jsonl", 1),
        ("parquet/o/alone", "train-1.parquet", 1),
        ("parquet/o/popular", "train-0.parquet", 1),
        ("parquet/o/shared", "train-0.parquet", 2),
        ("parquet/o/shared", "train-1.parquet", 2),
    ]
    documents = rows_of(run, tables.DOCUMENTS, parts)
    rules = [row["rule"] for row in rows_of(run, tables.SELECTION, parts)]
    found = {
        (row["repository"], row["revision"], row["path"]): rule
        for row, rule in zip(documents, rules, strict=True)
    }
    assert found == {
        ("jsonl/o/json", "extra.jsonl", "main.py"): None,
        ("parquet/o/alone", "train-1.parquet", "main.py"): None,
        ("parquet/o/popular", "train-0.parquet", "copy.py"): None,
        ("parquet/o/shared", "train-0.parquet", "a.py"): "exact_duplicate",
        ("parquet/o/shared", "train-0.parquet", "b.py"): None,
        ("parquet/o/shared", "train-1.parquet", "a.py"): "exact_duplicate",
        ("parquet/o/shared", "train-1.parquet", "near.py"): "near_duplicate",
    }


def test_a_file_that_breaks_off_keeps_its_rows_and_is_named(configure, data, tmp_path):
    whole = (data / "train-0.parquet").read_bytes()
    (data / "train-0.parquet").write_bytes(whole[:-10])
    run = run_configuration(configure(sources=sources(data)), stages=("crawl",))
    failed = [row for row in rows_of(run, tables.REPOSITORIES, 3) if row["status"] == "failed"]
    assert [(row["repository"], row["reason"]) for row in failed] == [
        ("parquet/train-0.parquet", "corrupt_file")
    ]
    assert summarize(run).documents == 4


def test_two_data_files_of_one_name_are_refused_and_a_name_helps(configure, data, tmp_path):
    (tmp_path / "more").mkdir()
    (data / "extra.jsonl").rename(tmp_path / "more" / "extra.jsonl")
    (data / "extra.jsonl").write_text(json.dumps(row("o/x", "x.py", "x = 1\n", 1)))
    both = [
        {"jsonl": {"paths": [str(folder / "extra.jsonl")], "columns": COLUMNS}}
        for folder in (data, tmp_path / "more")
    ]
    with pytest.raises(UsageError, match=r"would both be jsonl/extra\.jsonl; give"):
        run_configuration(configure(sources=both))
    both[1]["jsonl"]["name"] = "more"
    run = run_configuration(configure(sources=both), stages=("crawl",))
    assert summarize(run).repositories["crawled"] == 2
