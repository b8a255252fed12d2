import csv
import json
import shutil
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import attribution
from pipeline.attribution import SCHEMA, write_attribution
from pipeline.errors import UserError
from schemas import tables
from schemas.manifest import Manifest
from tests.pipeline.runs import CORPUS_TABLES, run_again, run_configuration
from tests.pipeline.test_commands import call
from transforms.parts import map_stream, read_part
from transforms.tokenizers.vocabulary import END_OF_TEXT_ID


def shards(run):
    return {path.name: map_stream(path) for path in sorted((run.path / "shards").glob("*.arrow"))}


def slow_attribution(run):
    """Tokens by document and shard: piece by piece, row by row."""
    found = Counter()
    for name, shard in shards(run).items():
        for row in shard.to_pylist():
            ends = [*row["document_starts"][1:], row["length"]]
            for document, start, end in zip(
                row["documents"], row["document_starts"], ends, strict=True
            ):
                found[document, name] += end - start
    return found


def named(run):
    """The names of documents by id."""
    names = {}
    for path in sorted((run.path / tables.DOCUMENTS).glob("part-*")):
        for row, values in enumerate(read_part(path, ["repository", "path"]).to_pylist()):
            names[tables.part_number(path.name) << 32 | row] = tuple(values.values())
    return names


@pytest.mark.parametrize("documents_a_pass", [1, 5, 1 << 20])
def test_lists_each_document_with_tokens_and_what_it_gave_to_each_file(
    run, tmp_path, monkeypatch, documents_a_pass
):
    monkeypatch.setattr(attribution, "DOCUMENTS_A_PASS", documents_a_pass)
    output = tmp_path / "list.parquet"
    write_attribution(run, output)
    table = pq.read_table(output)
    assert table.schema.equals(SCHEMA)
    found = Counter()
    for row in table.to_pylist():
        assert row["tokens"] == sum(row["shard_tokens"])
        assert {name.partition("-")[0] for name in row["shards"]} == {row["split"]}
        for name, tokens in zip(row["shards"], row["shard_tokens"], strict=True):
            found[row["repository"], row["path"], name] += tokens
    names = named(run)
    expected = slow_attribution(run)
    assert found == {(*names[d], shard): tokens for (d, shard), tokens in expected.items()}
    assert len(table) == len({document for document, _ in expected}) == 5


def test_tokens_add_up_with_those_of_the_shards(run, tmp_path):
    found = write_attribution(run, tmp_path / "list.parquet")
    tables_ = shards(run).values()
    assert found.tokens == sum(table["length"].to_numpy().sum() for table in tables_)
    ids = [table["input_ids"].combine_chunks().values.to_numpy() for table in tables_]
    assert found.tokens + found.padding == sum(map(len, ids))
    ends = sum(int((each == END_OF_TEXT_ID).sum()) for each in ids)
    assert found.documents + found.padding == ends
    text = run.manifest(tables.TOKENS).statistics["tokens"]
    assert found.tokens == text + found.documents
    rows = pq.read_table(tmp_path / "list.parquet")
    for split in ("train", "validation"):
        own = np.array(rows["split"].to_pylist()) == split
        total = rows["tokens"].to_numpy()[own].sum()
        assert total == run.manifest(tables.SHARDS).statistics[f"{split}.tokens"]


def test_what_is_said_of_a_document_is_what_its_table_says(run, tmp_path):
    write_attribution(run, tmp_path / "list.parquet")
    said = list(SCHEMA.names[: -len(attribution._COUNTS)])
    rows = pq.read_table(tmp_path / "list.parquet", columns=said).to_pylist()
    stored = [
        row
        for path in sorted((run.path / tables.DOCUMENTS).glob("part-*"))
        for row in read_part(path, said).to_pylist()
    ]
    assert [row for row in stored if row in rows] == rows


