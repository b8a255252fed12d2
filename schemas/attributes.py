"""Attributes: what is learned about documents, in sidecars with the documents' part and row order.

``attributes/NAME/part-00007.parquet`` has one row for each row of
``documents/part-00007.parquet``, in the same order, so that joining is positional.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

QUALITY = pa.schema(
    [
        pa.field("characters", pa.int64(), nullable=False),
        pa.field("lines", pa.int64(), nullable=False),
        pa.field("mean_line_characters", pa.float64(), nullable=False),
        pa.field("max_line_characters", pa.int64(), nullable=False),
        pa.field("alphanumeric_share", pa.float64(), nullable=False),
        pa.field("generated_markers", pa.int64(), nullable=False),
    ]
)

DUPLICATES = pa.schema(
    [
        pa.field("cluster", pa.uint64(), nullable=False),
        pa.field("duplicate_of", pa.uint64()),
        pa.field("similarity", pa.float32()),
        pa.field("level", pa.string()),
    ]
)

SELECTION = pa.schema([pa.field("rule", pa.string())])

SELECTED = "selected"
"""The bin of the funnel for documents that no rule rejects; no rule may have this name."""

OPTED_OUT = "opted_out"
"""The bin of documents whose repositories an opt-out list names; no rule may have this name."""

CONTENT_HASH_BYTES = 16
"""``content_hash`` is so many leading bytes of the content's SHA-256."""

EMPTY_SIGNATURE = 0xFFFFFFFF
"""Every value of the signature of a document without shingles."""


def fingerprint_schema(permutations: int) -> pa.Schema:
    """The schema of ``attributes/fingerprint`` for signatures of so many permutations."""
    return pa.schema(
        [
            pa.field("content_hash", pa.binary(CONTENT_HASH_BYTES), nullable=False),
            pa.field("signature", pa.list_(pa.uint32(), permutations), nullable=False),
            pa.field("shingles", pa.int64(), nullable=False),
        ]
    )


class Level(StrEnum):
    """How alike a dropped document and the kept one are."""

    EXACT = "exact"
    """The same bytes."""
    NEAR = "near"
    """A Jaccard similarity of their shingles at or above the threshold."""
