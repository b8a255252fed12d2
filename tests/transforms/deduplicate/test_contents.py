import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.deduplicate.contents import claim_hashes, group_equal

HALVES = st.sampled_from([0, 1, 1 << 63, 2**64 - 1])
HASHES = st.none() | st.tuples(HALVES, HALVES).map(
    lambda halves: b"".join(half.to_bytes(8, "big") for half in halves)
)


def claim(hashes, places):
    padded = pa.array([b"?" * 16, *hashes, b"?" * 16], pa.binary(16))[1:-1]
    return claim_hashes(padded, np.array(places, dtype=np.uint32))


@thorough
@given(st.lists(HASHES, max_size=20), st.integers(1, 5), st.randoms())
def test_groups_all_but_the_first_of_equal_hashes(hashes, ranges, random):
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
    members, firsts = group_equal(parts, ranges)
    assert members.dtype == firsts.dtype == np.uint32
    assert list(zip(members.tolist(), firsts.tolist(), strict=True)) == expected


def test_groups_nothing_of_nothing():
    for parts in ([], [claim([], [])], [claim([None], [0])]):
        members, firsts = group_equal(parts, 3)
        assert members.size == firsts.size == 0


def test_refuses_hashes_of_another_size():
    with pytest.raises(ValueError, match="expected 16 bytes a hash"):
        claim_hashes(pa.array([b"1234"], pa.binary(4)), np.zeros(1, np.uint32))
