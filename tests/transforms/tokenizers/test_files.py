import json

import pytest
from hypothesis import given
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from tests.transforms.builders import TOKENIZED_TEXT, brief
from tests.transforms.tokenizers.builders import MAKERS, ids_of, text_of, tokenizer_of
from transforms.tokenizers.definitions import build_tokenizer, definition_of
from transforms.tokenizers.files import (
    EVERY_BYTE,
    find_end_of_text,
    read_tokenizer,
)

PROSE = "A file's name.\n"


def changed(kind, **attributes):
    """A copy of a tokenizer with other parts."""
    tokenizer = build_tokenizer(definition_of(tokenizer_of(kind)))
    for name, value in attributes.items():
        setattr(tokenizer, name, value)
    return tokenizer


@pytest.fixture(scope="module", params=MAKERS)
def original(request):
    return tokenizer_of(request.param)


@pytest.fixture(scope="module")
def read(original):
    return read_tokenizer(original.to_str())


@brief
@given(TOKENIZED_TEXT)
def test_gives_the_ids_of_the_file_and_the_text_back(original, read, text):
    ids = ids_of(read, text)
    assert ids == ids_of(original, text)
    assert text_of(read, ids) == text


def test_reads_a_file(tmp_path, original, read):
    path = tmp_path / "tokenizer.json"
    original.save(str(path))
    assert read_tokenizer(path).to_str() == read.to_str()


def test_the_text_of_a_tokenizer_that_was_read_reads_as_itself(read):
    assert read_tokenizer(read.to_str()).to_str() == read.to_str()


def test_adds_nothing_around_texts_and_cuts_and_pads_none():
    original = changed("llama-like", post_processor=tokenizer_of("llama-like").post_processor)
    original.enable_truncation(4)
    original.enable_padding(length=30)
    assert len(original.encode("a b c d e f g").ids) == 30
    tokenizer = read_tokenizer(original.to_str())
    assert tokenizer.encode("a b c d e f g").ids == ids_of(
        tokenizer_of("llama-like"), "a b c d e f g"
    )
    assert json.loads(tokenizer.to_str())["post_processor"] is None


def test_is_not_random():
    definition = definition_of(tokenizer_of("learned"))
    definition["model"]["dropout"] = 0.5
    tokenizer = read_tokenizer(json.dumps(definition))
    text = "def value_1(self, x): return self.value" * 9
    assert ids_of(tokenizer, text) == ids_of(tokenizer_of("learned"), text)


def test_text_that_spells_a_special_token_stays_text_and_other_added_tokens_are_tokens():
    tokenizer = read_tokenizer(tokenizer_of("starcoder-like").to_str())
    assert ids_of(tokenizer, "<|endoftext|>")[:2] == [27, 91]
    assert ids_of(tokenizer, "\n" + " " * 31 + "x") == [198, 50257, 87]


def test_bpe_with_byte_fallback_that_gives_text_back_is_read():
    fallback = {f"<0x{byte:02X}>": byte for byte in range(256)}
    letters = {chr(0x61 + n): 256 + n for n in range(26)} | {"</s>": 282}
    tokenizer = Tokenizer(models.BPE(vocab=fallback | letters, merges=[], byte_fallback=True))
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens(["</s>"])
    read = read_tokenizer(tokenizer.to_str())
    assert find_end_of_text(read) == "</s>"
    assert ids_of(read, "ab\n") == [256, 257, 10]


@pytest.mark.parametrize(
    ("special", "named", "expected"),
    [
        (["<s>", "</s>", "<pad>"], None, "</s>"),
        (["</s>", "<|endoftext|>"], None, "<|endoftext|>"),
        (["<bos>", "<eos>"], None, "<eos>"),
        (["<s>", "</s>"], "<s>", "<s>"),
        (["<mine>"], "<mine>", "<mine>"),
    ],
)
def test_finds_the_end_of_text(special, named, expected):
    tokenizer = Tokenizer(models.BPE(vocab={"a": 0}, merges=[]))
    tokenizer.add_special_tokens(special)
    assert find_end_of_text(tokenizer, named) == expected


