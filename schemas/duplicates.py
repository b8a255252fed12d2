"""Duplicates: ``attributes/duplicates``, positional with the documents."""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

DUPLICATES = pa.schema(
    [
        pa.field("cluster", pa.uint64(), nullable=False),
        pa.field("duplicate_of", pa.uint64()),
        pa.field("similarity", pa.float32()),
        pa.field("level", pa.string()),
    ]
)


class Level(StrEnum):
    """How alike a dropped document and the kept one are."""

    EXACT = "exact"
    """The same bytes."""
    NEAR = "near"
    """A Jaccard similarity of their shingles at or above the threshold."""
