"""What a tokenizer is made of, as Hugging Face's ``tokenizer.json`` has it."""

from __future__ import annotations

import json
from typing import Any

from tokenizers import Tokenizer

Definition = dict[str, Any]


def definition_of(tokenizer: Tokenizer) -> Definition:
    """The definition of a tokenizer: the parsed text of its file."""
    definition: Definition = json.loads(tokenizer.to_str())
    return definition


def build_tokenizer(definition: Definition) -> Tokenizer:
    """The tokenizer of a definition, to which text that spells a special token is text."""
    tokenizer = Tokenizer.from_str(json.dumps(definition))
    # No file says so: whoever reads one says it anew.
    tokenizer.encode_special_tokens = True
    return tokenizer


def special_tokens(tokenizer: Tokenizer) -> dict[str, int]:
    """The ids of the special tokens by their names, in the order of ids."""
    added = sorted(tokenizer.get_added_tokens_decoder().items())
    return {token.content: index for index, token in added if token.special}


def check_specials_stay_text(tokenizer: Tokenizer) -> None:
    """Raises ValueError if text that spells a special token becomes that token."""
    for name, token_id in special_tokens(tokenizer).items():
        if token_id in tokenizer.encode(name, add_special_tokens=False).ids:
            raise ValueError(
                f"text that spells the special token {name!r} would become that token, because "
                "the vocabulary has it as a word: rename it or choose another tokenizer"
            )
