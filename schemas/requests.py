"""Requests: one row a repository that the sources of a configuration name.

A requests table has a file for each source. ``part`` is the number of the documents
part that the repository belongs to; files are sorted by it in runs of many rows, so that
a row group holds requests of few parts.
"""

from __future__ import annotations

import pyarrow as pa

SCHEMA = pa.schema(
    [
        pa.field("part", pa.int32(), nullable=False),
        pa.field("repository", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("location", pa.string(), nullable=False),
    ]
)


def file_name(number: int) -> str:
    """The name of the file of a source, such as ``source-00002.parquet``."""
    return f"source-{number:05d}.parquet"
