import hashlib

import numpy as np
import pyarrow as pa
import pytest

from schemas import tables, tokens
from schemas.secrets import SECRETS
from schemas.selection import SELECTION
from tests.transforms.builders import (
    Repository,
    document_names,
    large_binary,
    part_names,
    run_stage,
    words,
    write_run,
)
from transforms.parts import PartWriter, map_stream, read_part
from transforms.tokenize.stage import TokenizeDocuments, TokenizePart, encode_texts
from transforms.tokenizers import loading
from transforms.tokenizers.engines import GigatokenEngine, TokenizersEngine
from transforms.tokenizers.loading import load_tokenizer

REJECTED = {("a", "rejected.py"), ("c", "all.py"), ("c", "of it.py")}
CRAWLED = [
    Repository("a", {"empty.py": b"", "long.py": words(0, 400), "rejected.py": b"no"}),
    Repository("b", {"latin.py": b"caf\xe9\n"}, encodings={"latin.py": "latin-1"}),
    Repository("b2", {"bom.py": b"\xef\xbb\xbfx"}, encodings={"bom.py": "utf-8-sig"}),
    Repository("c", {"all.py": b"rejected", "of it.py": b"rejected"}),
]


def prepare(folder, crawled=CRAWLED, parts=3):
    workspace = write_run(folder, crawled, parts)
    for name in part_names(workspace):
        documents = workspace.committed(tables.DOCUMENTS, name)
        rows = read_part(documents, ["repository", "path"]).to_pylist()
        rules = ["unwanted" if tuple(row.values()) in REJECTED else None for row in rows]
        with PartWriter(workspace.committed(tables.SELECTION, name), SELECTION) as writer:
            writer.write(pa.record_batch([pa.array(rules, pa.string())], schema=SELECTION))
    return workspace


def tokenize(workspace, workers=2):
    run_stage(TokenizeDocuments(workspace, part_names(workspace), "p50k"), workers)
    return workspace


@pytest.fixture(scope="module")
def tokenized(tmp_path_factory):
    return tokenize(prepare(tmp_path_factory.mktemp("run")))


def token_files(workspace):
    names = [name.replace(".parquet", ".arrow") for name in part_names(workspace)]
    return [workspace.staged(tables.TOKENS, name) for name in names]


def test_encodes_the_selected_documents_and_no_others(tokenized):
    tokenizer = load_tokenizer("p50k")
    names = document_names(tokenized)
    found = {}
    for part, path in enumerate(token_files(tokenized)):
        table = map_stream(path)
        documents = table["document"].to_pylist()
        assert documents == sorted(documents)
        assert all(document >> 32 == part for document in documents)
        found |= dict(zip(documents, table["input_ids"].to_pylist(), strict=True))
    texts = {
        (repository.name, path): content.decode((repository.encodings or {}).get(path, "utf-8"))
        for repository in CRAWLED
        for path, content in repository.files.items()
    }
    assert {names[document]: tokenizer.decode(ids) for document, ids in found.items()} == {
        name: text for name, text in texts.items() if name not in REJECTED
    }
    for document, ids in found.items():
        assert ids == tokenizer.encode(texts[names[document]], add_special_tokens=False).ids


def test_ids_are_stored_in_two_bytes(tokenized):
    schema = map_stream(token_files(tokenized)[0]).schema
    assert schema.equals(tokens.schema(pa.uint16()))


def test_receipts_count_documents_bytes_and_tokens(tokenized):
    totals = {}
    for receipt in tokenized.receipts().values():
        for name, count in receipt.statistics.items():
            totals[name] = totals.get(name, 0) + count
    ids = sum(len(row) for path in token_files(tokenized) for row in map_stream(path)["input_ids"])
    # Bytes are of the text as it is tokenized: UTF-8, no byte order mark.
    assert totals == {
        "documents": 4,
        "bytes": len(words(0, 400)) + len("caf\u00e9\n".encode()) + 1,
        "tokens": ids,
        "parts.gigatoken": 3,
    }


def test_the_tokenizer_stands_beside_the_tokens(tokenized):
    path = tokenized.staged(tables.TOKENS, tokens.TOKENIZER_FILE)
    assert path.read_text() == load_tokenizer("p50k").to_str()
    [entry] = tokenized.receipts()["tokenizer"].files[tables.TOKENS]
    assert (entry.name, entry.rows) == ("tokenizer.json", 0)
    assert entry.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("workers", [1, 4])
