"""Repositories: one row a repository that the configuration asked for, whatever became of it.

Part N describes the repositories of documents part N, sorted by repository and revision.
``collection`` names the data file that held its rows, null for what was fetched by itself.
The license columns are those of documents, for what holds where no file says otherwise.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

SCHEMA = pa.schema(
    [
        pa.field("repository", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("revision", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("license", pa.string()),
        pa.field("license_class", pa.string(), nullable=False),
        pa.field("license_evidence", pa.string()),
        pa.field("license_confidence", pa.float32()),
        pa.field("files", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("stars", pa.int64()),
        pa.field("forks", pa.int64()),
        pa.field("archived", pa.bool_()),
        pa.field("released", pa.timestamp("us", tz="UTC")),
        pa.field("collection", pa.string()),
    ]
)


class Status(StrEnum):
    """How a repository ended."""

    CRAWLED = "crawled"
    """At least one document came of it."""
    EMPTY = "empty"
    """It was read to its end and holds no file that the configuration accepts."""
    FAILED = "failed"
    """It could not be read; ``reason`` is a word of `schemas.failures.Reason`."""
    OPTED_OUT = "opted_out"
    """It was not fetched, because an opt-out list names it."""
