"""Copies with other names are the same programs, and strangers to each other."""

import ast
import keyword

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.renaming import permuted_bytes, rename_texts
from transforms.buffers import binary_buffers
from transforms.shingles import distinct_shingles, jaccard

PROGRAM = b'''"""Adds \\n up, \\x41."""
import os
from collections import deque as queue

def total(values, *, start=0x1F):
    for index, value in enumerate(values):
        if value is not None and index != 1e5 or index == 1_203:
            start += value * 45
    return f"{start} in {os.getcwd()!r}", rb"raw\\d", 10
'''


def rename(*texts: bytes, copy: int) -> list[bytes]:
    return rename_texts(pa.array(texts, pa.large_binary()), copy).to_pylist()


def similarity(left: bytes, right: bytes) -> float:
    hashes, offsets = distinct_shingles(*binary_buffers(pa.array([left, right], pa.large_binary())))
    return jaccard(hashes[: offsets[1]], hashes[offsets[1] :])


def test_the_first_copy_is_the_text_itself():
    assert rename(PROGRAM, copy=0) == [PROGRAM]


def test_a_copy_is_the_same_program_with_other_names():
    (renamed,) = rename(PROGRAM, copy=3)
    before, after = ast.parse(PROGRAM), ast.parse(renamed)
    kinds = [[type(node) for node in ast.walk(tree)] for tree in (before, after)]
    assert kinds[0] == kinds[1]
    names = [{n.id for n in ast.walk(t) if isinstance(n, ast.Name)} for t in (before, after)]
    assert names[0].isdisjoint(names[1])


def test_copies_have_nothing_in_common():
    copies = [rename(PROGRAM, copy=number)[0] for number in range(4)]
    assert all(similarity(copies[a], copies[b]) < 0.1 for a in range(4) for b in range(a))


def test_every_byte_of_a_word_becomes_another_one():
    for copy in range(1, 20):
        assert sorted(permuted_bytes(copy)) == list(range(256))


@given(st.lists(st.sampled_from(["a", "of", "si", "x1", "if", "is", "30", "4", "zz"]), max_size=30))
def test_similarity_within_a_copy_stays_as_it_was(words):
    texts = [" ".join(words).encode(), " ".join(words[3:]).encode()]
    assert similarity(*rename(*texts, copy=5)) == similarity(*texts)


@given(st.binary(max_size=60), st.integers(1, 50))
def test_lengths_and_what_is_no_word_stay_as_they_were(text, copy):
    (renamed,) = rename(text, copy=copy)
    assert len(renamed) == len(text)
    others = [(a, b) for a, b in zip(text, renamed, strict=True) if not chr(a).isalnum() or a > 127]
    assert all(a == b for a, b in others)
    assert rename(text, copy=copy) == [renamed]


def test_different_words_stay_different_where_names_become_keywords():
    words = [f"{a}{b}" for a in "abcdefghijklmnopqrstuvwxyz" for b in "abcdefghijklmnopqrstuvwxyz"]
    for copy in range(1, 10):
        renamed = rename(" ".join(words).encode(), copy=copy)[0].decode().split()
        assert len(set(renamed)) == len(words)
        assert all(
            (a == b) == keyword.iskeyword(a) or not keyword.iskeyword(b)
            for a, b in zip(words, renamed, strict=True)
        )


def test_texts_are_renamed_one_by_one():
    sliced = pa.array([b"skipped", b"abc", b"def_x"], pa.large_binary()).slice(1)
    assert rename_texts(sliced, 2).to_pylist() == rename(b"abc", b"def_x", copy=2)


def test_a_negative_copy_is_refused():
    with pytest.raises(ValueError, match="counted from 0, got -1"):
        rename_texts(pa.array([b""], pa.large_binary()), -1)


def test_golden_letters_because_a_report_names_a_corpus_made_with_them():
    text = b"abcdefghijklmnopqrstuvwxyz 123456789"
    assert rename(text, copy=1) == [b"pdtwknyeajucqgibhlmrzvoxsf 264359718"]
    assert np.count_nonzero(permuted_bytes(1) != np.arange(256)) > 40
