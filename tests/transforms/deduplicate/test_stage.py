import datetime

import pytest

from schemas import tables
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
from transforms.annotate.stage import AnnotateOptions, AnnotatePart
from transforms.deduplicate.stage import DeduplicateDocuments, DeduplicateOptions
from transforms.parts import Receipt
from transforms.stage import do_unit

THRESHOLD = 0.7
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
    for name in part_names(workspace):
        options = AnnotateOptions(permutations=256, seed=1)
        do_unit(AnnotatePart(workspace, options), name.removesuffix(".parquet"))
    commit(workspace, tables.QUALITY, tables.FINGERPRINT)
    return workspace


def deduplicate(workspace, workers=2):
    parts = len(part_names(workspace))
    run_stage(DeduplicateDocuments(workspace, parts, OPTIONS), workers)
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


def test_a_run_without_documents_has_a_table_without_rows(tmp_path):
    assert dropped(deduplicate(prepare(tmp_path, crawled=[], parts=2))) == {}


def test_a_run_without_duplicates_keeps_every_document(tmp_path):
    crawled = [Repository("a", {"a.py": words(0, 50)}), Repository("b", {"b.py": words(90, 140)})]
    assert dropped(deduplicate(prepare(tmp_path, crawled))) == {}


def test_a_run_of_exact_duplicates_alone_drops_them(tmp_path):
    crawled = [Repository(name, {"a.py": words(0, 50)}) for name in "ab"]
    expected = {("b", "a.py"): (("a", "a.py"), 1, "exact")}
    assert dropped(deduplicate(prepare(tmp_path, crawled))) == expected
