import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import TOKENIZED_TEXT, large_binary, thorough
from transforms.tokenizers.engines import (
    PROBES,
    GigatokenEngine,
    TokenizersEngine,
    choose_engine,
)
from transforms.tokenizers.vocabulary import p50k_tokenizer

NO_TEXTS = large_binary([])


@pytest.fixture(scope="module")
def tokenizer():
    return p50k_tokenizer()


@pytest.fixture(scope="module")
def reference(tokenizer):
    return TokenizersEngine(tokenizer)


@pytest.fixture(scope="module")
def fast(tokenizer):
    return GigatokenEngine(tokenizer)


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
