"""Contamination: ``attributes/contamination``, positional with the documents.

Each document has the strongest of its matches with a benchmark. The columns that say
which are null where it has none; ``matched_words`` and ``matched_share`` are 0 there.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa


class Match(StrEnum):
    """How much of a benchmark's text a document has."""

    EXACT = "exact"
    """A whole text of a problem, such as its prompt."""
    NGRAM = "ngram"
    """A run of its words that is at least as long as the configured n-gram."""


CONTAMINATION = pa.schema(
    [
        # Which benchmark, and what it calls the problem.
        pa.field("benchmark", pa.string()),
        pa.field("benchmark_task", pa.string()),
        # A value of `Match`.
        pa.field("benchmark_match", pa.string()),
        # Words of the longest run, and the share of the problem's n-grams found anywhere.
        pa.field("matched_words", pa.int64(), nullable=False),
        pa.field("matched_share", pa.float64(), nullable=False),
        # Where that run is: bytes of the document's text as UTF-8, without a byte order mark.
        pa.field("matched_start", pa.int64()),
        pa.field("matched_end", pa.int64()),
    ]
)
