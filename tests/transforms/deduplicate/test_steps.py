import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import tables
from schemas.duplicates import DUPLICATES
from schemas.fingerprints import EMPTY_SIGNATURE
from tests.transforms.builders import (
    MASK,
    Repository,
    slow_jaccard,
    slow_shingles,
    thorough,
    words,
    write_run,
)
from transforms.deduplicate.bands import Banding, hash_bands
from transforms.deduplicate.steps import (
    CLAIMS,
    DROPS,
    claim_bands,
    claim_contents,
    describe_part,
    divide_by_key,
    divide_by_part,
    document_ids,
    drop_exact,
    drop_near,
    share_buckets,
    write_shingles,
)
from transforms.parts import map_stream

NOBODY = np.zeros(0, dtype=np.uint64)


def claims(*rows):
    """Claims of (key, rest, rank, document)."""
    columns = list(zip(*rows, strict=True)) or [[]] * 4
    arrays = [pa.array(list(column), pa.uint64()) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, schema=CLAIMS)


def drops(*rows):
    """Drops of (document, kept, similarity, level)."""
    columns = list(zip(*rows, strict=True)) or [[]] * 4
    arrays = [pa.array(list(c), f.type) for c, f in zip(columns, DROPS, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=DROPS)


def tuples(batch):
    return [tuple(row.values()) for row in batch.to_pylist()]


def hashes(*values):
    return pa.array([bytes([value]) * 16 for value in values], pa.binary(16))


# Contents.


def test_claims_the_whole_content_hash_of_each_document():
    value = bytes(range(16))
    batch = claim_contents(3, pa.array([value], pa.binary(16)), np.array([7], np.uint64))
    assert batch.schema == CLAIMS
    high, low = int.from_bytes(value[:8], "big"), int.from_bytes(value[8:], "big")
    assert tuples(batch) == [(high, low, 7, 3 << 32)]


def test_claims_no_contents_of_a_part_without_documents():
    assert claim_contents(0, hashes(), NOBODY).num_rows == 0


@thorough
@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, MASK]), st.sampled_from([0, 1])), max_size=20
    ).flatmap(lambda keys: st.tuples(st.just(keys), st.permutations(range(len(keys)))))
)
def test_drops_all_but_the_best_of_equal_content(given_keys):
    keys, ranks = given_keys
    rows = [(*key, rank, 100 + rank) for key, rank in zip(keys, ranks, strict=True)]
    expected = []
    for key, rest, rank, document in rows:
        best = min(row[2:] for row in rows if row[:2] == (key, rest))
        if best[0] != rank:
            expected.append((document, best[1], 1.0, "exact"))
    found = drop_exact([claims(*rows[::2]), claims(*rows[1::2])])
    assert found.schema == DROPS
    assert sorted(tuples(found)) == sorted(expected)


def test_contents_that_share_half_their_hash_are_not_equal():
    assert drop_exact([claims((1, 2, 0, 0), (1, 3, 1, 1), (2, 2, 2, 2))]).num_rows == 0


def test_drops_nothing_of_nothing():
    assert drop_exact([]).num_rows == 0
    assert drop_exact([claims()]).num_rows == 0


# Division.


@thorough
@given(st.lists(st.integers(0, MASK) | st.sampled_from([0, MASK, 1 << 63])), st.integers(1, 70))
def test_divides_claims_by_key_and_loses_none(keys, partitions):
    rows = [(key, 0, rank, rank) for rank, key in enumerate(keys)]
    divided = dict(divide_by_key(claims(*rows), partitions))
    assert sorted(row for batch in divided.values() for row in tuples(batch)) == sorted(rows)
    assert all(0 <= number < partitions for number in divided)
    for number, batch in divided.items():
        for key in batch["key"].to_pylist():
            assert number == (key >> 32) * partitions >> 32


@thorough
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**32 - 1))))
def test_divides_rows_by_the_part_of_their_document(positions):
    rows = [(0, 0, rank, part << 32 | row) for rank, (part, row) in enumerate(positions)]
    divided = dict(divide_by_part(claims(*rows)))
    assert set(divided) == {part for part, _ in positions}
    for part, batch in divided.items():
        assert tuples(batch) == [row for row in rows if row[3] >> 32 == part]


