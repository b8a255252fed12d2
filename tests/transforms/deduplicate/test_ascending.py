import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.deduplicate.ascending import begins, cut_ranges, find_among

HASHES = st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([0, 2**32, 2**63, 2**64 - 1]))


@given(HASHES, st.integers(1, 9))
def test_ranges_divide_the_upper_halves_of_hashes_evenly(values, ranges):
    ascending = np.array(sorted(values), dtype=np.uint64)
    ends = cut_ranges(ascending, ranges).tolist()
    assert (ends[0], ends[-1], len(ends)) == (0, ascending.size, ranges + 1)
    for number in range(ranges):
        for value in ascending[ends[number] : ends[number + 1]].tolist():
            assert (number << 32) // ranges <= value >> 32 < ((number + 1) << 32) // ranges


@pytest.mark.parametrize("ranges", [2, 3, 5, 7, 1000])
def test_ranges_do_not_divide_claims_of_one_band_hash(ranges):
    edges = [(number << 64) // ranges for number in range(1, ranges)]
    claims = np.array(
        sorted({edge >> 32 << 32 | place for edge in edges for place in (0, 5, 2**32 - 1)}),
        dtype=np.uint64,
    )
    owners = {}
    for number, own in enumerate(np.split(claims, cut_ranges(claims, ranges)[1:-1])):
        for claim in own.tolist():
            owners.setdefault(claim >> 32, set()).add(number)
    assert all(len(each) == 1 for each in owners.values())


@given(st.sets(st.integers(0, 40)), st.lists(st.integers(0, 40)))
def test_finds_who_is_among_and_where(known, values):
    ascending = np.array(sorted(known), dtype=np.uint32)
    positions, found = find_among(ascending, np.array(values, dtype=np.uint32))
    assert found.tolist() == [value in known for value in values]
    assert ascending[positions[found]].tolist() == [value for value in values if value in known]


@given(st.lists(st.integers(0, 3)))
def test_runs_begin_where_keys_change(keys):
    expected = [not place or keys[place - 1] != key for place, key in enumerate(keys)]
    assert begins(np.array(keys, dtype=np.uint64)).tolist() == expected
