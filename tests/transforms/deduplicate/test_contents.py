import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.duplicates import Level
from tests.transforms.builders import thorough
from transforms.deduplicate.contents import (
    NO_CLAIMS,
    claim_hashes,
    group_equal,
    groups_of_level,
    make_groups,
    merge_groups,
)

HALVES = st.sampled_from([0, 1, 1 << 63, 2**64 - 1])
HASHES = st.none() | st.tuples(HALVES, HALVES).map(
    lambda halves: b"".join(half.to_bytes(8, "big") for half in halves)
)


def claim(hashes, places):
    padded = pa.array([b"?" * 16, *hashes, b"?" * 16], pa.binary(16))[1:-1]
    return claim_hashes(padded, np.array(places, dtype=np.uint32))


@thorough
@given(st.lists(HASHES, max_size=20), st.randoms())
def test_groups_all_but_the_first_of_equal_hashes(hashes, random):
    places = list(range(len(hashes)))
    random.shuffle(places)
    first = {}
    for place, value in sorted(zip(places, hashes, strict=True)):
        first.setdefault(value, place)
    expected = [
        (place, first[value])
        for place, value in sorted(zip(places, hashes, strict=True))
        if value is not None and first[value] != place
    ]
    middle = len(hashes) // 2
    parts = [claim(hashes[:middle], places[:middle]), claim(hashes[middle:], places[middle:])]
    members, firsts = group_equal(np.concatenate(parts))
    assert members.dtype == firsts.dtype == np.uint32
    assert sorted(zip(members.tolist(), firsts.tolist(), strict=True)) == expected


def test_claims_of_a_part_ascend_by_hash():
    hashes = [bytes([first]) * 16 for first in (200, 3, 255, 0)]
    assert (np.diff(claim(hashes, range(4))[:, 0].astype(object)) > 0).all()


@pytest.mark.parametrize("claims", [NO_CLAIMS, claim([None], [0])])
def test_groups_nothing_of_nothing(claims):
    members, firsts = group_equal(claims)
    assert members.size == firsts.size == 0


def groups(level, *pairs):
    members, firsts = np.array(pairs, dtype=np.uint32).reshape(-1, 2).T
    return make_groups(members, firsts, level)


def test_an_exact_copy_is_no_normalized_one_besides():
    found = merge_groups(
        np.concatenate(
            [
                groups(Level.NORMALIZED, (9, 1), (5, 1), (3, 2)),
                groups(Level.EXACT, (8, 0), (5, 4)),
            ]
        )
    )
    assert [each.tolist() for each in groups_of_level(found, Level.EXACT)] == [[5, 8], [4, 0]]
    assert [each.tolist() for each in groups_of_level(found, Level.NORMALIZED)] == [[3, 9], [2, 1]]


def test_refuses_hashes_of_another_size():
    with pytest.raises(ValueError, match="expected 16 bytes a hash"):
        claim_hashes(pa.array([b"1234"], pa.binary(4)), np.zeros(1, np.uint32))
