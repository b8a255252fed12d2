import json

import pytest

from tests.transforms.tokenizers.builders import MAKERS, ids_of, text_of, tokenizer_of
from transforms.tokenizers.embeddings import (
    RULE,
    NewToken,
    embeddings_json,
    suggest_embeddings,
)
from transforms.tokenizers.runs import add_whitespace_runs
from transforms.tokenizers.special import add_special_tokens


def test_a_run_starts_as_its_spaces_and_a_special_token_as_its_name():
    gpt2 = tokenizer_of("gpt2")
    found = suggest_embeddings(gpt2, add_special_tokens(tokenizer_of("p50k"), ["<|fim|>"]))
    assert found[:24] == [NewToken(50255 + n, " " * n, (220,) * n) for n in range(2, 26)]
    assert found[24:] == [NewToken(50281, "<|fim|>", (27, 91, 69, 320, 91, 29))]


@pytest.mark.parametrize("kind", [kind for kind in MAKERS if kind != "starcoder-like"])
def test_the_parts_spell_the_tokens_text_in_the_base(kind):
    base = tokenizer_of(kind)
    extended = add_special_tokens(add_whitespace_runs(base, 30), ["<|path|>", "caf\u00e9"])
    found = suggest_embeddings(base, extended)
    new = set(extended.get_vocab().values()) - set(base.get_vocab().values())
    assert [token.id for token in found] == sorted(new)
    for token in found:
        assert text_of(extended, [token.id]) == token.token
        assert list(token.parts) == ids_of(base, token.token)
        assert text_of(base, list(token.parts)) == token.token


def test_nothing_new_needs_nothing():
    assert suggest_embeddings(tokenizer_of("p50k"), tokenizer_of("p50k")) == []


def test_the_json_has_all_of_it():
    tokens = suggest_embeddings(tokenizer_of("gpt2"), tokenizer_of("p50k"))
    text = embeddings_json(tokens)
    read = json.loads(text)
    assert read["rule"] == RULE
    assert [NewToken(row["id"], row["token"], tuple(row["parts"])) for row in read["tokens"]] == (
        tokens
    )
    assert text.count("\n") == len(tokens) + 5
    assert json.loads(embeddings_json([])) == {"rule": RULE, "tokens": []}


def test_refuses_a_tokenizer_that_is_no_extension():
    with pytest.raises(
        ValueError, match=r"gives .* tokens of the base other ids, such as .*: give"
    ):
        suggest_embeddings(tokenizer_of("p50k"), tokenizer_of("learned"))
