import dataclasses
import io
import json
import shutil
import sys

import numpy as np
import pyarrow as pa
import pytest
import yaml

from pipeline.errors import UsageError, UserError
from pipeline.folder import RunFolder
from pipeline.similar import find_similar, read_query, tell_similar
from schemas import tables
from schemas.bands import BandIndexSettings, bands_schema
from schemas.fingerprints import EMPTY_SIGNATURE, fingerprint_schema
from schemas.manifest import FILE_NAME
from tests.pipeline.conftest import module
from tests.pipeline.runs import run_configuration
from transforms.annotate.fingerprints import FingerprintOptions, fingerprint_texts
from transforms.buffers import utf8_contents
from transforms.deduplicate.bands import hash_bands, optimal_banding
from transforms.parts import PartWriter, read_part

FILES = 3


PROJECTS = {
    "alpha/alpha/core.py": module(0, 40),
    "alpha/alpha/__init__.py": "",
    "beta/core.py": module(0, 40),
    "beta/near.py": module(2, 40),
    "gamma/latin.py": "# -*- coding: latin-1 -*-\nname = 'Gr\u00fc\u00dfe'\n".encode("latin-1"),
    "delta/main.py": module(9000, 60),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A deduplicated run, which no test changes."""
    folder = tmp_path_factory.mktemp("similar")
    for name, content in PROJECTS.items():
        path = folder / "projects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    body = {
        "sources": [{"directory": {"path": str(folder / "projects"), "repositories": "each"}}],
        "output": str(folder / "run"),
        "crawl": {"parts": 3},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(body))
    return run_configuration(folder / "config.yaml", stages=("deduplicate",))


def write_index(run):
    """Commits the index of the bands of all documents but copies of others, as the stage does."""
    manifest = run.manifest(tables.FINGERPRINT)
    threshold = run.manifest(tables.DUPLICATES).settings["threshold"]
    permutations, seed = manifest.settings["permutations"], manifest.settings["seed"]
    banding = optimal_banding(threshold, permutations)
    claims = []
    first = 0
    for entry in manifest.files:
        column = read_part(run.path / tables.FINGERPRINT / entry.name)["signature"]
        values = column.combine_chunks().flatten().to_numpy().reshape(-1, permutations)
        levels = read_part(run.path / tables.DUPLICATES / entry.name)["level"].to_numpy()
        signed = np.flatnonzero((values[:, 0] != EMPTY_SIGNATURE) & (levels != "exact"))
        ordinals = (first + signed).astype(np.uint64)[:, None]
        hashes = hash_bands(values[signed], banding)
        claims.append((hashes >> np.uint64(32) << np.uint64(32) | ordinals).reshape(-1))
        first += len(values)
    entries = np.sort(np.concatenate(claims))
    settings = BandIndexSettings(permutations, seed, banding.bands, banding.rows)
    schema = bands_schema(settings)
    written = []
    for number, part in enumerate(np.array_split(entries, FILES)):
        path = run.path / tables.BANDS / tables.part_name(number, "arrow")
        with PartWriter(path, schema) as writer:
            writer.write(pa.record_batch([pa.array(part)], schema))
        written.append(writer.entry)
    body = dataclasses.replace(manifest, table=tables.BANDS, files=tuple(written))
    (run.path / tables.BANDS / FILE_NAME).write_text(body.to_json())


def sign_again(run):
    """Writes the fingerprints of a run with normalized hashes, whatever it was told."""
    settings = run.manifest(tables.FINGERPRINT).settings
    options = FingerprintOptions(settings["permutations"], settings["seed"], normalized=True)
    for entry in run.manifest(tables.FINGERPRINT).files:
        columns = read_part(run.path / tables.DOCUMENTS / entry.name)
        texts = utf8_contents(
            columns["content"].combine_chunks(), columns["encoding"].combine_chunks()
        )
        names = (columns[name].combine_chunks() for name in ("sha256", "language"))
        path = run.path / tables.FINGERPRINT / entry.name
        with PartWriter(path, fingerprint_schema(options.permutations)) as writer:
            writer.write(fingerprint_texts(texts, *names, options))


@pytest.fixture(scope="module", params=["indexed", "scanned"])
def either(run, tmp_path_factory, request):
    """A run with an index, and the same one without."""
    copy = RunFolder(tmp_path_factory.mktemp(request.param) / "run")
    shutil.copytree(run.path, copy.path)
    shutil.rmtree(copy.path / tables.BANDS, ignore_errors=True)
    sign_again(copy)
    if request.param == "indexed":
        write_index(copy)
    return copy


@pytest.fixture
def ask(tmp_path, either):
    def write_and_find(content, name="query.py", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return find_similar(either, read_query(str(path)), **options)

    return write_and_find


def names(found):
    return [(match.path, match.level, match.kept) for match in found.matches]


def test_finds_the_same_and_the_similar_with_their_exact_similarity(ask):
    found = ask(module(0, 40))
    same = [match for match in found.matches if match.level == "exact"]
    assert [(match.path, match.similarity) for match in same] == [
        ("alpha/core.py", 1.0),
        ("core.py", 1.0),
    ]
    assert [match.kept for match in same] == [True, False]
    [near] = [match for match in found.matches if match.level == "near"]
    assert near.path == "near.py"
    assert 0.7 <= near.similarity < 1
    assert found.complete


def test_finds_the_copies_of_what_is_similar(ask):
    # Only one of those of equal bytes is in the index.
    found = ask(module(1, 40))
    assert [m.path for m in found.matches] == ["near.py", "alpha/core.py", "core.py"] or [
        m.path for m in found.matches
    ] == ["alpha/core.py", "core.py", "near.py"]
    assert {m.path: m.kept for m in found.matches}["core.py"] is False
    assert len({m.similarity for m in found.matches if m.path != "near.py"}) == 1


def test_compares_with_dropped_documents_too(ask):
    # Identical to a dropped document, which has no entry but by what it says.
    found = ask(module(2, 40))
    assert found.matches[0].path == "near.py"
    assert found.matches[0].level == "exact"


def test_finds_a_text_that_the_run_does_not_have(ask):
    found = ask(module(9003, 60))
    [match] = found.matches
    assert (match.path, match.level, match.kept) == ("main.py", "near", True)
    assert match.similarity == pytest.approx(0.9, abs=0.05)


def test_finds_what_is_the_same_without_comments_where_asked_to(ask):
    text = module(0, 40).replace("\n", "  # some comment of many words here\n")
    assert "normalized" not in {match.level for match in ask(text).matches}
    found = ask(text, normalized=True)
    assert [(m.path, m.level) for m in found.matches] == [
        ("alpha/core.py", "normalized"),
        ("core.py", "normalized"),
    ]
    assert all(0 < match.similarity < 0.7 for match in found.matches)
    # Its language is not known by this name, so that nothing is taken for a comment.
    assert not ask(text, name="query.unknown", normalized=True).matches


def test_another_threshold_finds_less_or_more(ask):
    text = module(0, 30) + module(20_000, 10)
    assert not ask(text).matches
    below = ask(text, threshold=0.5)
    assert below.threshold == 0.5
    assert all(match.similarity >= 0.5 for match in below.matches)
    assert not ask(module(2, 40) + "one more word", threshold=1.0).matches


def test_says_when_there_is_nothing_alike(ask):
    found = ask("nothing in the run is like these words at all")
    assert found.matches == []
    assert found.complete
    assert list(tell_similar(found)) == [
        "no document is the same or has a similarity of 0.7 or more"
    ]


@pytest.mark.parametrize("content", [b"", b"\n", b"()\n"])
def test_a_text_without_words_is_only_like_the_same_bytes(ask, content):
    found = ask(content)
    assert names(found) == ([("alpha/__init__.py", "exact", True)] if content == b"" else [])


def test_a_limit_cuts_the_answer_and_says_so(ask):
    found = ask(module(0, 40), limit=1)
    assert len(found.matches) == 1
    assert found.matches[0].similarity == 1.0
    assert not found.complete


def test_says_whether_there_was_an_index(ask, request):
    assert ask(module(0, 40)).indexed == ("indexed" in request.node.name)


def test_reads_other_encodings_as_the_crawl_does(ask):
    found = ask("# -*- coding: latin-1 -*-\nname = 'Gr\u00fc\u00dfe'\n".encode("latin-1"))
    assert names(found) == [("latin.py", "exact", True)]


def test_tells_one_line_a_match(ask):
    lines = list(tell_similar(ask(module(0, 40))))
    assert lines[0].startswith("1.0000  exact       kept     ")
    assert "alpha/core.py" in lines[0]
    assert lines[1].startswith("1.0000  exact       dropped  ")


def test_a_name_cannot_move_the_terminal(ask):
    found = ask(module(0, 40))
    match = dataclasses.replace(found.matches[0], path="a\x1b[2J.py")
    [line] = tell_similar(dataclasses.replace(found, matches=[match]))
    assert "\x1b" not in line


def test_reads_standard_input(run, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(module(0, 40).encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    found = find_similar(run, read_query("-"))
    assert {match.level for match in found.matches} == {"exact", "near"}


def test_refuses_what_is_no_text(tmp_path):
    (tmp_path / "binary").write_bytes(b"a\0b")
    with pytest.raises(UsageError, match="binary is not text that could be a document"):
        read_query(str(tmp_path / "binary"))
    with pytest.raises(UsageError, match=r"cannot read .*missing"):
        read_query(str(tmp_path / "missing"))


def test_a_run_that_is_not_deduplicated_is_refused(configure, tmp_path):
    run = run_configuration(configure(), stages=("annotate",))
    (tmp_path / "query.py").write_text("x = 1\n")
    query = read_query(str(tmp_path / "query.py"))
    with pytest.raises(UserError, match="has no attributes/duplicates yet"):
        find_similar(RunFolder(run.path), query)


def test_a_notebook_is_compared_as_the_script_that_it_is(configure, projects, tmp_path):
    def notebook(outputs):
        cell = {"cell_type": "code", "source": module(0, 30), "outputs": outputs}
        return json.dumps({"cells": [cell], "nbformat": 4, "metadata": {}})

    (projects / "delta" / "shown.ipynb").write_text(notebook([]))
    crawl = {"parts": 3, "languages": ["jupyter-notebook"]}
    run = run_configuration(configure(crawl=crawl), stages=("deduplicate",))
    query = tmp_path / "query.ipynb"
    query.write_text(notebook([{"output_type": "stream", "text": "many other words " * 500}]))
    [match] = find_similar(run, read_query(str(query))).matches
    assert (match.path, match.level, match.similarity) == ("shown.ipynb", "near", 1.0)
