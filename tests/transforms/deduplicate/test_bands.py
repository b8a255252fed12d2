import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import MASK, slow_mix, thorough
from transforms.deduplicate.bands import Banding, find_buckets, hash_bands, optimal_banding


def collision_probability(banding, similarity):
    return 1 - (1 - similarity**banding.rows) ** banding.bands


def test_the_banding_of_the_default_threshold_never_changes():
    # Another banding finds other candidates, so that equal configurations would no
    # longer give equal runs.
    assert optimal_banding(0.7, 256) == Banding(bands=39, rows=6)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.85, 0.9])
def test_a_pair_at_the_threshold_is_nearly_always_found(threshold):
    banding = optimal_banding(threshold, 256)
    assert banding.bands * banding.rows <= 256
    assert collision_probability(banding, threshold) >= 0.95
    assert collision_probability(banding, threshold / 2) < 0.5


def test_more_permutations_find_a_pair_more_surely():
    found = [collision_probability(optimal_banding(0.7, n), 0.7) for n in (64, 128, 256)]
    assert found == sorted(found)


@pytest.mark.parametrize(("threshold", "permutations"), [(1.1, 256), (-0.1, 256), (0.7, 1)])
def test_refuses_what_cannot_be_cut_in_bands(threshold, permutations):
    with pytest.raises(ValueError, match=r"[Tt]hreshold|permutation"):
        optimal_banding(threshold, permutations)


SIGNATURES = st.lists(
    st.lists(st.integers(0, 3) | st.integers(0, 2**32 - 1), min_size=7, max_size=7), max_size=5
).map(lambda rows: np.array(rows, dtype=np.uint32).reshape(-1, 7))


@thorough
@given(SIGNATURES, st.sampled_from([(1, 7), (7, 1), (2, 3), (3, 2)]))
def test_hashes_equal_those_of_a_slow_version(signatures, shape):
    bands, rows = shape
    expected = []
    for signature in signatures.tolist():
        for band in range(bands):
            value = slow_mix(band + 1)
            for place in signature[band * rows : (band + 1) * rows]:
                value = slow_mix(value ^ place)
            expected.append(value)
    found = hash_bands(signatures, Banding(bands, rows))
    assert found.shape == (len(signatures), bands)
    assert found.reshape(-1).tolist() == expected


def test_equal_values_in_different_bands_have_different_hashes():
    hashes = hash_bands(np.full((2, 256), 7, np.uint32), Banding(64, 4))
    assert len(set(hashes[0].tolist())) == 64
    assert np.array_equal(hashes[0], hashes[1])


def test_bands_share_a_hash_as_often_as_the_formula_says():
    random = np.random.default_rng(5)
    banding = Banding(39, 6)
    same = random.random((4000, 256)) < 0.6
    left = random.integers(0, 2**32, same.shape, np.uint32)
    right = np.where(same, left, random.integers(0, 2**32, same.shape, np.uint32))
    found = (hash_bands(left, banding) == hash_bands(right, banding)).any(axis=1).mean()
    expected = collision_probability(banding, 0.6)
    assert abs(found - expected) < 5 * np.sqrt(expected * (1 - expected) / 4000)


def test_refuses_a_banding_that_needs_more_values_than_there_are():
    with pytest.raises(ValueError, match="needs 234 values, signatures have 128"):
        hash_bands(np.zeros((1, 128), np.uint32), Banding(39, 6))


@thorough
@given(st.lists(st.integers(0, 5) | st.sampled_from([MASK, MASK - 1, 1 << 63]), max_size=40))
def test_finds_the_buckets_that_a_dictionary_finds(keys):
    expected = {}
    for place, key in enumerate(keys):
        expected.setdefault(key, []).append(place)
    shared = [places for _, places in sorted(expected.items()) if len(places) > 1]
    places, offsets = find_buckets(np.array(keys, dtype=np.uint64))
    bounds = itertools.pairwise(offsets)
    assert [places[start:end].tolist() for start, end in bounds] == shared
    assert (offsets[0], offsets[-1]) == (0, places.size)
