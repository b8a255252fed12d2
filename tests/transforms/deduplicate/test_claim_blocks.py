import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.deduplicate.claim_blocks import pack_blocks, unpack_blocks

BANDS = 3
FILES = st.lists(st.integers(0, 4), max_size=4)


@thorough
@given(FILES, st.integers(1, 5), st.randoms())
def test_a_range_has_the_claims_of_all_files_band_after_band(sizes, ranges, random):
    files = [
        np.sort(
            np.array(
                [[random.getrandbits(64) for _ in range(size)] for _ in range(BANDS)], np.uint64
            ).reshape(BANDS, size)
        )
        for size in sizes
    ]
    packed = [pack_blocks(claims, ranges) for claims in files]
    for number in range(ranges):
        blocks = [blocks[ends[number] : ends[number + 1]] for blocks, ends in packed]
        found, counts = unpack_blocks(blocks, BANDS)
        low, high = ((edge << 32) // ranges << 32 for edge in (number, number + 1))
        expected = [
            [claim for claims in files for claim in claims[band].tolist() if low <= claim < high]
            for band in range(BANDS)
        ]
        assert counts.tolist() == [len(each) for each in expected]
        assert found.tolist() == [claim for each in expected for claim in each]


@pytest.mark.parametrize("ranges", [1, 3])
def test_no_claims_are_blocks_without_any(ranges):
    blocks, ends = pack_blocks(np.zeros((BANDS, 0), np.uint64), ranges)
    assert ends.tolist() == [BANDS * number for number in range(ranges + 1)]
    assert not blocks.any()


def test_no_blocks_have_no_claims():
    claims, sizes = unpack_blocks([], BANDS)
    assert claims.size == 0
    assert sizes.tolist() == [0] * BANDS
