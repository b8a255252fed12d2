import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.fingerprints import EMPTY_SIGNATURE, fingerprint_schema
from tests.transforms.builders import brief
from transforms.deduplicate.bands import Banding
from transforms.deduplicate.candidates import (
    BATCHES,
    PLAUSIBLE,
    Budget,
    find_candidates,
    number_groups,
    read_buckets,
    write_claims,
)
from transforms.deduplicate.clusters import NO_BATCH
from transforms.deduplicate.greedy import NO_GROUP
from transforms.deduplicate.staging import StagedArrays
from transforms.parts import Workspace

BANDING = Banding(bands=4, rows=2)
NOBODY = np.zeros(0, dtype=np.uint32)


def fingerprints(signatures):
    schema = fingerprint_schema(8)
    rows = [
        {"content_hash": b"?" * 16, "signature": signature, "shingles": 100}
        for signature in signatures
    ]
    return pa.RecordBatch.from_pylist(rows, schema=schema)


def find(folder, files, wanted=None, groups=(NOBODY, NOBODY), memory_bytes=1 << 20, unequal=8):
    """Finds candidates among documents whose places count on from file to file."""
    arrays = StagedArrays(Workspace(run=str(folder), staging=str(folder)))
    first, names = 0, []
    for number, signatures in enumerate(files):
        places = np.arange(first, first + len(signatures), dtype=np.uint32)
        chosen = np.ones(places.size, np.bool_) if wanted is None else wanted[places]
        names.append(f"{number}.npy")
        write_claims(arrays, names[-1], fingerprints(signatures), places, chosen, BANDING)
        first += len(signatures)
    budget = Budget(memory_bytes, first)
    return arrays, find_candidates(arrays, names, groups, BANDING, unequal, budget)


def read_all(arrays, batches):
    """The places in each bucket of each band, of all batches."""
    found = []
    for batch in range(batches):
        places = np.flatnonzero(arrays.load(BATCHES) == batch).astype(np.uint32)
        buckets = read_buckets(arrays, batch, places)
        for start, end in zip(buckets.offsets, buckets.offsets[1:], strict=False):
            found.append(places[buckets.members[start:end]].tolist())
    return sorted(found)


VALUES = st.lists(st.integers(0, 2), min_size=8, max_size=8)


@brief
@given(st.lists(VALUES, max_size=10), st.sampled_from([8, 200, 3_000, 1 << 20]))
def test_reads_the_buckets_that_a_dictionary_finds(tmp_path_factory, signatures, memory_bytes):
    middle = len(signatures) // 3
    files = [signatures[:middle], signatures[middle:]]
    folder = tmp_path_factory.mktemp("run")
    arrays, batches = find(folder, files, memory_bytes=memory_bytes)
    expected = {}
    for place, signature in enumerate(signatures):
        for band in range(4):
            key = band, *signature[2 * band : 2 * band + 2]
            expected.setdefault(key, []).append(place)
    shared = sorted(places for places in expected.values() if len(places) > 1)
    assert read_all(arrays, batches) == shared
    among = {place for places in shared for place in places}
    plausible = arrays.load(PLAUSIBLE)
    assert set(np.flatnonzero(plausible).tolist()) == among
    assert set(np.flatnonzero(arrays.load(BATCHES) != NO_BATCH).tolist()) == among


def test_documents_without_shingles_or_not_wanted_are_no_candidates(tmp_path):
    signatures = [[7] * 8, [EMPTY_SIGNATURE] * 8, [7] * 8, [EMPTY_SIGNATURE] * 8, [7] * 8]
    wanted = np.array([True, True, False, True, True])
    arrays, batches = find(tmp_path, [signatures], wanted)
    assert read_all(arrays, batches) == [[0, 4]] * 4


def test_what_sketches_refuse_needs_no_shingles(tmp_path):
    signatures = [[1, 2, *range(10, 16)], [1, 2, *range(20, 26)]]
    arrays, batches = find(tmp_path, [signatures], unequal=1)
    assert read_all(arrays, batches) == []
    assert not arrays.load(PLAUSIBLE).any()


def test_groups_of_equal_texts_are_candidates_without_shingles(tmp_path):
    signatures = [[place] * 8 for place in range(4)]
    groups = np.array([3], dtype=np.uint32), np.array([1], dtype=np.uint32)
    arrays, _ = find(tmp_path, [signatures], groups=groups)
    assert arrays.load(BATCHES).tolist() == [NO_BATCH, 0, NO_BATCH, 0]
    assert not arrays.load(PLAUSIBLE).any()
    places = np.array([1, 3], dtype=np.uint32)
    assert number_groups(*groups, places).tolist() == [0, 0]
    assert number_groups(*groups, np.array([0, 2], np.uint32)).tolist() == [NO_GROUP] * 2


@pytest.mark.parametrize("files", [[], [[]], [[], []]])
def test_no_documents_make_one_empty_batch(tmp_path, files):
    arrays, batches = find(tmp_path, files)
    assert batches == 1
    assert read_all(arrays, batches) == []


def test_a_budget_says_how_often_something_is_divided():
    assert Budget(8_000, 100).ranges(10) == 1
    assert Budget(8_000, 100).ranges(11) == 2
    assert Budget(8_000, 0).ranges(11) == 1
