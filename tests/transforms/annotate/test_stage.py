import dataclasses
import hashlib

import pytest

from schemas import tables
from schemas.fingerprints import EMPTY_SIGNATURE
from tests.transforms.builders import (
    ANNOTATED,
    Repository,
    part_names,
    read_column,
    run_stage,
    slow_shingles,
    words,
    write_run,
)
from transforms.annotate import stage
from transforms.annotate.contamination.building import build_index, comparison_of
from transforms.annotate.contamination.problems import Problem
from transforms.annotate.stage import AnnotateDocuments, AnnotateOptions, learn
from transforms.parts import read_part

OPTIONS = AnnotateOptions(permutations=8, seed=1)
LATIN = "a caf\u00e9 of five words\n".encode("latin-1")
CRAWLED = [
    Repository("a", {"empty.py": b"", "words.py": words(0, 20), "short.py": b"x = 1\n"}),
    Repository(
        "b", {"words.py": words(0, 20), "latin.py": LATIN}, encodings={"latin.py": "latin-1"}
    ),
    Repository("c", {"utf8.py": LATIN.decode("latin-1").encode(), "symbols.py": b"()\n" * 9}),
]


@pytest.fixture
def annotated(tmp_path):
    workspace = write_run(tmp_path, CRAWLED, parts=3)
    run_stage(AnnotateDocuments(workspace, part_names(workspace), OPTIONS))
    return workspace


def test_describes_every_document_at_its_place(annotated):
    characters = read_column(annotated, tables.QUALITY, "characters")
    hashes = read_column(annotated, tables.FINGERPRINT, "content_hash")
    shingles = read_column(annotated, tables.FINGERPRINT, "shingles")
    for repository in CRAWLED:
        for path, content in repository.files.items():
            key = repository.name, path
            text = content.decode((repository.encodings or {}).get(path, "utf-8"))
            assert characters[key] == len(text)
            assert hashes[key] == hashlib.sha256(content).digest()[:16]
            assert shingles[key] == len(slow_shingles(text.encode()))


def test_equal_texts_have_equal_signatures_in_any_part_and_encoding(annotated):
    signatures = read_column(annotated, tables.FINGERPRINT, "signature")
    assert signatures["a", "words.py"] == signatures["b", "words.py"]
    assert signatures["b", "latin.py"] == signatures["c", "utf8.py"]
    assert signatures["a", "words.py"] != signatures["c", "utf8.py"]
    assert signatures["a", "empty.py"] == signatures["c", "symbols.py"] == [EMPTY_SIGNATURE] * 8


SECRET = b"contact = 'jane.roe@acme-widgets.com'\n"
TASK = b"def rescue(kittens, from_trees, with_ladders, before_noon): pass\n"
PROBLEM = Problem("pets", "pets/0", (TASK,))


def test_finds_secrets_and_benchmarks_at_their_documents(tmp_path):
    index = build_index(
        [PROBLEM], comparison_of(5, ignore_whitespace=True, ignore_identifiers=False)
    )
    path = tmp_path / "index.arrow"
    path.write_bytes(index.to_bytes())
    crawled = [
        Repository("a", {"mail.py": SECRET, "own.py": words(0, 40)}),
        Repository("b", {"copy.py": b"# " + TASK}),
    ]
    workspace = write_run(tmp_path / "run", crawled, parts=2)
    options = dataclasses.replace(OPTIONS, benchmarks=str(path))
    run_stage(AnnotateDocuments(workspace, part_names(workspace), options))
    spans = read_column(workspace, tables.SECRETS, "spans")
    [span] = spans.pop(("a", "mail.py"))
    assert SECRET[span["start"] : span["end"]] == b"jane.roe@acme-widgets.com"
    assert not any(spans.values())
    assert read_column(workspace, tables.CONTAMINATION, "benchmark_task") == {
        ("a", "mail.py"): None,
        ("a", "own.py"): None,
        ("b", "copy.py"): "pets/0",
    }


def test_works_once_on_a_content_that_a_part_has_again(tmp_path, monkeypatch):
    files = {"one.py": words(0, 30), "tests/two.py": words(0, 30), "z.py": words(0, 30)}
    workspace = write_run(tmp_path, [Repository("a", files)], parts=1)
    learned = []

    def watch(documents, *rest):
        learned.append(len(documents))
        return learn(documents, *rest)

    monkeypatch.setattr(stage, "learn", watch)
    run_stage(AnnotateDocuments(workspace, part_names(workspace), OPTIONS))
    assert sum(learned) == 1
    # What its name says of a document is its own.
    evidence = read_column(workspace, tables.QUALITY, "test")
    assert [path for (_, path), found in evidence.items() if found] == ["tests/two.py"]


@pytest.mark.parametrize("normalized", [True, False])
def test_hashes_without_comments_are_made_on_demand(tmp_path, normalized):
    files = {"a.py": b"x = 1  # one\n", "b.py": b"x = 1\n"}
    workspace = write_run(tmp_path, [Repository("a", files)], parts=1)
    options = dataclasses.replace(OPTIONS, normalized=normalized)
    run_stage(AnnotateDocuments(workspace, part_names(workspace), options))
    one, other = read_column(workspace, tables.FINGERPRINT, "normalized_hash").values()
    assert one == other
    assert (one is not None) == normalized


def test_every_part_has_a_receipt_and_all_attributes(annotated):
    names = part_names(annotated)
    receipts = annotated.receipts()
    assert [f"{unit}.parquet" for unit in receipts] == names
    for name, receipt in zip(names, receipts.values(), strict=True):
        rows = read_part(annotated.committed(tables.DOCUMENTS, name)).num_rows
        for table in ANNOTATED:
            [entry] = receipt.files[table]
            assert (entry.name, entry.rows) == (name, rows)


def test_a_part_without_documents_has_attributes_without_rows(tmp_path):
    workspace = write_run(tmp_path, [], parts=1)
    run_stage(AnnotateDocuments(workspace, part_names(workspace), OPTIONS))
    for table in ANNOTATED:
        assert read_part(workspace.staged(table, "part-00000.parquet")).num_rows == 0


def test_the_number_of_workers_does_not_matter(annotated, tmp_path):
    other = write_run(tmp_path / "other", CRAWLED, parts=3)
    run_stage(AnnotateDocuments(other, part_names(other), OPTIONS), workers=4)
    assert other.receipts() == annotated.receipts()
