import numpy as np
import pytest
from datasketch import MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import MASK, slow_mix, thorough
from transforms.deduplicate.bands import (
    MEETING,
    Banding,
    claim_bands,
    hash_bands,
    number_buckets,
    optimal_banding,
)


def test_the_banding_of_the_default_threshold_never_changes():
    # Another banding finds other candidates, so that equal configurations would no
    # longer give equal runs.
    assert optimal_banding(0.7, 256) == Banding(bands=42, rows=6)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.99, 0.999, 1.0])
def test_a_pair_at_the_threshold_is_nearly_always_found(threshold):
    banding = optimal_banding(threshold, 256)
    assert banding.bands * banding.rows <= 256
    assert banding.meeting(threshold) >= MEETING
    longer = Banding(256 // (banding.rows + 1), banding.rows + 1)
    assert longer.bands == 0 or longer.meeting(threshold) < MEETING


@pytest.mark.parametrize(("threshold", "permutations"), [(0.7, 256), (0.8, 128), (0.5, 256)])
def test_misses_no_more_than_the_banding_that_datasketch_finds(threshold, permutations):
    oracle = MinHashLSH(threshold, permutations, weights=(0.1, 0.9))
    found = optimal_banding(threshold, permutations).meeting(threshold)
    assert found >= Banding(oracle.b, oracle.r).meeting(threshold) - (1 - MEETING)


def test_a_hopeless_threshold_compares_single_values():
    assert optimal_banding(0.001, 64) == Banding(64, 1)


@pytest.mark.parametrize("threshold", [1.1, -0.1, 0])
def test_refuses_what_is_no_similarity(threshold):
    with pytest.raises(ValueError, match=f"at most 1, got {threshold}"):
        optimal_banding(threshold, 256)


def test_refuses_signatures_without_values():
    with pytest.raises(ValueError, match="permutations must be at least 1, got 0"):
        optimal_banding(0.7, 0)


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
    expected = banding.meeting(0.6)
    assert abs(found - expected) < 5 * np.sqrt(expected * (1 - expected) / 4000)


def test_refuses_a_banding_that_needs_more_values_than_there_are():
    with pytest.raises(ValueError, match="needs 234 values, signatures have 128"):
        hash_bands(np.zeros((1, 128), np.uint32), Banding(39, 6))


def test_claims_the_upper_half_of_each_bands_hash():
    random = np.random.default_rng(2)
    signatures = random.integers(0, 3, (20, 12)).astype(np.uint32)
    places = random.permutation(20).astype(np.uint32) + np.uint32(2**32 - 20)
    hashes = hash_bands(signatures, Banding(3, 4))
    claims = claim_bands(hashes, places)
    for band in range(3):
        expected = [
            (value >> 32 << 32) | place
            for value, place in zip(hashes[:, band].tolist(), places.tolist(), strict=True)
        ]
        assert claims[band].tolist() == sorted(expected)


def test_claims_no_bands_of_no_documents():
    nothing = np.zeros((0, 2), np.uint64)
    assert claim_bands(nothing, np.zeros(0, np.uint32)).shape == (2, 0)


KEYS = st.lists(st.integers(0, 5) | st.sampled_from([MASK >> 32]), max_size=20)


@thorough
@given(st.lists(KEYS, max_size=3))
def test_buckets_are_bands_that_two_documents_have(keys_of_bands):
    claims = [key << 32 | place for keys in keys_of_bands for place, key in enumerate(keys)]
    expected = [
        [place for place, each in enumerate(keys) if each == key]
        for keys in keys_of_bands
        for key in sorted(set(keys))
        if keys.count(key) > 1
    ]
    sizes = np.array([len(keys) for keys in keys_of_bands], dtype=np.int64)
    found = number_buckets(np.array(claims, dtype=np.uint64), sizes)
    assert found.tolist() == [
        number << 32 | place for number, places in enumerate(expected) for place in places
    ]
