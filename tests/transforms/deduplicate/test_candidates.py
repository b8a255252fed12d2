from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.fingerprints import EMPTY_SIGNATURE, fingerprint_schema
from tests.transforms.builders import brief
from tests.transforms.deduplicate.test_ranking import rank, row
from transforms.deduplicate.bands import Banding, number_buckets
from transforms.deduplicate.budget import Budget
from transforms.deduplicate.candidates import bucket_file, link_file, write_claims, write_links
from transforms.deduplicate.claim_blocks import unpack_blocks
from transforms.deduplicate.forests import cut_places
from transforms.deduplicate.slices import read_slices
from transforms.deduplicate.staging import StagedArrays
from transforms.parts import Workspace

BANDING = Banding(bands=4, rows=2)
PLACE_RANGES = 3


def fingerprints(signatures):
    schema = fingerprint_schema(8)
    rows = [
        {"content_hash": b"?" * 16, "signature": signature, "shingles": 100 + sum(signature) % 7}
        for signature in signatures
    ]
    return pa.RecordBatch.from_pylist(rows, schema=schema)


def find(folder, parts, wanted=None, memory_bytes=1 << 20, unequal=8, groups=((), ())):
    """Finds candidates among documents whose places count on from part to part."""
    arrays = StagedArrays(Workspace(run=str(folder), staging=str(folder)))
    order = rank([[row(f"{number}", files=len(part))] for number, part in enumerate(parts)])
    budget = Budget(memory_bytes, order.documents)
    received = {}
    for number, signatures in enumerate(parts):
        places = order.places(number)
        chosen = np.ones(places.size, np.bool_) if wanted is None else wanted[places]
        batches = [fingerprints(signatures[:2]), fingerprints(signatures[2:])]
        arguments = (batches, places, chosen, BANDING, budget)
        for owner, piece in write_claims(arrays, number, *arguments):
            received.setdefault(owner, []).append(piece)
    grouped = tuple(np.array(column, np.uint32) for column in groups)
    pieces = {}
    for owner, slices in received.items():
        claims, sizes = unpack_blocks(list(read_slices(arrays, slices)), BANDING.bands)
        arguments = (number_buckets(claims, sizes), grouped, unequal, 3, PLACE_RANGES)
        for receiver, piece in write_links(arrays, order, owner, *arguments):
            pieces.setdefault(receiver, []).append(piece)
    cuts = cut_places(order.documents, PLACE_RANGES).tolist()
    for number, (low, high) in enumerate(pairwise(cuts)):
        for links in read_slices(arrays, pieces.get(number, [])):
            assert all(low <= place < high for place, _, _ in links.tolist())
    divided = sum(stop - start for own in pieces.values() for _, start, stop in own)
    assert divided == len(read_links(arrays, sorted(received)))
    return arrays, sorted(received)


def read_buckets(arrays, ranges):
    """The places in each bucket, of all ranges."""
    found = {}
    for number in ranges:
        for claim in arrays.load(bucket_file(number)).tolist():
            found.setdefault((number, claim >> 32), []).append(claim & 0xFFFFFFFF)
    return sorted(found.values())


def read_links(arrays, ranges):
    return [each for number in ranges for each in arrays.load(link_file(number)).tolist()]


VALUES = st.lists(st.integers(0, 2), min_size=8, max_size=8)


@brief
@given(st.lists(VALUES, max_size=10), st.sampled_from([200, 3_000, 1 << 20]))
def test_finds_the_buckets_that_a_dictionary_finds(tmp_path_factory, signatures, memory_bytes):
    middle = len(signatures) // 3
    parts = [signatures[:middle], signatures[middle:]]
    arrays, ranges = find(tmp_path_factory.mktemp("run"), parts, memory_bytes=memory_bytes)
    expected = {}
    for place, signature in enumerate(signatures):
        for band in range(4):
            key = band, *signature[2 * band : 2 * band + 2]
            expected.setdefault(key, []).append(place)
    shared = sorted(places for places in expected.values() if len(places) > 1)
    assert read_buckets(arrays, ranges) == shared
    links = read_links(arrays, ranges)
    assert {place for place, _, _ in links} == {place for places in shared for place in places}
    for place, linked, shingles in links:
        assert linked <= place
        assert shingles == 100 + sum(signatures[place]) % 7


def test_a_small_budget_makes_many_ranges_and_files(tmp_path):
    signatures = [[place] * 8 for place in range(5)]
    arrays, ranges = find(tmp_path, [signatures], memory_bytes=1_000)
    assert ranges == list(range(3))
    assert len(list(arrays.path("bands").iterdir())) > 1


def test_documents_without_shingles_or_not_wanted_are_no_candidates(tmp_path):
    signatures = [[7] * 8, [EMPTY_SIGNATURE] * 8, [7] * 8, [EMPTY_SIGNATURE] * 8, [7] * 8]
    wanted = np.array([True, True, False, True, True])
    assert read_buckets(*find(tmp_path, [signatures], wanted)) == [[0, 4]] * 4


def test_what_sketches_refuse_is_not_linked(tmp_path):
    signatures = [[1, 2, *range(10, 16)], [1, 2, *range(20, 26)]]
    arrays, ranges = find(tmp_path, [signatures], unequal=1)
    assert read_buckets(arrays, ranges) == [[0, 1]]
    assert read_links(arrays, ranges) == []


def test_equal_normalized_texts_are_linked_whatever_sketches_say(tmp_path):
    signatures = [[number] * 8 for number in range(5)]
    arrays, ranges = find(tmp_path, [signatures], groups=([2, 4], [1, 1]))
    assert read_links(arrays, ranges) == [(1, 1, 0), (1, 1, 0), (2, 1, 0), (4, 1, 0)]


@pytest.mark.parametrize("parts", [[[]], [[], []]])
def test_no_documents_have_no_buckets(tmp_path, parts):
    arrays, ranges = find(tmp_path, parts)
    assert ranges == [0]
    assert read_buckets(arrays, ranges) == []
