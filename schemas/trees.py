"""Trees: the files of the repositories that are traced, whatever they are; rows never change.

A test suite needs more than documents: data, templates, and what says how it is run. Part N
holds repositories of documents part N, sorted by repository, revision and path. The license
columns are those of documents.
"""

from __future__ import annotations

import pyarrow as pa

SCHEMA = pa.schema(
    [
        pa.field("repository", pa.string(), nullable=False),
        pa.field("revision", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("released", pa.timestamp("us", tz="UTC")),
        pa.field("content", pa.large_binary(), nullable=False),
        pa.field("license", pa.string()),
        pa.field("license_class", pa.string(), nullable=False),
        pa.field("license_evidence", pa.string()),
        pa.field("license_confidence", pa.float32()),
    ]
)
