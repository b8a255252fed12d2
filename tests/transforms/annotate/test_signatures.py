import hashlib
import itertools
import time

import datasketch
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.fingerprints import EMPTY_SIGNATURE
from tests.transforms.builders import (
    MASK,
    brief,
    large_binary,
    slow_jaccard,
    slow_mix,
    slow_shingles,
    words,
)
from transforms.annotate.signatures import as_minhash, sign_texts
from transforms.buffers import binary_buffers

GOLDEN_RATIO = 0x9E3779B97F4A7C15

_words = st.sampled_from([b"a ", b"b\n", b"(c)", b"\xc3\xa9 ", b"+", b"_"])
TEXT = st.lists(_words, max_size=30).map(b"".join) | st.integers(5, 90).map(lambda n: words(0, n))


def sign(*texts, permutations=16, seed=1):
    return sign_texts(*binary_buffers(large_binary(texts)), permutations, seed)


def slow_sketch(elements, places, seed):
    """All rounds of Fast Similarity Sketching: the smallest round and value of each place."""
    best = [(2 * places, 0)] * places
    for number in range(2 * places):
        key = slow_mix(seed + (number + 1) * GOLDEN_RATIO & MASK)
        for element in elements:
            hashed = slow_mix(element + key & MASK)
            place, value = (hashed >> 32) * places >> 32, hashed * places & MASK
            if number >= places:
                place, value = number - places, hashed
            best[place] = min(best[place], (number, value))
    return best


def slow_signature(text, places, seed):
    elements = set(slow_shingles(text))
    if not elements:
        return [EMPTY_SIGNATURE] * places
    best = slow_sketch(elements, places, seed)
    return [min(slow_mix(value) >> 32, EMPTY_SIGNATURE - 1) for _, value in best]


@brief
@given(st.lists(TEXT, max_size=4), st.integers(1, 20), st.integers(0, 5))
def test_equals_a_slow_version_that_does_all_rounds(texts, permutations, seed):
    signatures, shingles = sign(*texts, permutations=permutations, seed=seed)
    assert signatures.shape == (len(texts), permutations)
    assert signatures.tolist() == [slow_signature(text, permutations, seed) for text in texts]
    assert shingles.tolist() == [len(slow_shingles(text)) for text in texts]


@brief
@given(*[st.sets(st.integers(0, MASK), min_size=1, max_size=40)] * 2, st.integers(1, 12))
def test_the_sketch_of_a_union_is_the_smaller_of_each_place(left, right, places):
    # What makes equal places an estimate of the similarity (the paper's section 2).
    pairs = zip(slow_sketch(left, places, 1), slow_sketch(right, places, 1), strict=True)
    assert slow_sketch(left | right, places, 1) == [min(pair) for pair in pairs]


@brief
@given(st.integers(0, 80), st.integers(5, 100), st.integers(9, 100))
def test_every_place_of_a_union_comes_from_one_of_the_sets(first, left, right):
    # Texts that overlap by four words or more have all shingles of their union.
    middle, last = first + left, first + left + right
    texts = words(first, middle), words(middle - 4, last), words(first, last)
    (one, other, union), _ = sign(*texts, permutations=64)
    assert ((union == one) | (union == other)).all()
    assert (union[one == other] == one[one == other]).all()


