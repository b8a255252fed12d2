"""Tokens: the token ids of each selected document, without separators, and their order.

An intermediate table between tokenizing and sharding: uncompressed Arrow IPC
streams ``part-NNNNN.arrow``, one for each documents part, read by memory map. Rows
are the selected documents of that part, in order. ``key`` stands for the content of a
document where random numbers are drawn for it. The tokens are those of the text, with
headers and in the arrangement that the configuration asks for.

``reading_order`` has parts of the same names and rows: ``rank`` is a document's place in
the order in which the documents of its part are read.
"""

from __future__ import annotations

import pyarrow as pa

READING_ORDER = pa.schema([pa.field("rank", pa.int64(), nullable=False)])


def token_type(vocabulary_size: int) -> pa.DataType:
    """The narrowest of uint16 and uint32 that holds every id of a vocabulary."""
    return pa.uint16() if vocabulary_size <= 1 << 16 else pa.uint32()


def schema(token: pa.DataType) -> pa.Schema:
    """The schema of the tokens table for ids of one type."""
    return pa.schema(
        [
            pa.field("document", pa.uint64(), nullable=False),
            pa.field("key", pa.uint64(), nullable=False),
            pa.field(
                "input_ids", pa.large_list(pa.field("item", token, nullable=False)), nullable=False
            ),
        ]
    )
