"""Mixture: ``mixture``, how much of each repository is in the shards.

A row for each repository with selected documents, by name. ``documents`` and ``tokens``
count them once, each with the end-of-text that follows it. ``copies`` and ``shard_tokens``
count them as often as the shards hold them, over all epochs; ``weight`` is how often a token
of the repository is in an epoch, on average.
"""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

Attribute = Literal["language", "license", "source", "repository"]
"""What documents are weighted by: a column of theirs or of their repositories."""

MIXTURE = pa.schema(
    [
        pa.field("repository", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
        pa.field("copies", pa.int64(), nullable=False),
        pa.field("shard_tokens", pa.int64(), nullable=False),
    ]
)
