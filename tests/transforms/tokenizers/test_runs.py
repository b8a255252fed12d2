import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from tests.transforms.builders import TOKENIZED_TEXT, brief, thorough
from tests.transforms.tokenizers.builders import ids_of, text_of, tokenizer_of, with_added_runs
from transforms.tokenizers.bytelevel import byte_symbols
from transforms.tokenizers.definitions import build_tokenizer, definition_of, special_tokens
from transforms.tokenizers.runs import (
    LONGEST_RUN,
    MAX_LONGEST_RUN,
    add_whitespace_runs,
    count_without_runs,
    run_lengths,
    spaces_stay_single,
)
from transforms.tokenizers.special import add_special_tokens

EXTENDED = ("gpt2", "learned with o200k", "llama-like")
SPACED = st.lists(
    st.sampled_from([*(" " * n for n in range(1, 30)), "\n", "\t", "x", "\u00a0", "(", "\u3000"])
).map("".join)


@pytest.fixture(scope="module", params=EXTENDED)
def base(request):
    return tokenizer_of(request.param)


@pytest.fixture(scope="module")
def with_runs(base):
    return add_whitespace_runs(base)


@pytest.fixture(scope="module")
def singles():
    """A tokenizer with cl100k's pattern that knows words of single spaces only."""
    symbols = [*byte_symbols(), "\u0120x", "\u010a\u010a"]
    vocabulary = {symbol: index for index, symbol in enumerate(symbols)}
    merges = [("\u0120", "x"), ("\u010a", "\u010a")]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=True))
    tokenizer.pre_tokenizer = tokenizer_of("learned with cl100k").pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>"])
    tokenizer.encode_special_tokens = True
    return tokenizer


def test_each_run_that_is_a_piece_is_one_token(with_runs):
    for length in range(1, LONGEST_RUN + 1):
        ids = ids_of(with_runs, " " * length)
        assert len(ids) == 1
        assert text_of(with_runs, ids) == " " * length
        # The pattern leaves the last space to the word.
        assert len(ids_of(with_runs, " " * length + " x")) == 1 + len(ids_of(with_runs, " x"))


def test_old_tokens_keep_their_ids_and_new_runs_follow_in_order(base, with_runs):
    old = base.get_vocab(with_added_tokens=True)
    new = with_runs.get_vocab(with_added_tokens=True)
    assert {token: new[token] for token in old} == old
    missing = ["\u0120" * n for n in range(2, LONGEST_RUN + 1) if "\u0120" * n not in old]
    first = max(old.values()) + 1
    assert {token: new[token] for token in new.keys() - old.keys()} == {
        token: first + index for index, token in enumerate(missing)
    }


def test_some_kinds_have_some_runs_already():
    sizes = {kind: tokenizer_of(kind).get_vocab_size() for kind in EXTENDED}
    added = {
        kind: add_whitespace_runs(tokenizer_of(kind)).get_vocab_size() - size
        for kind, size in sizes.items()
    }
    assert added["gpt2"] == 24
    assert 0 < added["learned with o200k"] < 24


@thorough
@given(TOKENIZED_TEXT | SPACED)
def test_text_comes_back_exactly(with_runs, text):
    assert text_of(with_runs, ids_of(with_runs, text)) == text


@brief
@given(TOKENIZED_TEXT)
def test_text_without_runs_has_the_old_ids(base, with_runs, text):
    text = re.sub(" +", " ", text)
    assert ids_of(with_runs, text) == ids_of(base, text)


def test_the_file_gives_the_same_ids_and_the_argument_is_unchanged(base, with_runs):
    before = base.to_str()
    text = "def f(x):\n        return x\n" + " " * 40 + "<|end_of_text|>"
    read = build_tokenizer(definition_of(with_runs))
    assert ids_of(read, text) == ids_of(add_whitespace_runs(base), text)
    assert read.to_str() == with_runs.to_str()
    assert special_tokens(read) == special_tokens(base)
    assert base.to_str() == before


def test_adding_runs_again_changes_nothing(with_runs):
    assert add_whitespace_runs(with_runs).to_str() == with_runs.to_str()


def test_special_tokens_that_were_added_before_keep_their_ids():
    special = add_special_tokens(tokenizer_of("gpt2"), ["<|fim|>"])
    extended = add_whitespace_runs(special)
    assert extended.token_to_id("<|fim|>") == 50257
    assert extended.token_to_id("\u0120\u0120") == 50258
    assert ids_of(extended, "<|fim|>") == ids_of(tokenizer_of("gpt2"), "<|fim|>")


def test_runs_that_are_added_tokens_stay_as_they_are():
    tokenizer = tokenizer_of("starcoder-like")
    assert add_whitespace_runs(tokenizer).to_str() == tokenizer.to_str()
    with pytest.raises(ValueError, match="give at most 31 for the longest run, or add no runs"):
        add_whitespace_runs(tokenizer, 32)
    with pytest.raises(ValueError, match=r"cuts runs of 4, 8 spaces by added tokens, .*: add no"):
        add_whitespace_runs(with_added_runs([" " * 4, " " * 8]))