def test_the_three_kinds_of_files_say_the_same(run, tmp_path):
    for suffix in ("csv", "jsonl", "parquet"):
        write_attribution(run, tmp_path / f"list.{suffix}")
    rows = pq.read_table(tmp_path / "list.parquet").to_pylist()
    lines = (tmp_path / "list.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == rows
    with (tmp_path / "list.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    assert [row["path"] for row in cells] == [row["path"] for row in rows]
    assert [row["shards"] for row in cells] == ["; ".join(row["shards"]) for row in rows]


def test_the_command_prints_tokens_by_license(run):
    output = call("attribution", run.path).output
    assert f"5 documents are listed in {run.path}/attribution.csv" in output
    assert "none found" in output
    assert "100.0%" in output
    body = json.loads(call("attribution", run.path, "--json").output)
    assert sum(each["tokens"] for each in body["licenses"]) == body["tokens"]
    assert call("verify", run.path).output.count(" ok") == len(CORPUS_TABLES)


def test_licenses_are_in_the_order_of_their_tokens():
    found = attribution.Attribution()
    columns = {
        "license": ["MIT", None, "MIT", "A AND B"],
        "tokens": [2, 3, 2, 3],
        "copies": [1, 1, 2, 1],
    }
    found.add(pa.record_batch(columns))
    assert [(each.license, each.documents, each.tokens) for each in found.licenses] == [
        ("MIT", 2, 4),
        ("A AND B", 1, 3),
        ("none found", 1, 3),
    ]
    assert found.copies == 5


def test_copies_of_epochs_and_weights_are_counted(run, tmp_path):
    before = write_attribution(run, tmp_path / "before.parquet")
    run_again(run, "shard.epochs=2", "shard.mixture.weights={repository: {directory/alpha: 3}}")
    after = write_attribution(run, tmp_path / "after.parquet")
    assert after.documents == before.documents
    rows = pq.read_table(tmp_path / "after.parquet").to_pylist()
    for row in rows:
        repeated = 6 if row["repository"] == "directory/alpha" else 2
        assert row["copies"] == (repeated if row["split"] == "train" else 1)
    assert after.copies == sum(row["copies"] for row in rows) > before.copies
    shards = run.manifest(tables.SHARDS).statistics
    assert after.tokens == shards["train.tokens"] + shards["validation.tokens"]
    output = call("attribution", run.path).output
    assert f"of which {after.copies} are ends of text" in output


def test_a_run_that_rejects_everything_has_an_empty_list(configure, tmp_path):
    run = run_configuration(configure(select={"rules": {"all": "size >= 0"}}))
    found = write_attribution(run, tmp_path / "list.parquet")
    assert (found.documents, found.tokens) == (0, 0)
    assert pq.read_table(tmp_path / "list.parquet").num_rows == 0


def test_a_run_without_shards_says_what_to_do(configure, tmp_path):
    run = run_configuration(configure(), stages=("tokenize",))
    with pytest.raises(UserError, match="has no shards yet: `repomill run CONFIG` makes them"):
        write_attribution(run, tmp_path / "list.csv")
    assert not (tmp_path / "list.csv").exists()


def test_shards_of_other_documents_are_refused(run, tmp_path, configure, projects):
    (projects / "alpha" / "first.py").write_text("x = 1\n" * 50)
    configuration = configure(crawl={"parts": 3, "max_file_bytes": 999_999})
    run_configuration(configuration, stages=("crawl",))
    with pytest.raises(UserError, match="made of other documents than it holds now"):
        write_attribution(run, tmp_path / "list.csv")


def test_shards_that_do_not_hold_what_they_should_are_refused(run, tmp_path):
    path = run.path / tables.SHARDS / "manifest.json"
    manifest = Manifest.from_json(path.read_text())
    statistics = dict(manifest.statistics)
    statistics["train.tokens"] += 1
    changed = Manifest(**{**vars(manifest), "statistics": statistics})
    path.write_text(changed.to_json())
    with pytest.raises(UserError, match="says what is damaged"):
        write_attribution(run, tmp_path / "list.csv")
    assert not (tmp_path / "list.csv").exists()


def test_a_table_that_is_gone_is_no_success(run, tmp_path):
    shutil.rmtree(run.path / tables.TOKENS)
    with pytest.raises(UserError, match="run the same configuration again"):
        write_attribution(run, tmp_path / "list.csv")
