import functools
import hashlib

import numpy as np
import pyarrow as pa
import pytest
from tokenizers import Tokenizer

from schemas import tables, tokens
from schemas.secrets import SECRETS
from schemas.selection import SELECTION
from schemas.tokenizers import BASE_FILE, TOKENIZER_FILE
from tests.transforms.builders import (
    Repository,
    document_names,
    part_names,
    run_stage,
    words,
    write_run,
    write_tokenizer,
)
from tests.transforms.tokenizers.builders import TEXTS
from transforms.parts import PartWriter, map_stream, read_part
from transforms.stores.files import write_whole
from transforms.tokenize import encoding
from transforms.tokenize.encoding import EncodingOptions
from transforms.tokenize.fim import CutLevel, FimOptions
from transforms.tokenize.headers import Header
from transforms.tokenize.order import Order
from transforms.tokenize.stage import TokenizeDocuments, TokenizeOptions, TokenizePart
from transforms.tokenizers import loading
from transforms.tokenizers.engines import GigatokenEngine
from transforms.tokenizers.loading import Sample
from transforms.tokenizers.runs import add_whitespace_runs
from transforms.tokenizers.special import add_special_tokens
from transforms.tokenizers.training import train_tokenizer
from transforms.tokenizers.vocabulary import END_OF_TEXT

REJECTED = {("a", "rejected.py"), ("c", "all.py"), ("c", "of it.py")}
CRAWLED = [
    Repository("a", {"empty.py": b"", "long.py": words(0, 400), "rejected.py": b"no"}),
    Repository("b", {"latin.py": b"caf\xe9\n"}, encodings={"latin.py": "latin-1"}),
    Repository("b2", {"bom.py": b"\xef\xbb\xbfx"}, encodings={"bom.py": "utf-8-sig"}),
    Repository("c", {"all.py": b"rejected", "of it.py": b"rejected"}),
]
DEFAULTS = TokenizeOptions()


@functools.cache
def base():
    """A small tokenizer, which is quick to load."""
    return train_tokenizer(TEXTS, 340, "gpt2", 25)


@functools.cache
def tokenizer():
    return add_whitespace_runs(base(), 25)


def prepare(folder, crawled=CRAWLED, parts=3):
    workspace = write_run(folder, crawled, parts)
    for name in part_names(workspace):
        documents = workspace.committed(tables.DOCUMENTS, name)
        rows = read_part(documents, ["repository", "path"]).to_pylist()
        rules = ["unwanted" if tuple(row.values()) in REJECTED else None for row in rows]
        with PartWriter(workspace.committed(tables.SELECTION, name), SELECTION) as writer:
            writer.write(pa.record_batch([pa.array(rules, pa.string())], schema=SELECTION))
    write_tokenizer(workspace, tokenizer(), end_of_text=END_OF_TEXT)
    write_whole(workspace.committed(tables.TOKENIZER, BASE_FILE), base().to_str().encode())
    return workspace


def tokenize(workspace, workers=2, options=DEFAULTS):
    text = workspace.committed(tables.TOKENIZER, TOKENIZER_FILE).read_text()
    # One that is read goes by what it is.
    digest = hashlib.sha256(text.encode()).hexdigest()
    run_stage(TokenizeDocuments(workspace, part_names(workspace), digest, options), workers)
    return workspace


@pytest.fixture(scope="module")
def tokenized(tmp_path_factory):
    return tokenize(prepare(tmp_path_factory.mktemp("run")))


def token_files(workspace):
    names = [name.replace(".parquet", ".arrow") for name in part_names(workspace)]
    return [workspace.staged(tables.TOKENS, name) for name in names]


def test_encodes_the_selected_documents_and_no_others(tokenized):
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
    assert {names[document]: tokenizer().decode(ids) for document, ids in found.items()} == {
        name: text for name, text in texts.items() if name not in REJECTED
    }
    for document, ids in found.items():
        assert ids == tokenizer().encode(texts[names[document]], add_special_tokens=False).ids


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
        "text_tokens": ids,
        "text_tokens_without_runs": ids,
        "text_tokens.python": ids,
        "characters.python": len(words(0, 400)) + len("caf\u00e9\n") + 1,
        "parts.gigatoken": 3,
    }


