"""What shards are planned from, and what their plans hold.

Measures of documents are numbers alone. The plan of a shard says where its tokens are in the
memory maps of their parts, so that its writer needs nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

MEASURES = pa.schema(
    [
        pa.field("document", pa.uint64(), nullable=False),
        pa.field("rank", pa.int64(), nullable=False),
        pa.field("key", pa.uint64(), nullable=False),
        pa.field("repository_hash", pa.uint64(), nullable=False),
        pa.field("cluster", pa.uint64(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
        pa.field("group", pa.int64(), nullable=False),
        pa.field("chunk", pa.int64(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
    ]
)
"""A document's tokens are ``length`` values from ``start`` in a chunk of its tokens part."""

PIECES = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("document", pa.uint64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
        pa.field("chunk", pa.int64(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
    ]
)
"""A piece is ``length`` tokens at ``position`` in a row, those of a document from ``offset`` on.

``tokens`` of them are values from ``start`` in a chunk of the document's tokens part, and one
more, if ``length`` says so, is the end-of-text."""

Method = Literal["concatenate", "best_fit"]


@dataclass(frozen=True)
class Packing:
    """How sequences are made."""

    context_length: int
    sequences_per_shard: int
    seed: int
    end_of_text: int
    method: Method = "concatenate"


def in_reading_order(measures: pa.RecordBatch) -> pa.RecordBatch:
    """Measures of a part by rank."""
    return measures.take(pa.array(np.argsort(measures["rank"].to_numpy(), kind="stable")))