def test_a_division_encodes_small_batches_without_the_others():
    large = claims(*((key << 32, 0, key, key) for key in range(10_000)))
    for _, batch in divide_by_key(large, 64):
        assert batch.nbytes == len(batch) * 32


# Bands.


def test_claims_bands_of_documents_that_have_shingles_and_are_not_dropped():
    signatures = np.arange(32, dtype=np.uint32).reshape(4, 8)
    signatures[1] = EMPTY_SIGNATURE
    ranks = np.array([10, 11, 12, 13], dtype=np.uint64)
    dropped = document_ids(2, np.array([3]))
    banding = Banding(bands=2, rows=3)
    batch = claim_bands(2, signatures, ranks, dropped, banding)
    expected = hash_bands(signatures, banding).tolist()
    first, third = 2 << 32, 2 << 32 | 2
    assert tuples(batch) == [
        (expected[0][0], 0, 10, first),
        (expected[0][1], 0, 10, first),
        (expected[2][0], 0, 12, third),
        (expected[2][1], 0, 12, third),
    ]


def test_claims_no_bands_where_no_document_wants_any():
    banding = Banding(bands=2, rows=3)
    nothing = np.zeros((0, 8), np.uint32)
    assert claim_bands(0, nothing, NOBODY, NOBODY, banding).num_rows == 0
    empty = np.full((2, 8), EMPTY_SIGNATURE, np.uint32)
    ranks = np.arange(2, dtype=np.uint64)
    assert claim_bands(0, empty, ranks, NOBODY, banding).num_rows == 0
    dropped = document_ids(0, np.arange(2))
    assert claim_bands(0, empty - 1, ranks, dropped, banding).num_rows == 0


def test_a_single_claim_of_a_band_is_not_shared():
    batches = [claims((5, 0, 1, 1), (6, 0, 1, 1)), claims((5, 0, 2, 2), (7, 0, 2, 2))]
    assert sorted(tuples(share_buckets(batches))) == [(5, 0, 1, 1), (5, 0, 2, 2)]
    assert share_buckets([]).num_rows == 0
    assert share_buckets([claims((5, 0, 1, 1))]).num_rows == 0


# Near-duplicates.


@pytest.fixture
def shingles(tmp_path):
    """Writes the shingles of texts as documents 0, 1, 2... of part 0; returns the file."""

    def write(*texts, wanted=None):
        files = {f"{number:03d}.py": text for number, text in enumerate(texts)}
        workspace = write_run(tmp_path, [Repository("a", files)], parts=1)
        target = tmp_path / "shingles" / "part-00000.arrow"
        rows = np.arange(len(texts)) if wanted is None else np.array(wanted)
        documents = workspace.committed(tables.DOCUMENTS, "part-00000.parquet")
        write_shingles(documents, 0, document_ids(0, rows), target)
        return target

    return write


def test_writes_the_distinct_shingles_of_the_wanted_documents(shingles):
    texts = [words(0, 30), b"", words(5, 9), b"a a a a a a a a", words(1, 2), words(30, 90)]
    table = map_stream(shingles(*texts, wanted=[5, 3, 0, 3, 1]))
    assert table["document"].to_pylist() == [0, 1, 3, 5]
    expected = [sorted(set(slow_shingles(texts[row]))) for row in (0, 1, 3, 5)]
    assert table["hashes"].to_pylist() == expected


def test_writes_a_shingle_file_whole_or_not_at_all(shingles, tmp_path):
    path = shingles(words(0, 30))
    assert list(path.parent.iterdir()) == [path]


TEXTS = (words(0, 100), words(0, 95), words(0, 100) + words(200, 300), words(5, 100))


def near(shingle_file, rows, exact=(), threshold=0.7):
    batches = [claims(*rows[::2]), claims(*rows[1::2])]
    found = drop_near(batches, [drops(*exact)], [shingle_file], threshold)
    assert found.schema == DROPS
    return sorted(tuples(found))


