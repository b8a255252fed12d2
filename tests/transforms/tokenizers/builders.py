"""Tokenizers that tests share: those of the vocabulary, learned ones, and such as files have."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence

from tokenizers import AddedToken, Tokenizer
from tokenizers.processors import TemplateProcessing

from tests.transforms.builders import TOKENIZED_TEXT
from transforms.tokenizers.definitions import build_tokenizer, definition_of
from transforms.tokenizers.runs import add_whitespace_runs
from transforms.tokenizers.training import train_tokenizer
from transforms.tokenizers.vocabulary import gpt2_tokenizer, p50k_tokenizer

TEXTS = [
    f"def value_{n}(self, x):\n    if x == {n % 7}:\n        return self.value[{n}]  # caf\u00e9\n"
    f"    \n\tfor each in range({n}):\n            yield None\n".encode()
    for n in range(60)
]
"""Code from which some dozens of merges can be learned."""

ASSIGNED_TEXT = TOKENIZED_TEXT.map(
    lambda text: "".join(each for each in text if unicodedata.category(each) != "Cn")
)
"""Texts of characters on whose kind old and new versions of Unicode agree."""


def train_whole(
    texts: Sequence[bytes], vocab_size: int, pattern: str, whitespace_runs: int
) -> Tokenizer:
    """A learned tokenizer with the runs of spaces for which it has room."""
    learned = train_tokenizer(texts, vocab_size, pattern, whitespace_runs)
    return add_whitespace_runs(learned, whitespace_runs) if whitespace_runs else learned


def starcoder_like() -> Tokenizer:
    """Runs of spaces and tabs are added tokens of text, as in Codegen's file and StarCoder's."""
    return with_added_runs(
        [" " * n for n in range(31, 1, -1)] + ["\t" * n for n in range(9, 1, -1)]
    )


def with_added_runs(runs: Sequence[str], normalized: bool = True) -> Tokenizer:
    """GPT-2's tokenizer with added tokens of text."""
    tokenizer = gpt2_tokenizer()
    tokenizer.add_tokens([AddedToken(run, normalized=normalized) for run in runs])
    return tokenizer


def llama_like() -> Tokenizer:
    """As in Llama 3's file: whole words first, special tokens outside the vocabulary, a BOS."""
    definition = definition_of(train_whole(TEXTS, 330, "cl100k", 0))
    definition["model"]["ignore_merges"] = True
    del definition["model"]["vocab"]["<|endoftext|>"]
    definition["added_tokens"] = []
    tokenizer = build_tokenizer(definition)
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"])
    begin = tokenizer.token_to_id("<|begin_of_text|>")
    tokenizer.post_processor = TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", begin)]
    )
    return tokenizer


MAKERS = {
    "gpt2": gpt2_tokenizer,
    "p50k": p50k_tokenizer,
    "learned": lambda: train_whole(TEXTS, 340, "gpt2", 25),
    "learned with cl100k": lambda: train_whole(TEXTS, 340, "cl100k", 25),
    "learned with o200k": lambda: train_whole(TEXTS, 340, "o200k", 0),
    "starcoder-like": starcoder_like,
    "llama-like": llama_like,
}


@functools.cache
def tokenizer_of(kind: str) -> Tokenizer:
    """A tokenizer of `MAKERS`, which no test may change."""
    return MAKERS[kind]()


def ids_of(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of a text, and none around it."""
    return tokenizer.encode(text, add_special_tokens=False).ids


def text_of(tokenizer: Tokenizer, ids: list[int]) -> str:
    """The text of ids, special tokens by their names."""
    return tokenizer.decode(ids, skip_special_tokens=False)