def test_names_the_setting_and_the_special_tokens_where_no_end_of_text_is_known():
    tokenizer = Tokenizer(models.BPE(vocab={"a": 0}, merges=[]))
    with pytest.raises(ValueError, match="set end_of_text to the one that does; it has none"):
        find_end_of_text(tokenizer)
    tokenizer.add_special_tokens(["<x>", "<y>"])
    tokenizer.add_tokens(["</s>"])
    with pytest.raises(ValueError, match=r"set end_of_text .* its special tokens are <x>, <y>$"):
        find_end_of_text(tokenizer)
    with pytest.raises(ValueError, match="end_of_text names '</s>', which is no special token of"):
        find_end_of_text(tokenizer, "</s>")
    with pytest.raises(ValueError, match="end_of_text names 'eos'"):
        read_tokenizer(tokenizer_of("gpt2").to_str(), "eos")


@pytest.mark.parametrize(
    ("kind", "part", "value", "shown"),
    [
        ("gpt2", "pre_tokenizer", pre_tokenizers.ByteLevel(), r"comes back as ' \\n\\n\\n'"),
        ("gpt2", "decoder", decoders.WordPiece(), "comes back as"),
    ],
)
def test_refuses_what_does_not_give_text_back(kind, part, value, shown):
    tokenizer = changed(kind, **{part: value})
    with pytest.raises(
        ValueError, match=f"does not give text back exactly: at character .*{shown}"
    ):
        read_tokenizer(tokenizer.to_str())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"normalizer": normalizers.NFC()},
            r"changes text before it encodes it \(NFC\): choose one without",
        ),
        (
            {"normalizer": normalizers.Replace("rare", "common")},
            r"changes text before it encodes it \(Replace\): choose one without",
        ),
        (
            {"pre_tokenizer": pre_tokenizers.Split("rare", "removed")},
            "cuts text where it drops what it finds",
        ),
        ({"pre_tokenizer": pre_tokenizers.CharDelimiterSplit("~")}, "drops what it finds"),
    ],
)
def test_refuses_what_no_probe_may_show(changes, message):
    with pytest.raises(ValueError, match=message):
        read_tokenizer(changed("learned", **changes).to_str())


def test_refuses_an_added_token_that_takes_the_space_around_it():
    tokenizer = changed("learned")
    tokenizer.add_tokens([AddedToken("rare", rstrip=True)])
    with pytest.raises(ValueError, match="'rare' takes the space around it away"):
        read_tokenizer(tokenizer.to_str())


def test_refuses_a_vocabulary_that_lacks_a_byte():
    definition = definition_of(tokenizer_of("gpt2"))
    index = definition["model"]["vocab"].pop("\u00f0")
    definition["model"]["vocab"]["never"] = index
    definition["model"]["merges"] = []
    with pytest.raises(ValueError, match="lacks tokens for some of it"):
        read_tokenizer(json.dumps(definition))


def test_refuses_special_tokens_that_text_becomes():
    tokenizer = changed("gpt2")
    tokenizer.add_special_tokens(["return"])
    with pytest.raises(
        ValueError, match="text that spells the special token 'return' would become"
    ):
        read_tokenizer(tokenizer.to_str())


def test_refuses_ids_that_a_file_cannot_keep():
    definition = definition_of(tokenizer_of("llama-like"))
    definition["added_tokens"][-1]["id"] += 5
    with pytest.raises(ValueError, match=r"'<\|eot_id\|>' the id \d+, and tokenizers \d+, because"):
        read_tokenizer(json.dumps(definition))


@pytest.mark.parametrize("text", ["", "{}", "[]", "not JSON", '{"model": {"type": "X"}}'])
def test_refuses_what_is_no_tokenizer(tmp_path, text):
    with pytest.raises(ValueError, match=r"the text is no tokenizer\.json of Hugging Face's"):
        read_tokenizer(text)
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"other\.json is no tokenizer\.json"):
        read_tokenizer(path)


def test_every_byte_of_utf8_is_probed():
    found = set(EVERY_BYTE.encode())
    assert found == set(range(256)) - {0xC0, 0xC1, *range(0xF5, 0x100)}
