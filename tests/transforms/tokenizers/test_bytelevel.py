from tokenizers.pre_tokenizers import ByteLevel

from tests.transforms.tokenizers.builders import ids_of, text_of, tokenizer_of
from transforms.tokenizers.bytelevel import (
    SPACE,
    byte_symbols,
    extend_merges,
    make_byte_level,
    why_not_byte_level,
)
from transforms.tokenizers.definitions import definition_of


def test_bytes_are_spelled_as_tokenizers_spells_them():
    assert sorted(byte_symbols()) == sorted(ByteLevel.alphabet())
    assert byte_symbols()[:2] == ["!", '"']
    assert byte_symbols()[220] == SPACE
    assert byte_symbols()[255] == "\u0143"


def test_ids_are_those_of_bytes_then_merges_then_the_end():
    merges = [("a", "b"), ("b", "c"), ("ab", "c"), ("a", "bc"), ("abc", "d")]
    tokenizer = make_byte_level(merges, ByteLevel(add_prefix_space=False), "<end>")
    assert tokenizer.token_to_id("ab") == 256
    # Two merges make the same token.
    assert tokenizer.token_to_id("abc") == 258
    assert tokenizer.token_to_id("abcd") == 259
    assert tokenizer.token_to_id("<end>") == 260
    assert ids_of(tokenizer, "abcd<end>")[:2] == [259, 27]
    assert text_of(tokenizer, ids_of(tokenizer, "abcd<end>")) == "abcd<end>"
    assert why_not_byte_level(definition_of(tokenizer)) is None


def test_new_tokens_never_take_the_ids_of_added_ones():
    base = tokenizer_of("llama-like")
    special = base.token_to_id("<|end_of_text|>")
    assert "<|end_of_text|>" not in definition_of(base)["model"]["vocab"]
    extended = extend_merges(definition_of(base), ["zq"], [("z", "q")])
    assert extended.token_to_id("<|end_of_text|>") == special
    assert extended.token_to_id("zq") == base.get_vocab_size()
    assert ids_of(extended, "zq") == [base.get_vocab_size()]
