"""Fingerprints: ``attributes/fingerprint``, positional with the documents."""

from __future__ import annotations

import pyarrow as pa

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