@brief
@given(st.lists(TEXT, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_signature_does_not_depend_on_the_texts_around(texts, random):
    shuffled = random.sample(range(len(texts)), len(texts))
    together, _ = sign(*texts)
    moved, _ = sign(*(texts[index] for index in shuffled))
    assert np.array_equal(moved, together[shuffled])


def test_repeats_do_not_matter():
    once, often = words(0, 50), words(0, 50) * 400
    # The seam makes four shingles more, so that the repeated text is held against two.
    (two, many), _ = sign(once * 2, often, permutations=256)
    assert np.array_equal(two, many)


def test_a_text_that_repeats_one_shingle_costs_no_more_than_its_length():
    # All places have to be filled by one element, which took a round over all repeats each.
    text = b"a " * 2_000_000
    sign(text)
    started = time.thread_time()
    signatures, shingles = sign(text, permutations=256)
    assert time.thread_time() - started < 1.5
    assert shingles.tolist() == [1_999_996]
    assert np.array_equal(signatures, sign(b"a a a a a", permutations=256)[0])


def test_a_text_without_words_has_the_empty_signature():
    signatures, shingles = sign(b"", b"\n+-", b"word")
    assert (signatures[:2] == EMPTY_SIGNATURE).all()
    assert not (signatures[2] == EMPTY_SIGNATURE).any()
    assert shingles.tolist() == [0, 0, 1]


def test_signs_no_texts():
    signatures, shingles = sign()
    assert (signatures.shape, shingles.shape) == ((0, 16), (0,))


SIZES = (1, 2, 3, 5, 10, 20, 50, 200, 1_000, 5_000)
PERMUTATIONS = 256


@pytest.fixture(scope="module")
def pairs():
    """Pairs of texts of many sizes and similarities, and the similarity of each."""
    random = np.random.default_rng(3)
    found = []
    for size, share in itertools.product(SIZES, (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.97)):
        for _ in range(30 if size < 1_000 else 3):
            own = random.integers(0, 10**12)
            other = own + size + 4 - round((size + 4) * share)
            found.append((words(own, own + size + 4), words(other, other + size + 4)))
    return found, np.array([slow_jaccard(*pair) for pair in found])


@pytest.fixture(scope="module")
def estimates(pairs):
    texts, _ = pairs
    signatures, _ = sign(*itertools.chain(*texts), permutations=PERMUTATIONS)
    return (signatures[::2] == signatures[1::2]).mean(axis=1)


def standard_scores(estimated, exact):
    """Errors by the standard deviation of independent permutations, where there is one."""
    deviation = np.sqrt(exact * (1 - exact) / PERMUTATIONS)
    return (estimated - exact)[deviation > 0] / deviation[deviation > 0]


def test_estimates_err_no_more_than_theory_says_for_sets_of_any_size(pairs, estimates):
    scores = standard_scores(estimates, pairs[1])
    assert scores.size > 700
    assert np.abs(scores).max() < 5
    # Unbiased: the mean of n standard scores is within 4 / sqrt(n); not wider than theory.
    assert abs(scores.mean()) < 4 / np.sqrt(scores.size)
    assert np.mean(scores**2) < 1 + 4 * np.sqrt(2 / scores.size)


def test_sets_without_a_common_element_share_no_place(pairs, estimates):
    assert (estimates[pairs[1] == 0] == 0).all()
    assert (pairs[1] == 0).sum() > 100


def test_datasketch_errs_as_much_and_agrees(pairs, estimates):
    texts, exact = pairs
    chosen = range(0, len(texts), 4)
    theirs = []
    for left, right in (texts[index] for index in chosen):
        hashes = [datasketch.MinHash(PERMUTATIONS) for _ in range(2)]
        for minhash, text in zip(hashes, (left, right), strict=True):
            minhash.update_batch([x.to_bytes(8, "little") for x in slow_shingles(text)])
        theirs.append(hashes[0].jaccard(hashes[1]))
    exact, ours, theirs = exact[chosen], estimates[chosen], np.array(theirs)
    assert np.abs(standard_scores(theirs, exact)).max() < 5
    # Two estimates with errors of their own differ by sqrt(2) times as much.
    difference = standard_scores(ours - theirs + exact, exact) / np.sqrt(2)
    assert np.abs(difference).max() < 5
    assert abs(difference.mean()) < 4 / np.sqrt(difference.size)


def test_datasketch_reads_signatures():
    (one, other, apart), _ = sign(words(0, 100), words(20, 120), words(500, 600), permutations=128)
    read = [as_minhash(signature, seed=1) for signature in (one, other, apart)]
    assert read[0].jaccard(read[1]) == np.mean(one == other)
    assert read[0].jaccard(read[0]) == 1
    assert read[0].jaccard(read[2]) == 0
    with pytest.raises(ValueError, match="seed"):
        read[0].jaccard(as_minhash(other, seed=2))
    index = datasketch.MinHashLSH(threshold=0.5, num_perm=128)
    for name, minhash in zip("abc", read, strict=True):
        index.insert(name, minhash)
    assert sorted(index.query(read[0])) == ["a", "b"]


def test_signatures_never_change():
    # Committed signatures would no longer fit those of documents that are signed later,
    # nor those that another machine makes.
    texts = b"def f(x): return x + 1", b"word", words(0, 100), words(0, 5_000), b"a b c d e " * 99
    signatures, _ = sign(*texts, permutations=256)
    assert signatures[0, :4].tolist() == [322938166, 1711173294, 3467980964, 2147215694]
    digest = hashlib.sha256(signatures.astype("<u4").tobytes()).hexdigest()
    assert digest == "d78f53bff362b41a695aecde6a811ae87dc66523095876e4c9fa6c6d564e3186"


def test_signatures_of_other_seeds_differ():
    text = words(0, 100)
    one, other = (sign(text, permutations=64, seed=seed)[0] for seed in (1, 2))
    assert not (one == other).any()


def test_the_largest_seed_is_allowed():
    assert sign(b"word", seed=MASK)[0].tolist() == [slow_signature(b"word", 16, MASK)]


def test_refuses_what_cannot_be_signed_with():
    with pytest.raises(ValueError, match="permutations must be at least 1, got 0"):
        sign(b"word", permutations=0)
    with pytest.raises(ValueError, match="offsets need at least one entry"):
        sign_texts(np.zeros(0, np.uint8), np.zeros(0, np.int64), 16, 1)
