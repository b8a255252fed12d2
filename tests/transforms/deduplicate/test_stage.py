import dataclasses
import datetime

import numpy as np
import pyarrow as pa
import pytest

from schemas import tables
from schemas.bands import BandIndexSettings
from schemas.duplicates import Level
from schemas.fingerprints import fingerprint_schema
from tests.transforms.builders import (
    Repository,
    commit,
    document_names,
    part_names,
    read_column,
    run_stage,
    slow_jaccard,
    words,
    write_run,
)
from transforms.annotate.fingerprints import FingerprintOptions, fingerprint_texts
from transforms.bandindex import first_ordinals, look_up
from transforms.deduplicate.bands import Banding, hash_bands
from transforms.deduplicate.keep import Refusals
from transforms.deduplicate.stage import DeduplicateDocuments, DeduplicateOptions
from transforms.parts import Receipt, map_stream, read_part

THRESHOLD = 0.7
FINGERPRINTS = FingerprintOptions(permutations=256, seed=1, normalized=True)
OPTIONS = DeduplicateOptions(threshold=THRESHOLD, permutations=256)
OLD = datetime.datetime(2015, 1, 1, tzinfo=datetime.UTC)
CRAWLED = [
    Repository(
        "young",
        {"near.py": words(0, 190), "same.py": words(500, 600), "own.py": words(5000, 5100)},
        stars=1,
    ),
    Repository(
        "famous",
        {"best.py": words(0, 200), "empty.py": b"", "symbols.py": b"()\n"},
        stars=1000,
    ),
    # A near-duplicate of the best, of which another repository has an exact copy.
    Repository("copies", {"a.py": words(0, 180), "below.py": words(80, 280)}, stars=10),
    Repository(
        "more-copies",
        {"a.py": words(0, 180), "empty.py": b"", "braces.py": b"{}\n", "twice.py": words(0, 190)},
        stars=5,
    ),
    Repository("aged", {"same.py": words(500, 600)}, stars=1, released=OLD),
    Repository("unknown", {"same.py": words(500, 600), "short.py": b"x = 1\n"}),
    Repository("zero", {"short.py": b"x  =\t1\n"}, stars=0),
]
NEAR_190 = slow_jaccard(words(0, 190), words(0, 200))
NEAR_180 = slow_jaccard(words(0, 180), words(0, 200))
BEST = ("famous", "best.py")
EXPECTED = {
    ("young", "near.py"): (BEST, NEAR_190, "near"),
    ("more-copies", "twice.py"): (BEST, NEAR_190, "near"),
    ("copies", "a.py"): (BEST, NEAR_180, "near"),
    ("more-copies", "a.py"): (BEST, NEAR_180, "near"),
    ("more-copies", "empty.py"): (("famous", "empty.py"), 1, "exact"),
    ("young", "same.py"): (("aged", "same.py"), 1, "exact"),
    ("unknown", "same.py"): (("aged", "same.py"), 1, "exact"),
    ("unknown", "short.py"): (("zero", "short.py"), 1, "near"),
}


def prepare(folder, crawled=CRAWLED, parts=3):
    workspace = write_run(folder, crawled, parts)
    schema = fingerprint_schema(256)
    for name in part_names(workspace):
        documents = read_part(workspace.committed(tables.DOCUMENTS, name))
        texts, sha256, languages = (
            documents[column].combine_chunks() for column in ("content", "sha256", "language")
        )
        with workspace.write_table(tables.FINGERPRINT, name, schema) as writer:
            writer.write(fingerprint_texts(texts, sha256, languages, FINGERPRINTS))
    commit(workspace, tables.FINGERPRINT)
    return workspace


def deduplicate(workspace, workers=2, **changes):
    parts = len(part_names(workspace))
    options = dataclasses.replace(OPTIONS, **changes)
    run_stage(DeduplicateDocuments(workspace, parts, options), workers)
    return workspace


def dropped(workspace):
    """What each dropped document duplicates, its similarity and level."""
    names = document_names(workspace)
    columns = ("cluster", "duplicate_of", "similarity", "level")
    clusters, kept, similarities, levels = (
        read_column(workspace, tables.DUPLICATES, column) for column in columns
    )
    assert set(kept) == set(names.values())
    found = {}
    for document, name in names.items():
        if kept[name] is None:
            assert (clusters[name], similarities[name], levels[name]) == (document, None, None)
        else:
            assert clusters[name] == kept[name]
            found[name] = names[kept[name]], similarities[name], levels[name]
    return found


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    return deduplicate(prepare(tmp_path_factory.mktemp("run")))


