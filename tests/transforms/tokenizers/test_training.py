import collections
import functools
import hashlib
import itertools

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from tests.transforms.builders import brief, thorough
from tests.transforms.tokenizers.builders import (
    ASSIGNED_TEXT,
    TEXTS,
    ids_of,
    text_of,
    tokenizer_of,
    train_whole,
)
from transforms.tokenizers.bytelevel import byte_symbols
from transforms.tokenizers.definitions import definition_of, special_tokens
from transforms.tokenizers.runs import add_whitespace_runs
from transforms.tokenizers.training import (
    PATTERN_NAMES,
    PATTERNS,
    make_pre_tokenizer,
)

GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# What OpenAI's encoder calls \s is Unicode's White_Space, and Python's is more.
CUTS = {
    name: regex.compile(
        pattern.replace(r"\S", r"\P{White_Space}").replace(r"\s", r"\p{White_Space}")
    )
    for name, pattern in {"gpt2": GPT2_PATTERN, **PATTERNS}.items()
}
WORDS = st.text("abc \n(", max_size=30)


def merges_of(tokenizer):
    return [tuple(merge) for merge in definition_of(tokenizer)["model"]["merges"]]


@functools.cache
def symbols():
    """How each byte is spelled."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    order = printable + [byte for byte in range(256) if byte not in printable]
    return dict(zip(order, byte_symbols(), strict=True))


def spelled(piece):
    return [symbols()[byte] for byte in piece.encode()]


def slow_merges(texts, pattern, count):
    """The most frequent pair first, the pair of the least ids among equals."""
    pieces = collections.Counter(piece for text in texts for piece in CUTS[pattern].findall(text))
    words = [(spelled(piece), times) for piece, times in pieces.items()]
    ids = {symbol: index for index, symbol in enumerate(byte_symbols())}
    merges = []
    while len(merges) < count:
        pairs = collections.Counter()
        for word, times in words:
            for pair in itertools.pairwise(word):
                pairs[pair] += times
        frequent = [(-times, ids[a], ids[b], a, b) for (a, b), times in pairs.items() if times > 1]
        if not frequent:
            break
        _, _, _, left, right = min(frequent)
        merges.append((left, right))
        ids.setdefault(left + right, len(ids))
        for word, _ in words:
            for place in range(len(word) - 1):
                if word[place : place + 2] == [left, right]:
                    word[place : place + 2] = [left + right]
    return merges


@brief
@given(st.lists(WORDS | ASSIGNED_TEXT, max_size=6), st.sampled_from(PATTERN_NAMES))
@example(["aaaa aaaaaaa", "abab babab"], "gpt2")
def test_merges_are_those_of_a_slow_trainer(texts, pattern):
    expected = slow_merges(texts, pattern, 20)
    size = 257 + len({left + right for left, right in expected})
    found = train_whole([text.encode() for text in texts], size, pattern, 0)
    assert merges_of(found) == expected


@brief
@given(st.permutations([*TEXTS[:12], b"ab ab", b"cd cd", b"ba ba", b"dc dc"]))
def test_the_order_of_texts_does_not_matter(texts):
    # Many pairs are equally frequent here.
    assert (
        train_whole(texts, 320, "gpt2", 5).to_str()
        == train_whole(sorted(texts), 320, "gpt2", 5).to_str()
    )


@pytest.mark.parametrize("pattern", PATTERN_NAMES)
@pytest.mark.parametrize("runs", [0, 2, 25])
def test_the_vocabulary_has_just_the_size_that_was_asked(pattern, runs):
    for size in range(256 + 1 + 24, 345, 9):
        tokenizer = train_whole(TEXTS, size, pattern, runs)
        assert sorted(tokenizer.get_vocab().values()) == list(range(size))
        assert all(tokenizer.token_to_id(symbol) is not None for symbol in byte_symbols())
        assert list(special_tokens(tokenizer)) == ["<|endoftext|>"]
        for length in range(2, runs + 1):
            assert len(ids_of(tokenizer, " " * length)) == 1
        if runs:
            assert add_whitespace_runs(tokenizer, runs).to_str() == tokenizer.to_str()


def test_a_greater_vocabulary_begins_with_the_merges_of_a_smaller_one():
    small, great = (merges_of(train_whole(TEXTS, size, "gpt2", 0)) for size in (300, 340))
    assert great[: len(small)] == small


@brief
@given(ASSIGNED_TEXT, st.sampled_from(["learned", "learned with cl100k", "learned with o200k"]))
def test_text_comes_back_exactly(text, kind):
    tokenizer = tokenizer_of(kind)
    assert text_of(tokenizer, ids_of(tokenizer, text)) == text


@thorough
@given(ASSIGNED_TEXT, st.sampled_from(PATTERN_NAMES))
def test_patterns_cut_as_openais_do(text, pattern):
    pieces = make_pre_tokenizer(pattern).pre_tokenize_str(text)
    assert [piece for piece, _ in pieces] == [
        "".join(spelled(piece)) for piece in CUTS[pattern].findall(text)
    ]


def test_text_that_spells_the_end_is_text_to_learn_from():
    tokenizer = train_whole([b"<|endoftext|>" * 9], 260, "gpt2", 0)
    assert ids_of(tokenizer, "<|endoftext|>") != [tokenizer.token_to_id("<|endoftext|>")]
    assert merges_of(tokenizer)[0] == ("<", "|")


def test_the_file_of_a_learned_tokenizer_never_changes():
    # Runs that learn one must be equal on every machine, with every release of tokenizers.
    text = train_whole(TEXTS, 340, "cl100k", 25).to_str()
    assert hashlib.sha256(text.encode()).hexdigest() == (
        "39378c97b0de93c14b1d78fa08562e1f541e6d1aa489fe26441e08dd3798105d"
    )


def test_a_small_vocabulary_is_bytes_and_runs():
    assert merges_of(train_whole([], 257, "gpt2", 0)) == []
    assert train_whole([], 257 + 24, "cl100k", 25).get_vocab_size() == 281


@pytest.mark.parametrize(("size", "runs", "least"), [(256, 0, 257), (258, 3, 259), (-1, 25, 281)])
def test_refuses_a_vocabulary_too_small_for_bytes_and_runs(size, runs, least):
    with pytest.raises(ValueError, match=rf"of {size} is too small: .* need at least {least}$"):
        train_whole(TEXTS, size, "gpt2", runs)


def test_refuses_a_vocabulary_that_the_texts_cannot_fill():
    message = "only 1 merges that occur at least 2 times, for a vocabulary of 259 instead of 400"
    with pytest.raises(ValueError, match=f"{message}: give more text or lower the size"):
        train_whole([b"ab ab", b"cd"], 400, "gpt2", 2)
    assert train_whole([b"ab ab", b"cd"], 259, "gpt2", 2).get_vocab_size() == 259


def test_refuses_an_unknown_pattern():
    with pytest.raises(ValueError, match="unknown pattern 'gpt4': choose one of gpt2, cl100k, o2"):
        train_whole(TEXTS, 300, "gpt4", 0)
