"""Special tokens: ids that no text has, such as those that mark the parts of a document."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import AddedToken, Tokenizer

from transforms.tokenizers.definitions import (
    build_tokenizer,
    check_specials_stay_text,
    definition_of,
    special_tokens,
)


def add_special_tokens(tokenizer: Tokenizer, names: Sequence[str]) -> Tokenizer:
    """A tokenizer with more special tokens, in order, at the end of the ids.

    Names that are added tokens already keep their ids and become special, which Qwen's for
    filling in the middle are not. Text that spells any stays text.

    Raises:
      ValueError: a name is empty or given twice, or is a token of text.
    """
    if "" in names or len(set(names)) < len(names):
        raise ValueError(f"special tokens need names that differ, and none empty: {list(names)}")
    old = tokenizer.get_vocab(with_added_tokens=True)
    added = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    words = [name for name in names if name in old and name not in added]
    if words:
        raise ValueError(
            f"the tokenizer has tokens of text that are spelled as the special tokens {words}: "
            "give these another name"
        )
    extended = build_tokenizer(definition_of(tokenizer))
    extended.add_special_tokens(
        [AddedToken(name, special=True, normalized=False) for name in names]
    )
    first = max(old.values()) + 1
    new = [extended.token_to_id(name) for name in names if name not in old]
    if new != list(range(first, first + len(new))):
        raise ValueError(
            f"the ids of the vocabulary have gaps, so that new tokens would get the ids {new} "
            f"and not those from {first} on: fill the vocabulary of the tokenizer's file first"
        )
    check_specials_stay_text(extended)
    return extended


def special_id(tokenizer: Tokenizer, name: str) -> int:
    """The id of a special token; raises ValueError if the tokenizer has none of this name."""
    found = special_tokens(tokenizer)
    if name not in found:
        raise ValueError(
            f"the tokenizer has no special token {name!r}; it has {', '.join(found) or 'none'}"
        )
    return found[name]