@pytest.fixture(scope="module", params=["gpt2", "singles"])
def counted(request, singles):
    """A base, the same with runs, and the lengths of ids."""
    base = singles if request.param == "singles" else tokenizer_of("gpt2")
    extended = add_whitespace_runs(base, 7 if request.param == "singles" else LONGEST_RUN)
    assert spaces_stay_single(base)
    return base, extended, run_lengths(base, extended)


@thorough
@given(TOKENIZED_TEXT | SPACED)
def test_lengths_count_the_tokens_without_runs(counted, text):
    base, extended, lengths = counted
    ids = np.array(ids_of(extended, text), np.uint32)
    assert count_without_runs(ids, lengths) == len(ids_of(base, text))


def test_lengths_count_the_tokens_of_code_without_runs(counted):
    base, extended, lengths = counted
    code = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py"))
    ids = ids_of(extended, code)
    found = count_without_runs(np.array(ids, np.uint32), lengths)
    assert found == len(ids_of(base, code)) > len(ids)


def test_lengths_of_ids():
    lengths = run_lengths(tokenizer_of("gpt2"), tokenizer_of("p50k"))
    assert lengths.dtype == np.uint8
    assert np.flatnonzero(lengths != 1).tolist() == list(range(50257, 50281))
    assert lengths[50257:].tolist() == list(range(2, 26))
    assert (run_lengths(tokenizer_of("p50k"), tokenizer_of("p50k")) == 1).all()


@pytest.mark.parametrize("kind", ["p50k", "learned with o200k", "starcoder-like"])
def test_tokens_of_several_spaces_are_seen(kind):
    assert not spaces_stay_single(tokenizer_of(kind))


def _word_piece():
    return Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))


def _unigram():
    return Tokenizer(models.Unigram([("a", 0.0)], 0, False))


def _byte_fallback():
    return Tokenizer(models.BPE(vocab={"a": 0}, merges=[], byte_fallback=True))


def _suffixes():
    return Tokenizer(models.BPE(vocab={"a</w>": 0}, merges=[], end_of_word_suffix="</w>"))


def _few_bytes():
    return Tokenizer(models.BPE(vocab={"a": 0}, merges=[]))


def _meta_space():
    vocabulary = {symbol: index for index, symbol in enumerate(byte_symbols())}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(), pre_tokenizers.Metaspace()]
    )
    return tokenizer


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_word_piece, "its model is WordPiece"),
        (_unigram, "its model is Unigram"),
        (_byte_fallback, "its BPE falls back to bytes"),
        (_suffixes, "its BPE marks the beginnings or ends of words"),
        (_few_bytes, "255 of the 256 bytes have no token"),
        (_meta_space, r"its pre-tokenizer is Digits\+Metaspace, without ByteLevel"),
    ],
)
def test_refuses_what_is_not_byte_level(make, reason):
    with pytest.raises(ValueError, match=f"{reason}: choose another tokenizer or add no runs"):
        add_whitespace_runs(make())


def test_refuses_pre_tokenizers_that_cut_runs(singles):
    definition = definition_of(singles)
    definition["model"]["ignore_merges"] = False
    tokenizer = build_tokenizer(definition)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(" "), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    with pytest.raises(ValueError, match="the pre-tokenizer cuts a run of 2 spaces"):
        add_whitespace_runs(tokenizer)


def test_refuses_special_tokens_that_text_would_spell(singles):
    tokenizer = build_tokenizer(definition_of(singles))
    tokenizer.add_special_tokens([AddedToken("PAD", special=True)])
    with pytest.raises(ValueError, match="text that spells the special token 'PAD' would become"):
        add_whitespace_runs(tokenizer)


@pytest.mark.parametrize("longest", [-1, 0, 1, MAX_LONGEST_RUN + 1])
def test_refuses_lengths_out_of_bounds(longest):
    with pytest.raises(ValueError, match=f"has {longest} spaces: give 2 to 255, or add no runs"):
        add_whitespace_runs(tokenizer_of("gpt2"), longest)


def test_the_longest_run_that_is_allowed_is_one_token(singles):
    extended = add_whitespace_runs(singles, MAX_LONGEST_RUN)
    assert len(ids_of(extended, " " * MAX_LONGEST_RUN)) == 1
    assert run_lengths(singles, extended).max() == MAX_LONGEST_RUN


def test_refuses_ids_that_are_not_in_the_vocabulary():
    with pytest.raises(ValueError, match="ids must be below 3, got 3"):
        count_without_runs(np.array([3], np.uint32), np.ones(3, np.uint8))