def test_the_number_of_workers_does_not_matter(tokenized, tmp_path, workers):
    other = tokenize(prepare(tmp_path), workers)
    assert other.receipts() == tokenized.receipts()


def test_a_run_without_documents_has_tokens_without_rows(tmp_path):
    workspace = tokenize(prepare(tmp_path, crawled=[], parts=1))
    assert map_stream(token_files(workspace)[0]).num_rows == 0


@pytest.mark.parametrize("engine", [TokenizersEngine, GigatokenEngine])
def test_rows_hold_the_ids_of_each_text(engine):
    schema = tokens.schema(pa.uint16())
    texts = large_binary([b"x = 1", b"", b"y"])
    ids = pa.array([5, 6, 7], pa.uint64())
    batch = encode_texts(engine(load_tokenizer("p50k")), texts, ids, schema)
    assert batch.schema.equals(schema)
    assert batch["document"].to_pylist() == [5, 6, 7]
    assert batch["input_ids"].to_pylist() == [[87, 796, 352], [], [88]]


def test_a_wrong_fast_engine_leaves_the_ids_as_they_are(tokenized, tmp_path, monkeypatch):
    rightly = GigatokenEngine.encode

    def lie(self, texts):
        ids, offsets = rightly(self, texts)
        return ids + np.uint32(1), offsets

    monkeypatch.setattr(GigatokenEngine, "encode", lie)
    # An engine that was chosen before is not chosen anew.
    monkeypatch.setattr(loading, "_choose_engine", loading._choose_engine.__wrapped__)
    other = tokenize(prepare(tmp_path))
    statistics = [receipt.statistics for receipt in other.receipts().values()]
    assert sum(counts.get("parts.tokenizers", 0) for counts in statistics) == 3
    for mine, theirs in zip(token_files(other), token_files(tokenized), strict=True):
        assert map_stream(mine).equals(map_stream(theirs))


def with_secrets(workspace, spans):
    """Writes ``attributes/secrets`` with the spans of some documents, by their names."""
    for name in part_names(workspace):
        documents = workspace.committed(tables.DOCUMENTS, name)
        rows = read_part(documents, ["repository", "path"]).to_pylist()
        listed = [spans.get(tuple(row.values()), []) for row in rows]
        zeros = pa.array([0] * len(rows))
        with PartWriter(workspace.committed(tables.SECRETS, name), SECRETS) as writer:
            column = pa.array(listed, SECRETS.field("spans").type)
            writer.write(pa.record_batch([column, zeros, zeros, zeros], schema=SECRETS))
    return workspace


def redacted_texts(workspace, redact):
    run_stage(TokenizeDocuments(workspace, part_names(workspace), "p50k", redact))
    tokenizer, names = load_tokenizer("p50k"), document_names(workspace)
    return {
        names[row["document"]]: tokenizer.decode(row["input_ids"])
        for path in token_files(workspace)
        for row in map_stream(path).to_pylist()
    }


SPAN = {"start": 3, "end": 9, "kind": "email"}


@pytest.mark.parametrize(
    ("redact", "text"),
    [((), "To a@b.co 1"), (("key",), "To a@b.co 1"), (("email", "key"), "To <EMAIL> 1")],
)
def test_redacts_secrets_of_the_chosen_classes_in_the_text_without_its_mark(tmp_path, redact, text):
    files = {"mail.py": b"\xef\xbb\xbfTo a@b.co 1", "other.py": b"To a@b.co 1"}
    crawled = [Repository("a", files, encodings={"mail.py": "utf-8-sig"})]
    workspace = with_secrets(prepare(tmp_path, crawled), {("a", "mail.py"): [SPAN]})
    texts = redacted_texts(workspace, redact)
    assert texts == {("a", "mail.py"): text, ("a", "other.py"): "To a@b.co 1"}


def test_counts_what_was_redacted_in_selected_documents_alone(tmp_path):
    crawled = [Repository("a", {"kept.py": b"To a@b.co 1", "rejected.py": b"To a@b.co 1"})]
    spans = {("a", "kept.py"): [SPAN], ("a", "rejected.py"): [SPAN]}
    workspace = with_secrets(prepare(tmp_path, crawled, parts=1), spans)
    work = TokenizePart(workspace, "p50k", b"", ("email", "key"))
    (name,) = part_names(workspace)
    statistics = work(name.removesuffix(".parquet")).statistics
    assert (statistics["redacted.email"], statistics["redacted.key"]) == (1, 0)
