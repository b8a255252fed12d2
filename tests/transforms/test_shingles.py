import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import (
    MASK,
    brief,
    large_binary,
    slow_jaccard,
    slow_mix,
    slow_shingles,
    thorough,
)
from transforms import interpreted
from transforms.buffers import binary_buffers
from transforms.shingles import (
    count_common,
    distinct_shingles,
    hash_shingles,
    hash_words,
    jaccard,
    max_shingles,
    mix,
    sort_distinct,
    sort_hashes,
)

_pieces = st.sampled_from([b"a", b"b", b"ab", b"_", b"7", b"Z", b" ", b"\n", b"(", b"\xc3\xa9"])
TEXT = st.lists(_pieces, max_size=60).map(b"".join) | st.binary(max_size=40)
HASH = st.integers(0, MASK)


def shingles_of(text):
    array = np.frombuffer(b"word " + text + b"word", dtype=np.uint8)
    out = np.zeros(max_shingles(len(text)), dtype=np.uint64)
    count = hash_shingles(array, 5, 5 + len(text), out)
    return out[:count].tolist()


def sorted_sets(*texts):
    hashes, offsets = distinct_shingles(*binary_buffers(large_binary(texts)))
    assert offsets.size == len(texts) + 1
    return [hashes[a:b] for a, b in itertools.pairwise(offsets)]


@thorough
@given(HASH)
def test_mix_is_the_finalizer_of_murmurhash(value):
    assert int(mix(np.uint64(value))) == slow_mix(value)


@thorough
@given(TEXT)
def test_hashes_equal_those_of_a_slow_version(text):
    assert shingles_of(text) == slow_shingles(text)


