import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import brief, large_binary, words
from transforms import interpreted
from transforms.annotate.signatures import sign_texts
from transforms.buffers import binary_buffers
from transforms.deduplicate.bands import Banding, hash_bands
from transforms.shingles import distinct_shingles, jaccard

_pieces = st.sampled_from([b"a", b"ab", b"_", b"7", b" ", b"\n", b"(", b"\xc3\xa9", b"x" * 30])
TEXT = st.lists(_pieces, max_size=60).map(b"".join) | st.binary(max_size=40)
SEED = st.integers(0, 2**64 - 1)


def compiled_shingles(text):
    return distinct_shingles(*binary_buffers(large_binary([text])))[0]


@brief
@given(TEXT)
def test_shingles_are_those_of_the_kernel(text):
    found = interpreted.hash_shingles(text)
    assert found.dtype == np.uint64
    assert found.tolist() == compiled_shingles(text).tolist()


@brief
@given(TEXT.filter(lambda text: interpreted.hash_shingles(text).size), st.integers(1, 20), SEED)
def test_signatures_are_those_of_the_kernel(text, permutations, seed):
    shingles = interpreted.hash_shingles(text)
    signatures, _ = sign_texts(*binary_buffers(large_binary([text])), permutations, seed)
    signed = interpreted.sign_shingles(shingles, permutations, seed)
    assert signed.dtype == np.uint32
    assert signed.tolist() == signatures[0].tolist()


@pytest.mark.parametrize("text", [b"word", words(0, 30), words(0, 20_000), b"y" * 50_000])
def test_large_and_small_texts_are_signed_as_by_the_kernel(text):
    signatures, _ = sign_texts(*binary_buffers(large_binary([text])), 256, 1)
    shingles = interpreted.hash_shingles(text)
    assert interpreted.sign_shingles(shingles, 256, 1).tolist() == signatures[0].tolist()


def test_bands_are_those_of_the_kernel():
    signatures, _ = sign_texts(*binary_buffers(large_binary([words(0, 90)])), 256, 1)
    compiled = hash_bands(signatures, Banding(39, 6))[0]
    assert interpreted.hash_bands(signatures[0], 39, 6).tolist() == compiled.tolist()


@brief
@given(TEXT, TEXT)
def test_similarity_is_that_of_the_kernel(left, right):
    expected = jaccard(compiled_shingles(left), compiled_shingles(right))
    one, other = interpreted.hash_shingles(left), interpreted.hash_shingles(right)
    assert interpreted.jaccard(one, other) == expected