def test_drops_what_has_a_better_match_and_keeps_the_rest(decided):
    assert slow_jaccard(words(80, 280), words(0, 200)) < THRESHOLD
    found = dropped(decided)
    assert {name: (kept, level) for name, (kept, _, level) in found.items()} == {
        name: (kept, level) for name, (kept, _, level) in EXPECTED.items()
    }
    for name, (_, similarity, _) in found.items():
        assert similarity == pytest.approx(EXPECTED[name][1], rel=1e-6)


def test_nothing_is_dropped_in_favor_of_a_dropped_document(decided):
    found = dropped(decided)
    assert not {kept for kept, _, _ in found.values()} & set(found)


def test_every_part_has_a_receipt_and_a_table(decided):
    receipts = decided.receipts()
    assert [f"{unit}.parquet" for unit in receipts] == part_names(decided)
    for unit, receipt in receipts.items():
        assert isinstance(receipt, Receipt)
        [entry] = receipt.files[tables.DUPLICATES]
        assert entry.name == f"{unit}.parquet"


@pytest.mark.parametrize("workers", [1, 4])
def test_the_number_of_workers_does_not_matter(decided, tmp_path, workers):
    other = deduplicate(prepare(tmp_path), workers)
    assert other.receipts() == decided.receipts()


@pytest.mark.parametrize("parts", [1, 7])
def test_the_number_of_parts_does_not_matter(decided, tmp_path, parts):
    assert dropped(deduplicate(prepare(tmp_path, parts=parts))) == dropped(decided)


@pytest.mark.parametrize("memory_bytes", [100, 20_000])
def test_the_memory_budget_does_not_matter(decided, tmp_path, memory_bytes):
    other = deduplicate(prepare(tmp_path), memory_bytes=memory_bytes)
    assert other.receipts() == decided.receipts()


def test_an_interrupted_stage_ends_as_if_it_had_not_been(decided, tmp_path, monkeypatch):
    workspace = prepare(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("transforms.deduplicate.stage.decide_batch", None)
        with pytest.raises(Exception, match="not callable"):
            deduplicate(workspace)
    assert deduplicate(workspace).receipts() == decided.receipts()


COMMENTED = [
    Repository("a", {"a.py": b"x = 1\ny = 2\n", "same.py": words(0, 50)}, stars=2),
    Repository("b", {"b.py": b"# why\nx = 1  \r\ny = 2\n", "same.py": words(0, 50)}, stars=1),
    Repository("c", {"c.py": words(0, 48), "empty.py": b"# nothing\n"}),
    Repository("d", {"empty.py": b"# at all\n"}),
]
EXACT = {("b", "same.py"): ("a", "same.py")}
NORMALIZED = {("b", "b.py"): ("a", "a.py")}
NEAR = {("c", "c.py"): ("a", "same.py")}


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([], {}),
        ([Level.EXACT], EXACT),
        ([Level.NORMALIZED], EXACT | NORMALIZED),
        ([Level.NEAR], EXACT | NEAR),
        ([Level.EXACT, Level.NORMALIZED, Level.NEAR], EXACT | NORMALIZED | NEAR),
    ],
)
def test_each_level_is_a_choice(tmp_path, levels, expected):
    workspace = deduplicate(prepare(tmp_path, COMMENTED), levels=tuple(levels))
    found = dropped(workspace)
    assert {name: kept for name, (kept, _, _) in found.items()} == expected
    for name, (_, similarity, level) in found.items():
        wanted = [
            each
            for each, names in zip(Level, (EXACT, NORMALIZED, NEAR), strict=False)
            if name in names
        ]
        # Equal bytes are also equal after normalizing, and near.
        assert level == next(each for each in [*wanted, *levels] if each in levels)
        assert (similarity < 1) == (name in NEAR)


def test_repositories_that_are_refused_keep_no_copy_that_another_has_too(tmp_path):
    crawled = [
        Repository("famous", {"a.py": words(0, 50)}, stars=1000, license="GPL-3.0-only"),
        Repository("small", {"a.py": words(0, 50)}, stars=1, license="MIT"),
    ]
    refusals = Refusals(deny=frozenset({"GPL-3.0-only"}))
    workspace = deduplicate(prepare(tmp_path, crawled), refusals=refusals)
    assert dropped(workspace) == {("famous", "a.py"): (("small", "a.py"), 1, "exact")}


