"""The tokenizer of a run: a table of files, ``tokenizer/``.

``tokenizer.json`` is the tokenizer itself, in the format of the library ``tokenizers``, and
``special_tokens.json`` says which of its tokens have a role in the shards, by role with
``token`` and ``id``. Where runs of spaces or special tokens were added to another tokenizer,
``base.json`` is that other one, and ``embeddings.json`` says for each new token of which
tokens of the base it is made, whose mean is a good first embedding of it.
"""

from __future__ import annotations

from enum import StrEnum

TOKENIZER_FILE = "tokenizer.json"
SPECIAL_TOKENS_FILE = "special_tokens.json"
BASE_FILE = "base.json"
EMBEDDINGS_FILE = "embeddings.json"


class Role(StrEnum):
    """What a special token stands for in the shards."""

    END_OF_TEXT = "end_of_text"
    """Follows each document, and fills the rest of a sequence."""
    FIM_PREFIX = "fim_prefix"
    """Before what stands in front of a gap."""
    FIM_MIDDLE = "fim_middle"
    """Before what fills a gap."""
    FIM_SUFFIX = "fim_suffix"
    """Before what stands behind a gap."""
    REPOSITORY = "repository"
    """Before the name of a document's repository."""
    PATH = "path"
    """Before a document's path."""
    CONTENT = "content"
    """Between the path of a document and its text."""


FIM_ROLES = (Role.FIM_PREFIX, Role.FIM_MIDDLE, Role.FIM_SUFFIX)
HEADER_ROLES = (Role.REPOSITORY, Role.PATH, Role.CONTENT)
