"""Fingerprints: ``attributes/fingerprint``, positional with the documents.

``content_hash`` is that of the stored bytes. ``normalized_hash`` is that of the text
without comments, trailing space, blank lines and differences of line ends; null where
nothing remains, so that files without code are nobody's duplicate by it, and throughout
where a run does not ask for it. ``signature`` estimates how alike the shingles of two
documents are; ``shingles`` counts them in order of appearance, repeats included.
"""

from __future__ import annotations

import pyarrow as pa

HASH_BYTES = 16
"""``content_hash`` and ``normalized_hash`` are so many leading bytes of a SHA-256."""

EMPTY_SIGNATURE = 0xFFFFFFFF
"""Every value of the signature of a document without shingles."""


def fingerprint_schema(permutations: int) -> pa.Schema:
    """The schema of ``attributes/fingerprint`` for signatures of so many permutations."""
    return pa.schema(
        [
            pa.field("content_hash", pa.binary(HASH_BYTES), nullable=False),
            pa.field("normalized_hash", pa.binary(HASH_BYTES)),
            pa.field("signature", pa.list_(pa.uint32(), permutations), nullable=False),
            pa.field("shingles", pa.int64(), nullable=False),
        ]
    )