_long_words = st.integers(1, 40).map(lambda size: b"abcdefghij" * size)
_gaps = st.sampled_from([b" ", b"\n\n", b" " * 100, b"(" * 4_096])
_filling = st.integers(4_000, 4_100).map(lambda size: b"ab c d " * (size // 7) + b"z" * (size % 7))


@brief
@given(st.lists(_filling | _gaps | _long_words | TEXT, max_size=12).map(b"".join))
def test_hashes_do_not_depend_on_the_blocks_that_text_is_read_in(text):
    assert shingles_of(text) == slow_shingles(text)


def test_a_word_longer_than_any_block_is_one_word():
    text = b"x" * 3_000_000 + b" a b c d e " + b"y" * 10_000
    assert shingles_of(text) == slow_shingles(text)


@thorough
@given(st.lists(st.sampled_from([b"abcdefgh", b"xyz", b"1", b" ", b"()"]), max_size=12))
def test_nothing_is_read_behind_the_end_of_the_data(pieces):
    text = b"".join(pieces)
    # Bytes that follow in memory would be read as parts of the last words.
    memory = np.frombuffer(text + b"following words", dtype=np.uint8)
    out = np.zeros(max_shingles(len(text)), dtype=np.uint64)
    count = hash_shingles(memory[: len(text)], 0, len(text), out)
    assert out[:count].tolist() == slow_shingles(text)


@thorough
@given(st.lists(TEXT, max_size=5))
def test_distinct_hashes_are_the_sorted_set_of_each_text(texts):
    found = [hashes.tolist() for hashes in sorted_sets(*texts)]
    assert found == [sorted(set(slow_shingles(text))) for text in texts]


@thorough
@given(st.lists(TEXT, max_size=5))
def test_words_are_hashed_text_by_text(texts):
    hashes, offsets = hash_words(*binary_buffers(large_binary(texts)))
    found = np.split(hashes, offsets[1:-1]) if texts else []
    assert [each.tolist() for each in found] == [
        interpreted.hash_words(text).tolist() for text in texts
    ]


def test_a_text_of_fewer_than_five_words_is_one_shingle():
    assert len(shingles_of(b"one")) == 1
    assert len(shingles_of(b"one two three four")) == 1
    assert len(shingles_of(b"one two three four five")) == 1
    assert len(shingles_of(b"one two three four five six")) == 2


def test_short_texts_of_other_words_differ():
    texts = [b"one", b"one one", b"two", b"one two", b"two one", b"onetwo", b"\xc3\xa9", b"\xc3"]
    assert len({shingles_of(text)[0] for text in texts}) == len(texts)


@pytest.mark.parametrize("text", [b"", b" ", b"\n\n", b"(){}+-*/", b"\x00\x7f"])
def test_a_text_without_words_has_no_shingle(text):
    assert shingles_of(text) == []


@pytest.mark.parametrize("byte", [b"@", b"[", b"`", b"{", b"/", b":", b"\x7f", b"^", b"-"])
def test_bytes_beside_the_word_bytes_divide_words(byte):
    assert shingles_of(b"one" + byte + b"two") == shingles_of(b"one two")


@pytest.mark.parametrize("byte", [b"A", b"Z", b"a", b"z", b"0", b"9", b"_", b"\x80", b"\xff"])
def test_the_outermost_word_bytes_do_not_divide_words(byte):
    assert shingles_of(b"one" + byte + b"two") != shingles_of(b"one two")


def test_what_stands_between_words_does_not_matter():
    assert shingles_of(b"a b c d e f g") == shingles_of(b"\t(a)\r\nb, c=d; e//f\n\n#g\n")


def test_there_is_room_for_every_shingle():
    assert all(len(shingles_of(b"a " * n)) <= max_shingles(2 * n - 1) for n in range(1, 20))


def test_the_hash_of_a_shingle_never_changes():
    # Signatures are committed in attributes/fingerprint, and later shingles are held
    # against documents that were signed by an earlier version.
    assert shingles_of(b"def f(x): return x + 1") == [17162471928159705031, 7841239799997722158]


def test_refuses_an_offsets_array_of_nothing():
    with pytest.raises(ValueError, match="offsets need at least one entry"):
        distinct_shingles(np.zeros(0, np.uint8), np.zeros(0, np.int64))


CLUSTERED = st.builds(
    lambda base, steps: [(base + step) & MASK for step in steps],
    HASH,
    st.lists(st.integers(0, 50), max_size=200),
)


@thorough
@given(st.lists(HASH, max_size=200) | CLUSTERED | st.lists(st.sampled_from([0, 1, MASK])))
def test_sorts_as_numpy_does(values):
    array = np.array(values, dtype=np.uint64)
    before = array.copy()
    assert sort_hashes(array).tolist() == np.sort(array).tolist()
    assert sort_distinct(array).tolist() == sorted(set(values))
    assert np.array_equal(array, before)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(1_000_000, np.uint64),
        np.full(1_000_000, MASK, np.uint64),
        np.arange(1_000_000, dtype=np.uint64)[::-1].copy(),
        np.arange(1_000_000, dtype=np.uint64)[::-1] << np.uint64(4) | np.uint64(7 << 60),
        np.concatenate([np.arange(500_000)[::-1], np.arange(500_000)]).astype(np.uint64),
        np.random.default_rng(0).integers(0, 2**64, 1_000_000, np.uint64, endpoint=False),
    ],
    ids=["zeros", "ones", "descending", "one bucket", "two slopes", "random"],
)
@pytest.mark.timeout(60, method="thread")
def test_sorts_values_that_were_chosen_to_collide(values):
    # Were large buckets sorted by insertion, these would take minutes.
    assert np.array_equal(sort_hashes(values), np.sort(values))


HASH_SETS = st.sets(st.integers(0, 20) | HASH, max_size=30)


@thorough
@given(HASH_SETS, HASH_SETS)
def test_jaccard_is_that_of_sets(left, right):
    one, other = (np.array(sorted(values), dtype=np.uint64) for values in (left, right))
    union = len(left | right)
    assert count_common(one, other) == len(left & right)
    assert jaccard(one, other) == (len(left & right) / union if union else 0.0)


@thorough
@given(TEXT, TEXT)
def test_similarity_of_texts_is_that_of_a_slow_version(left, right):
    one, other = sorted_sets(left, right)
    assert jaccard(one, other) == jaccard(other, one) == slow_jaccard(left, right)