def test_drops_what_a_better_document_of_its_bucket_resembles(shingles):
    # Ranks are unlike the order of ids: document 3 is best.
    rows = [(9, 0, rank, document) for rank, document in enumerate([3, 0, 1, 2])]
    found = near(shingles(*TEXTS), rows)
    assert [row[:2] + row[3:] for row in found] == [(0, 3, "near"), (1, 3, "near")]
    for document, kept, similarity, _ in found:
        exact = slow_jaccard(TEXTS[document], TEXTS[kept])
        assert similarity == pytest.approx(exact, rel=1e-6)


def test_does_not_compare_across_buckets(shingles):
    rows = [(1, 0, 0, 0), (1, 0, 1, 2), (2, 0, 2, 1), (2, 0, 1, 2)]
    assert near(shingles(*TEXTS, wanted=[0, 1, 2]), rows) == []


def test_an_exact_copy_of_a_near_duplicate_is_resolved_to_the_kept_document(shingles):
    rows = [(9, 0, 0, 0), (9, 0, 1, 1)]
    copies = [(50, 1, 1.0, "exact"), (60, 0, 1.0, "exact"), (70, 40, 1.0, "exact")]
    similarity = np.float32(slow_jaccard(TEXTS[0], TEXTS[1]))
    assert near(shingles(*TEXTS, wanted=[0, 1]), rows, exact=copies) == [
        (1, 0, similarity, "near"),
        (50, 0, similarity, "near"),
        (60, 0, 1.0, "exact"),
        (70, 40, 1.0, "exact"),
    ]


def test_without_candidates_only_exact_drops_remain():
    copies = [(5, 4, 1.0, "exact")]
    assert tuples(drop_near([], [drops(*copies)], [], 0.7)) == copies


@pytest.mark.parametrize(("given_claims", "exact"), [([], []), ([claims()], [drops()])])
def test_without_candidates_and_copies_nothing_is_dropped(given_claims, exact):
    nothing = drop_near(given_claims, exact, [], 0.7)
    assert (nothing.schema, nothing.num_rows) == (DROPS, 0)


def test_dropped_documents_in_several_files_and_parts_are_told_apart(tmp_path):
    files = []
    for part in range(2):
        run = tmp_path / str(part)
        names = ("a.py", "b.py", "c.py")
        repository = Repository("a", dict(zip(names, TEXTS, strict=False)))
        workspace = write_run(run, [repository], parts=1)
        files.append(run / "shingles.arrow")
        documents = workspace.committed(tables.DOCUMENTS, "part-00000.parquet")
        write_shingles(documents, part, document_ids(part, np.arange(3)), files[-1])
    # Document 2 is like none but its copy in the other part, 1 is like 0.
    ids = [part << 32 | row for part in (1, 0) for row in range(3)]
    rows = [(9, 0, rank, document) for rank, document in enumerate(ids)]
    found = drop_near([claims(*rows)], [], files, 0.7)
    best = 1 << 32
    assert sorted(row[:2] for row in tuples(found)) == [
        (0, best),
        (1, best),
        (2, best | 2),
        (best | 1, best),
    ]


# The table.


@thorough
@given(st.integers(0, 6), st.data())
def test_describes_each_row_of_a_part_once(rows, data):
    chosen = data.draw(st.lists(st.sampled_from(range(rows)), unique=True) if rows else st.just([]))
    part = 2
    dropped = [(part << 32 | row, 1000 + row, 0.75, "near") for row in chosen]
    batch = describe_part(part, rows, [drops(*dropped[::2]), drops(*dropped[1::2])])
    assert batch.schema == DUPLICATES
    assert tuples(batch) == [
        (1000 + row, 1000 + row, 0.75, "near")
        if row in chosen
        else (part << 32 | row, None, None, None)
        for row in range(rows)
    ]


def test_describes_a_part_without_drops():
    assert tuples(describe_part(0, 2, [])) == [(0, None, None, None), (1, None, None, None)]
    assert describe_part(0, 0, []).num_rows == 0
