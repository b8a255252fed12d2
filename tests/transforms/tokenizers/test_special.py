import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from tests.transforms.builders import TOKENIZED_TEXT, brief
from tests.transforms.tokenizers.builders import (
    MAKERS,
    ids_of,
    text_of,
    tokenizer_of,
    with_added_runs,
)
from transforms.tokenizers.definitions import build_tokenizer, definition_of, special_tokens
from transforms.tokenizers.special import add_special_tokens, special_id

NAMES = ["<|fim_prefix|>", "<|fim_middle|>", "\u2581x y\u2581"]


@pytest.fixture(scope="module", params=MAKERS)
def base(request):
    return tokenizer_of(request.param)


@pytest.fixture(scope="module")
def extended(base):
    return add_special_tokens(base, NAMES)


def test_new_names_get_the_ids_after_the_greatest_in_order(base, extended):
    old = base.get_vocab(with_added_tokens=True)
    first = max(old.values()) + 1
    assert [special_id(extended, name) for name in NAMES] == [first, first + 1, first + 2]
    assert extended.get_vocab_size() == base.get_vocab_size() + 3
    assert old.items() <= extended.get_vocab(with_added_tokens=True).items()


@brief
@given(st.lists(TOKENIZED_TEXT | st.sampled_from(NAMES)).map("".join))
def test_text_that_spells_special_tokens_stays_text(base, extended, text):
    assert ids_of(extended, text) == ids_of(base, text)
    assert text_of(extended, ids_of(extended, text)) == text


def test_the_file_gives_the_same_ids_and_the_argument_is_unchanged(base, extended):
    before = base.to_str()
    assert build_tokenizer(definition_of(extended)).to_str() == extended.to_str()
    assert add_special_tokens(base, NAMES).to_str() == extended.to_str()
    assert base.to_str() == before


def test_existing_names_keep_their_ids():
    extended = add_special_tokens(tokenizer_of("gpt2"), ["<|x|>", "<|endoftext|>", "<|y|>"])
    assert special_tokens(extended) == {"<|endoftext|>": 50256, "<|x|>": 50257, "<|y|>": 50258}
    again = add_special_tokens(extended, ["<|y|>", "<|x|>"])
    assert special_tokens(again) == special_tokens(extended)


def test_a_tokenizer_without_special_tokens_may_get_some():
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    assert special_tokens(add_special_tokens(tokenizer, ["<s>"])) == {"<s>": 2}


def test_names_the_special_tokens_there_are():
    with pytest.raises(ValueError, match=r"no special token '<s>'; it has <\|endoftext\|>$"):
        special_id(tokenizer_of("p50k"), "<s>")
    with pytest.raises(ValueError, match="no special token 'a'; it has none"):
        special_id(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")), "a")
    # A token of text is no special token.
    with pytest.raises(ValueError, match="no special token '  '"):
        special_id(tokenizer_of("starcoder-like"), "  ")


@pytest.mark.parametrize("names", [["<|a|>", "<|a|>"], ["<|a|>", ""]])
def test_refuses_names_that_are_no_names(names):
    with pytest.raises(ValueError, match="need names that differ, and none empty"):
        add_special_tokens(tokenizer_of("gpt2"), names)


def test_an_added_token_of_text_becomes_special_and_keeps_its_id():
    tokenizer = with_added_runs(["<|fim_prefix|>", "<|fim_middle|>"])
    text = "x<|fim_prefix|>y"
    assert ids_of(tokenizer, text) == [87, 50257, 88]
    extended = add_special_tokens(tokenizer, ["<|fim_prefix|>", "<|x|>"])
    assert special_id(extended, "<|fim_prefix|>") == 50257
    assert special_id(extended, "<|x|>") == 50259
    assert ids_of(extended, text) == ids_of(tokenizer_of("gpt2"), text)
    assert ids_of(extended, "<|fim_middle|>") == [50258]


def test_refuses_names_that_are_tokens_of_text():
    with pytest.raises(
        ValueError, match=r"tokens of text .* \['return'\]: give these another name"
    ):
        add_special_tokens(tokenizer_of("gpt2"), ["<|x|>", "return"])


def test_refuses_vocabularies_with_gaps():
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 7}, unk_token="a"))
    with pytest.raises(ValueError, match=r"have gaps, so that new tokens would get the ids \[2\]"):
        add_special_tokens(tokenizer, ["<s>"])


def test_refuses_to_extend_a_tokenizer_whose_special_tokens_text_becomes():
    tokenizer = build_tokenizer(definition_of(tokenizer_of("gpt2")))
    tokenizer.add_special_tokens(["return"])
    with pytest.raises(ValueError, match="text that spells the special token 'return' would"):
        add_special_tokens(tokenizer, ["<|x|>"])
