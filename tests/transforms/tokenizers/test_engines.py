import functools
import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import TOKENIZED_TEXT, brief, large_binary, thorough
from tests.transforms.tokenizers.builders import MAKERS, tokenizer_of, with_added_runs
from transforms.tokenizers.engines import (
    PROBES,
    GigatokenEngine,
    TokenizersEngine,
    choose_engine,
)
from transforms.tokenizers.special import add_special_tokens
from transforms.tokenizers.vocabulary import p50k_tokenizer

NO_TEXTS = large_binary([])
SPELLED_END = [27, 91, 437, 1659, 5239, 91, 29]
SPELLED = st.lists(
    st.sampled_from(
        (
            "<|endoftext|>",
            "<|end_of_text|>",
            "<|begin_of_text|>",
            "<|",
            "|>",
            " ",
            " " * 9,
            "\t\t",
            "x",
        )
    )
).map("".join)


@pytest.fixture(scope="module")
def tokenizer():
    return p50k_tokenizer()


@pytest.fixture(scope="module")
def reference(tokenizer):
    return TokenizersEngine(tokenizer)


@pytest.fixture(scope="module")
def fast(tokenizer):
    return GigatokenEngine(tokenizer)


@pytest.fixture(scope="module")
def engines_of():
    """The reference and the fast engine of a kind of tokenizer."""

    @functools.cache
    def make(kind):
        return TokenizersEngine(tokenizer_of(kind)), GigatokenEngine(tokenizer_of(kind))

    return make


def encode(engine, *texts):
    ids, offsets = engine.encode(large_binary([text.encode() for text in texts]))
    assert (ids.dtype, offsets.dtype) == (np.uint32, np.int64)
    assert offsets.size == len(texts) + 1
    assert offsets[-1] == ids.size
    return [ids[a:b].tolist() for a, b in itertools.pairwise(offsets)]


@thorough
@given(st.lists(TOKENIZED_TEXT, max_size=4))
def test_the_engines_give_equal_ids(reference, fast, texts):
    assert encode(fast, *texts) == encode(reference, *texts)


@brief
@given(st.lists(TOKENIZED_TEXT | SPELLED, max_size=4))
@pytest.mark.parametrize("kind", [kind for kind in MAKERS if kind != "p50k"])
def test_the_engines_of_any_kind_give_equal_ids(engines_of, kind, texts):
    expected, found = engines_of(kind)
    assert encode(found, *texts) == encode(expected, *texts)


@pytest.mark.parametrize("kind", MAKERS)
def test_the_fast_engine_is_right_for_all_these_kinds(kind):
    assert choose_engine(tokenizer_of(kind), large_binary([b"x = 1\n"])).name == "gigatoken"


def test_added_tokens_of_text_are_tokens_and_special_ones_are_not(engines_of):
    for engine in engines_of("starcoder-like"):
        assert encode(engine, "\n" + " " * 8 + "x<|endoftext|>")[0] == [
            198,
            50280,
            87,
            *SPELLED_END,
        ]


def test_falls_back_to_the_reference_where_added_tokens_are_cut_in_another_order():
    # tokenizers cuts tokens that are not normalized first, longer ones or not.
    tokenizer = with_added_runs([" " * n for n in range(31, 1, -2)], normalized=False)
    tokenizer.add_tokens([" " * n for n in range(30, 1, -2)])
    assert choose_engine(tokenizer, NO_TEXTS).name == "tokenizers"


def test_falls_back_to_the_reference_where_an_added_token_shows_the_difference(
    tokenizer, monkeypatch
):
    monkeypatch.setattr(GigatokenEngine, "encode", _deaf_to("<|mark|>", GigatokenEngine.encode))
    assert choose_engine(tokenizer, NO_TEXTS).name == "gigatoken"
    marked = add_special_tokens(tokenizer, ["<|mark|>"])
    assert choose_engine(marked, NO_TEXTS).name == "tokenizers"


def _deaf_to(name, encode):
    def encode_less(self, texts):
        replaced = [text.replace(name.encode(), b"") for text in texts.to_pylist()]
        return encode(self, pa.array(replaced, pa.large_binary()))

    return encode_less


def test_the_engines_agree_on_the_probes_and_on_a_long_text(reference, fast):
    long = "".join(f"{' ' * (n % 60)}value_{n} = {n * n}\n" for n in range(5000))
    assert encode(fast, *PROBES, long) == encode(reference, *PROBES, long)


@pytest.mark.parametrize("name", ["reference", "fast"])
def test_a_text_has_the_same_ids_in_any_company(request, name):
    engine = request.getfixturevalue(name)
    texts = ["a b", "", " ", "def f():\n    pass\n"]
    assert encode(engine, *texts) == [encode(engine, text)[0] for text in texts]


@pytest.mark.parametrize("name", ["reference", "fast"])
def test_encodes_no_texts(request, name):
    assert encode(request.getfixturevalue(name)) == []


@pytest.mark.parametrize("name", ["reference", "fast"])
def test_text_that_spells_a_special_token_stays_text(request, name):
    assert encode(request.getfixturevalue(name), "<|endoftext|>")[0][:2] == [27, 91]


def test_chooses_the_fast_engine_where_it_is_right(tokenizer):
    assert choose_engine(tokenizer, large_binary([b"x = 1\n"])).name == "gigatoken"
    assert choose_engine(tokenizer, NO_TEXTS).name == "gigatoken"


def _off_by_one(self, texts):
    ids, offsets = self.encode_rightly(texts)
    return ids + (np.arange(ids.size) == ids.size - 1).astype(np.uint32), offsets


def _other_boundaries(self, texts):
    ids, offsets = self.encode_rightly(texts)
    return ids, np.concatenate([offsets[:-1], offsets[-1:]]) - (np.arange(offsets.size) == 1)


def _one_text_less(self, texts):
    ids, offsets = self.encode_rightly(texts)
    return ids[: offsets[-2]], offsets[:-1]


def _raises(self, texts):
    raise RuntimeError("not on this machine")


@pytest.mark.parametrize("lie", [_off_by_one, _other_boundaries, _one_text_less, _raises])
def test_falls_back_to_the_reference_where_the_fast_engine_is_wrong(tokenizer, monkeypatch, lie):
    monkeypatch.setattr(GigatokenEngine, "encode_rightly", GigatokenEngine.encode, raising=False)
    monkeypatch.setattr(GigatokenEngine, "encode", lie)
    assert choose_engine(tokenizer, large_binary([b"x = 1\n"])).name == "tokenizers"


def test_falls_back_to_the_reference_where_only_the_sample_shows_the_difference(
    tokenizer, monkeypatch
):
    rightly = GigatokenEngine.encode

    def wrong_on_tabs(self, texts):
        replaced = [text.replace(b"\tspecial", b" ") for text in texts.to_pylist()]
        return rightly(self, pa.array(replaced, pa.large_binary()))

    monkeypatch.setattr(GigatokenEngine, "encode", wrong_on_tabs)
    assert choose_engine(tokenizer, large_binary([b"x"])).name == "gigatoken"
    assert choose_engine(tokenizer, large_binary([b"\tspecial"])).name == "tokenizers"


def test_falls_back_to_the_reference_where_the_fast_engine_is_missing(tokenizer, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gigatoken", None)
    assert choose_engine(tokenizer, NO_TEXTS).name == "tokenizers"
