"""How much of a document its other parts foretell: ``attributes/redundancy``, positional.

A column is null where no rule of the run asks for it. Shares are between 0 and 1.
"""

from __future__ import annotations

import pyarrow as pa

TOP_SIZES = (2, 3, 4)
REPEATED_SIZES = (5, 6, 7, 8, 9, 10)
"""Words of the n-grams that columns are about."""

CHARACTERS_PER_TOKEN = "characters_per_token"

REDUNDANCY = pa.schema(
    [
        # Code points a token of the run's tokenizer; null where there are no tokens.
        pa.field(CHARACTERS_PER_TOKEN, pa.float64()),
        # Share of the characters of words that are in the n-gram that occurs most often.
        *(pa.field(f"top_{size}gram_share", pa.float64()) for size in TOP_SIZES),
        # Share of the characters of words that are in any n-gram that occurs twice or more.
        *(pa.field(f"repeated_{size}gram_share", pa.float64()) for size in REPEATED_SIZES),
    ]
)