def test_says_which_repositories_are_copies(tmp_path):
    files = {f"{number}.py": words(number * 100, number * 100 + 50) for number in range(4)}
    changed = files | {"3.py": words(5000, 5050)}
    crawled = [
        Repository("original", files, stars=9),
        Repository("fork", changed, stars=1),
        Repository("other", {"a.py": words(9000, 9050)}),
    ]
    levels = (Level.EXACT, Level.NEAR, Level.REPOSITORY)
    workspace = deduplicate(prepare(tmp_path, crawled), levels=levels)
    shares = read_column(workspace, tables.DUPLICATES, "repository_share")
    assert {(name, share) for (name, _), share in shares.items()} == {
        ("original", 0),
        ("fork", 0.75),
        ("other", 0),
    }
    [entry] = workspace.receipts()["copies"].files[tables.COPIES]
    [row] = read_part(workspace.staged(tables.COPIES, entry.name)).to_pylist()
    assert (row["repository"], row["copy_of"], row["shared_files"]) == ("fork", "original", 3)


def test_shares_of_repositories_are_null_where_nobody_asks(decided):
    assert set(read_column(decided, tables.DUPLICATES, "repository_share").values()) == {None}


@pytest.mark.parametrize("memory_bytes", [20_000, 1 << 30])
def test_the_index_finds_who_shares_bands_with_a_document(tmp_path, memory_bytes):
    workspace = prepare(tmp_path)
    deduplicate(workspace, memory_bytes=memory_bytes, index_seed=1)
    files = workspace.receipts()["bands"].files[tables.BANDS]
    assert (len(files) > 1) == (memory_bytes < 1 << 30)
    index = [map_stream(workspace.staged(tables.BANDS, entry.name)) for entry in files]
    settings = BandIndexSettings.from_metadata(index[0].schema.metadata)
    assert (settings.permutations, settings.seed) == (256, 1)
    entries = pa.concat_tables(index)["entry"].to_numpy()
    assert (np.diff(entries.astype(object)) > 0).all()

    banding = Banding(settings.bands, settings.rows)
    rows = [
        read_part(workspace.committed(tables.DOCUMENTS, name), ["path"]).num_rows
        for name in part_names(workspace)
    ]
    names = document_names(workspace)
    signatures = read_column(workspace, tables.FINGERPRINT, "signature")
    signature = np.array([signatures["young", "near.py"]], dtype=np.uint32)
    hashes = hash_bands(signature, banding)[0]
    found = look_up((each["entry"] for each in index), hashes, first_ordinals(rows), 100)
    shared = dict(zip(map(names.get, found.documents.tolist()), found.bands.tolist(), strict=True))
    assert shared["more-copies", "twice.py"] == settings.bands
    # Exact copies are found through the document that they are copies of.
    assert BEST in shared
    assert ("young", "near.py") not in shared


@pytest.mark.timeout(120, method="thread")
def test_a_cluster_of_many_near_copies_in_one_part(tmp_path):
    count = 3000
    files = {f"{n:05d}.py": words(0, 60) + b"own%d\n" % n for n in range(count)}
    workspace = deduplicate(prepare(tmp_path, [Repository("a", files)], parts=1))
    found = dropped(workspace)
    assert len(found) == count - 1
    assert {kept for kept, _, _ in found.values()} == {("a", "00000.py")}


def test_a_run_without_documents_has_a_table_without_rows(tmp_path):
    assert dropped(deduplicate(prepare(tmp_path, crawled=[], parts=2))) == {}


def test_a_run_without_duplicates_keeps_every_document(tmp_path):
    crawled = [Repository("a", {"a.py": words(0, 50)}), Repository("b", {"b.py": words(90, 140)})]
    assert dropped(deduplicate(prepare(tmp_path, crawled))) == {}


def test_a_run_of_exact_duplicates_alone_drops_them(tmp_path):
    crawled = [Repository(name, {"a.py": words(0, 50)}) for name in "ab"]
    expected = {("b", "a.py"): (("a", "a.py"), 1, "exact")}
    assert dropped(deduplicate(prepare(tmp_path, crawled))) == expected
