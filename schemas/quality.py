"""Quality signals of documents, in ``attributes/quality``.

A sidecar has one row for each row of the documents part of its name, in the same order, so
that joining is positional.
"""

from __future__ import annotations

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
