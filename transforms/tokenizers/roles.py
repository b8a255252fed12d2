"""Special tokens by their role: those that a tokenizer has already, else ours."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import NamedTuple

from tokenizers import Tokenizer

from schemas.tokenizers import FIM_ROLES, HEADER_ROLES, Role
from transforms.tokenizers.special import add_special_tokens, special_id

_FIM_SPELLINGS = (
    ("<fim_prefix>", "<fim_middle>", "<fim_suffix>"),
    ("<fim-prefix>", "<fim-middle>", "<fim-suffix>"),
    ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"),
)
"""Those of StarCoder, of SantaCoder, and of Qwen; the last are ours, too."""


class SpecialToken(NamedTuple):
    """A token with a role."""

    token: str
    id: int


def add_roles(
    tokenizer: Tokenizer, end_of_text: str, roles: Collection[Role]
) -> tuple[Tokenizer, dict[Role, SpecialToken]]:
    """A tokenizer with special tokens for some roles, and which they are.

    ``end_of_text`` must be a special token of it. What the tokenizer has under one of the
    usual names is taken; for other roles there are new tokens at the end.
    """
    names = {Role.END_OF_TEXT: end_of_text}
    fim = next((each for each in _FIM_SPELLINGS if _has(tokenizer, each)), _FIM_SPELLINGS[-1])
    spellings = dict(zip(FIM_ROLES, fim, strict=True))
    spellings |= {role: f"<|{role}|>" for role in HEADER_ROLES}
    names |= {role: spelling for role, spelling in spellings.items() if role in roles}
    if names.keys() - {Role.END_OF_TEXT}:
        # All of them, because those that there are may not be special yet.
        tokenizer = add_special_tokens(tokenizer, list(names.values()))
    special = {
        role: SpecialToken(name, special_id(tokenizer, name)) for role, name in names.items()
    }
    return tokenizer, special


def _has(tokenizer: Tokenizer, names: Collection[str]) -> bool:
    return all(tokenizer.token_to_id(name) is not None for name in names)


def special_tokens_json(tokens: Mapping[Role, SpecialToken]) -> str:
    """The text of ``special_tokens.json``."""
    return json.dumps({role: token._asdict() for role, token in tokens.items()}, indent=1) + "\n"


def read_special_tokens(text: str) -> dict[Role, SpecialToken]:
    """The special tokens that a ``special_tokens.json`` names, by role."""
    return {Role(role): SpecialToken(**token) for role, token in json.loads(text).items()}
