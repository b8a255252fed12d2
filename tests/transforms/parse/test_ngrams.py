import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.redundancy import REPEATED_SIZES, TOP_SIZES
from tests.transforms.builders import large_binary
from transforms.buffers import binary_buffers
from transforms.parse import ngrams
from transforms.parse.ngrams import repeated_shares


def measure(*texts):
    return repeated_shares(*binary_buffers(large_binary([text.encode() for text in texts])))


def slow_shares(text):
    """The same with a Counter of tuples of words."""
    words = re.findall(rb"[A-Za-z0-9_\x80-\xff]+", text.encode())
    lengths = [len(word.decode(errors="ignore")) for word in words]
    words = [word.lower() for word in words]
    total = sum(lengths)
    shares = []
    for n in (*TOP_SIZES, *REPEATED_SIZES):
        runs = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
        counts = Counter(runs)
        share = 0.0
        if n in TOP_SIZES and runs:
            run, count = counts.most_common(1)[0]
            first = runs.index(run)
            share = count * sum(lengths[first : first + n]) / total if count > 1 else 0.0
        elif runs:
            inside = {i + k for i, run in enumerate(runs) if counts[run] > 1 for k in range(n)}
            share = sum(lengths[i] for i in inside) / total
        shares.append(min(share, 1.0))
    return shares


_words = st.lists(st.sampled_from(["a", "B", "b", "cc", "d\u00e9", "\u4e2d", "x_1"]), max_size=60)


@given(st.lists(_words, max_size=4), st.sampled_from([" ", ", ", "\n"]))
def test_equals_counting_tuples_of_words(texts, separator):
    joined = [separator.join(words) for words in texts]
    expected = [slow_shares(text) for text in joined]
    found = measure(*joined)
    np.testing.assert_allclose(found, np.array(expected).reshape(found.shape), rtol=1e-12)


def test_a_text_without_repetition_has_none():
    assert not measure(" ".join(f"word{n}" for n in range(100))).any()


def test_case_and_punctuation_do_not_matter():
    once, again = measure("a b, c d", "A b C.D a;b c d")
    assert not once.any()
    assert again[:3].tolist() == [0.5, 0.75, 1.0]


@pytest.mark.parametrize("text", ["", "()", "one", "\ufffd"])
def test_texts_of_no_or_one_word_have_none(text):
    assert measure(text).tolist() == [[0.0] * 9]


def test_one_word_again_and_again_is_all_of_the_text():
    assert measure("spam " * 1000).tolist() == [[1.0] * 9]


def test_a_full_neighborhood_of_the_table_counts_as_not_repeated(monkeypatch):
    # A table in which all hashes collide: what is beyond the probes occurs once.
    size = 4 * ngrams._MAX_PROBES
    hashes = (np.arange(size, dtype=np.uint64) << np.uint64(32)) + np.uint64(7)
    firsts, counts = np.empty(size, np.int64), np.empty(size, np.int64)
    ngrams._count(
        np.concatenate((hashes, hashes))[:size], np.empty(1 << 10, np.int64), firsts, counts
    )
    assert counts.sum() == size
    assert firsts.tolist() == list(range(size))
