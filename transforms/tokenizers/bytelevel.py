"""Byte-level BPE: how it spells bytes, and how a tokenizer of that kind gets more tokens.

Each byte is spelled as one printable character (GPT-2, Radford et al. 2019, section 2.2,
and its ``encoder.py``), so that merges of characters are merges of bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import PreTokenizer

from transforms.tokenizers.definitions import (
    Definition,
    build_tokenizer,
    check_specials_stay_text,
)

SPACE = "\u0120"
"""How the byte of a space is spelled."""

_PRINTABLE = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))


def byte_symbols() -> list[str]:
    """The 256 characters that stand for bytes, in the order of GPT-2's ids."""
    return [chr(byte) for byte in _PRINTABLE] + [
        chr(0x100 + n) for n in range(256 - len(_PRINTABLE))
    ]


def make_byte_level(
    merges: Sequence[tuple[str, str]], pre_tokenizer: PreTokenizer, end_of_text: str
) -> Tokenizer:
    """The tokenizer of some merges: ids of bytes, of merges in their order, of the end of text."""
    vocabulary = {symbol: index for index, symbol in enumerate(byte_symbols())}
    for left, right in merges:
        vocabulary.setdefault(left + right, len(vocabulary))
    vocabulary[end_of_text] = len(vocabulary)
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_special_tokens([end_of_text])
    tokenizer.encode_special_tokens = True
    return tokenizer


def why_not_byte_level(definition: Definition) -> str | None:
    """What keeps a tokenizer from being byte-level BPE; None where nothing does."""
    model = definition["model"]
    if model["type"] != "BPE":
        return f"its model is {model['type']}"
    if model["byte_fallback"]:
        return "its BPE falls back to bytes"
    if model["continuing_subword_prefix"] or model["end_of_word_suffix"]:
        return "its BPE marks the beginnings or ends of words"
    missing = sum(symbol not in model["vocab"] for symbol in byte_symbols())
    if missing:
        return f"{missing} of the 256 bytes have no token"
    kinds = _pre_tokenizers(definition["pre_tokenizer"])
    if "ByteLevel" not in kinds:
        return f"its pre-tokenizer is {'+'.join(kinds) or 'none'}, without ByteLevel"
    return None


def _pre_tokenizers(definition: Definition | None) -> list[str]:
    if definition is None:
        return []
    if definition["type"] == "Sequence":
        return [kind for part in definition["pretokenizers"] for kind in _pre_tokenizers(part)]
    return [definition["type"]]


def extend_merges(
    definition: Definition, tokens: Sequence[str], merges: Iterable[tuple[str, str]]
) -> Tokenizer:
    """A byte-level BPE tokenizer with more tokens, at the end, and merges that make them.

    Text that spells a special token stays text.

    Raises:
      ValueError: text could then spell a special token.
    """
    model = dict(definition["model"])
    # Ids of added tokens that are not in the model's vocabulary are not kept by a file:
    # whoever reads it numbers them from the size of that vocabulary on.
    added = {token["content"]: token["id"] for token in definition["added_tokens"]}
    vocabulary = model["vocab"] | added
    first = max(vocabulary.values()) + 1
    model["vocab"] = vocabulary | {token: first + index for index, token in enumerate(tokens)}
    model["merges"] = model["merges"] + [list(merge) for merge in merges]
    extended = build_tokenizer(definition | {"model": model})
    check_specials_stay_text(extended)
    return extended
