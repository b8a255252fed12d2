import datasketch
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.fingerprints import EMPTY_SIGNATURE
from tests.transforms.builders import MASK, brief, large_binary, slow_jaccard, slow_shingles
from transforms.annotate.signatures import permutation_constants, sign_texts
from transforms.buffers import binary_buffers

_words = st.sampled_from([b"a ", b"b\n", b"(c)", b"\xc3\xa9 ", b"+", b"_"])
TEXT = st.lists(_words, max_size=30).map(b"".join)


def sign(*texts, permutations=16, seed=1):
    constants = permutation_constants(permutations, seed)
    return sign_texts(*binary_buffers(large_binary(texts)), *constants)


def slow_signature(text, permutations, seed):
    multipliers, summands = (c.tolist() for c in permutation_constants(permutations, seed))
    return [
        min(((x * a + b & MASK) >> 32 for x in slow_shingles(text)), default=EMPTY_SIGNATURE)
        for a, b in zip(multipliers, summands, strict=True)
    ]


@brief
@given(st.lists(TEXT, max_size=4), st.integers(1, 20), st.integers(0, 5))
def test_equals_a_slow_version(texts, permutations, seed):
    signatures, shingles = sign(*texts, permutations=permutations, seed=seed)
    assert signatures.shape == (len(texts), permutations)
    assert signatures.tolist() == [slow_signature(text, permutations, seed) for text in texts]
    assert shingles.tolist() == [len(slow_shingles(text)) for text in texts]


@brief
@given(st.lists(TEXT, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_signature_does_not_depend_on_the_texts_around(texts, random):
    shuffled = random.sample(range(len(texts)), len(texts))
    together, _ = sign(*texts)
    moved, _ = sign(*(texts[index] for index in shuffled))
    assert np.array_equal(moved, together[shuffled])


def test_a_text_without_words_has_the_empty_signature():
    signatures, shingles = sign(b"", b"\n+-", b"word")
    assert (signatures[:2] == EMPTY_SIGNATURE).all()
    assert not (signatures[2] == EMPTY_SIGNATURE).any()
    assert shingles.tolist() == [0, 0, 1]


def test_signs_no_texts():
    signatures, shingles = sign()
    assert (signatures.shape, shingles.shape) == ((0, 16), (0,))


def test_estimates_agree_with_the_exact_similarity_and_with_datasketch():
    # A signature that is off by its permutations would be off in every estimate.
    permutations = 256
    random = np.random.default_rng(3)
    pairs = []
    for share in (0.0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.97, 1.0):
        words = random.integers(0, 10**9, 2000)
        cut = int(share * 1000)
        texts = (words[:1000], np.concatenate([words[:cut], words[1000 : 2000 - cut]]))
        pairs.append([b" ".join(b"w%d" % word for word in text.tolist()) for text in texts])
    for left, right in pairs:
        exact = slow_jaccard(left, right)
        (one, other), _ = sign(left, right, permutations=permutations)
        hashes = [datasketch.MinHash(permutations), datasketch.MinHash(permutations)]
        for minhash, text in zip(hashes, (left, right), strict=True):
            minhash.update_batch([x.to_bytes(8, "little") for x in slow_shingles(text)])
        deviation = np.sqrt(exact * (1 - exact) / permutations)
        estimate = np.mean(one == other)
        assert abs(estimate - exact) <= 5 * deviation
        # Two estimates with errors of their own differ by sqrt(2) times as much.
        assert abs(estimate - hashes[0].jaccard(hashes[1])) <= 5 * np.sqrt(2) * deviation


def test_estimates_are_not_biased():
    # Averaged over seeds the error must shrink as that of independent permutations does.
    left, right = (" ".join(f"w{n}" for n in range(a, a + 120)).encode() for a in (0, 30))
    exact = slow_jaccard(left, right)
    estimates = []
    for seed in range(50):
        (one, other), _ = sign(left, right, permutations=256, seed=seed)
        estimates.append(np.mean(one == other))
    assert abs(np.mean(estimates) - exact) < 5 * np.sqrt(exact * (1 - exact) / (256 * 50))


def test_permutations_never_change():
    # Committed signatures would no longer fit those of documents that are signed later.
    multipliers, summands = permutation_constants(2, seed=1)
    assert multipliers.tolist() == [9441442522235856127, 17532960557476522087]
    assert summands.tolist() == [2659275481604167885, 17499493567006797778]
    assert sign(b"def f(x): return x + 1", permutations=4)[0].tolist() == [
        [2820391473, 4221178631, 2360578850, 91132000]
    ]


def test_multipliers_are_odd_and_seeds_differ():
    multipliers, summands = permutation_constants(256, seed=1)
    assert (multipliers % 2 == 1).all()
    assert len(set(multipliers.tolist())) == len(set(summands.tolist())) == 256
    assert not np.array_equal(multipliers, permutation_constants(256, seed=2)[0])


def test_refuses_what_cannot_be_signed_with():
    with pytest.raises(ValueError, match="permutations must be at least 1, got 0"):
        permutation_constants(0, seed=1)
    two, three = np.ones(2, np.uint64), np.ones(3, np.uint64)
    with pytest.raises(ValueError, match="got 2 multipliers and 3 summands"):
        sign_texts(np.zeros(0, np.uint8), np.zeros(1, np.int64), two, three)