@pytest.mark.parametrize("workers", [1, 4])
def test_the_number_of_workers_does_not_matter(tokenized, tmp_path, workers):
    other = tokenize(prepare(tmp_path), workers)
    assert other.receipts() == tokenized.receipts()


def test_a_run_without_documents_has_tokens_without_rows(tmp_path):
    workspace = tokenize(prepare(tmp_path, crawled=[], parts=1))
    assert map_stream(token_files(workspace)[0]).num_rows == 0


def test_a_wrong_fast_engine_leaves_the_ids_as_they_are(tokenized, tmp_path, monkeypatch):
    rightly = GigatokenEngine.encode

    def lie(self, texts):
        ids, offsets = rightly(self, texts)
        return ids + np.uint32(1), offsets

    monkeypatch.setattr(GigatokenEngine, "encode", lie)
    # An engine that was chosen before is not chosen anew.
    monkeypatch.setattr(loading, "_choose_engine", loading._choose_engine.__wrapped__)
    monkeypatch.setattr(encoding, "_read", {})
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


def decoded(workspace):
    """The text of the tokens of each document, by its name."""
    text = workspace.committed(tables.TOKENIZER, TOKENIZER_FILE).read_text()
    own, names = Tokenizer.from_str(text), document_names(workspace)
    return {
        names[row["document"]]: own.decode(row["input_ids"], skip_special_tokens=False)
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
    texts = decoded(tokenize(workspace, options=TokenizeOptions(redact)))
    assert texts == {("a", "mail.py"): text, ("a", "other.py"): "To a@b.co 1"}


def test_counts_what_was_redacted_in_selected_documents_alone(tmp_path):
    crawled = [Repository("a", {"kept.py": b"To a@b.co 1", "rejected.py": b"To a@b.co 1"})]
    spans = {("a", "kept.py"): [SPAN], ("a", "rejected.py"): [SPAN]}
    workspace = with_secrets(prepare(tmp_path, crawled, parts=1), spans)
    work = TokenizePart(workspace, TokenizeOptions(("email", "key")), "p50k", Sample())
    (name,) = part_names(workspace)
    statistics = work(name.removesuffix(".parquet")).statistics
    assert (statistics["redacted.email"], statistics["redacted.key"]) == (1, 0)


SPECIAL = {
    "fim_prefix": "<PRE>",
    "fim_middle": "<MID>",
    "fim_suffix": "<SUF>",
    "repository": "<REPO>",
    "path": "<PATH>",
    "content": "<TEXT>",
}


def with_special_tokens(workspace):
    extended = add_special_tokens(tokenizer(), list(SPECIAL.values()))
    write_tokenizer(workspace, extended, end_of_text=END_OF_TEXT, **SPECIAL)
    return workspace


CODE = b"import b\n\n\ndef f(x):\n        return <|endoftext|>\n"
NAMED = [Repository("one", {"a.py": CODE, "b.py": b"", "sub/<PATH>.py": b"y = 2"})]


def test_a_header_of_text_is_a_comment_with_path_and_repository(tmp_path):
    options = TokenizeOptions(encoding=EncodingOptions(header=Header.TEXT))
    workspace = tokenize(prepare(tmp_path, NAMED), options=options)
    assert decoded(workspace) == {
        ("one", "a.py"): "# a.py (one)\n" + CODE.decode(),
        ("one", "b.py"): "# b.py (one)\n",
        ("one", "sub/<PATH>.py"): "# sub/<PATH>.py (one)\ny = 2",
    }


def test_a_header_of_special_tokens_holds_names_as_text(tmp_path):
    options = TokenizeOptions(encoding=EncodingOptions(header=Header.SPECIAL))
    workspace = tokenize(with_special_tokens(prepare(tmp_path, NAMED)), options=options)
    assert decoded(workspace)["one", "sub/<PATH>.py"] == "<REPO>one<PATH>sub/<PATH>.py<TEXT>y = 2"
    special = Tokenizer.from_str(
        workspace.committed(tables.TOKENIZER, TOKENIZER_FILE).read_text()
    ).token_to_id("<PATH>")
    rows = [row for path in token_files(workspace) for row in map_stream(path).to_pylist()]
    assert [row["input_ids"].count(special) for row in rows] == [1, 1, 1]


@pytest.mark.parametrize("level", list(CutLevel))
def test_gaps_are_made_in_the_text_and_not_in_the_header(tmp_path, level):
    fim = FimOptions(rate=1.0, spm_rate=0.0, level=level, seed=3)
    options = TokenizeOptions(encoding=EncodingOptions(fim, Header.TEXT))
    workspace = tokenize(with_special_tokens(prepare(tmp_path, NAMED)), options=options)
    text = decoded(workspace)["one", "a.py"]
    header, _, arranged = text.partition("<PRE>")
    prefix, _, rest = arranged.partition("<SUF>")
    suffix, _, middle = rest.partition("<MID>")
    assert header == "# a.py (one)\n"
    assert prefix + middle + suffix == CODE.decode()
    # Nothing can be taken out of an empty document.
    assert decoded(workspace)["one", "b.py"] == "# b.py (one)\n"


def total(workspace, name):
    return sum(receipt.statistics.get(name, 0) for receipt in workspace.receipts().values())


@pytest.mark.parametrize(
    "added",
    [
        EncodingOptions(),
        EncodingOptions(header=Header.SPECIAL),
        EncodingOptions(FimOptions(rate=1.0, level=CutLevel.TOKEN)),
        EncodingOptions(FimOptions(rate=1.0, level=CutLevel.CHARACTER), Header.TEXT),
    ],
)
def test_statistics_of_text_leave_out_what_was_added(tmp_path, added):
    workspace = with_special_tokens(prepare(tmp_path, NAMED, parts=1))
    tokenize(workspace, options=TokenizeOptions(encoding=added))
    texts = [content.decode() for content in NAMED[0].files.values()]
    plain = [tokenizer().encode(text, add_special_tokens=False).ids for text in texts]
    if added.fim is None or added.fim.level is CutLevel.TOKEN:
        assert total(workspace, "text_tokens") == sum(map(len, plain))
        without = [base().encode(text, add_special_tokens=False).ids for text in texts]
        assert total(workspace, "text_tokens_without_runs") == sum(map(len, without))
    assert total(workspace, "characters.python") == sum(map(len, texts))
    assert total(workspace, "text_tokens.python") == total(workspace, "text_tokens")
    rows = [row for path in token_files(workspace) for row in map_stream(path)["input_ids"]]
    assert total(workspace, "tokens") == sum(map(len, rows))
    more = total(workspace, "tokens") - total(workspace, "text_tokens")
    assert (more > 0) == (added != EncodingOptions())


def ranks(workspace):
    names = document_names(workspace)
    found = {}
    for name, path in zip(part_names(workspace), token_files(workspace), strict=True):
        documents = map_stream(path)["document"].to_pylist()
        order = read_part(workspace.staged(tables.READING_ORDER, name))["rank"].to_pylist()
        found |= dict(zip((names[each] for each in documents), order, strict=True))
    return found


def test_files_are_read_by_path_unless_asked_otherwise(tmp_path):
    found = ranks(tokenize(prepare(tmp_path, NAMED, parts=1)))
    assert found == {("one", "a.py"): 0, ("one", "b.py"): 1, ("one", "sub/<PATH>.py"): 2}


def test_what_a_file_imports_is_read_before_it_in_each_repository(tmp_path):
    files = {"a.py": b"from b import x\n", "b.py": b"import c", "c.py": b"", "d.py": b"import a"}
    crawled = [Repository(name, files) for name in ("one", "two")]
    workspace = prepare(tmp_path, crawled, parts=1)
    found = ranks(tokenize(workspace, options=TokenizeOptions(order=Order.IMPORTS)))
    for first, name in ((0, "one"), (4, "two")):
        order = sorted("abcd", key=lambda letter: found[name, f"{letter}.py"])
        assert order == ["c", "b", "a", "d"]
        assert {found[name, path] for path in files} == set(range(first, first + 4))
