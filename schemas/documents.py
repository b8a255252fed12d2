"""Documents: one row a file as the crawl found it; rows never change afterwards.

A documents table is a folder of ``part-NNNNN.parquet`` files. A repository's rows
are in the part named by a stable hash of the repository's name, sorted by
repository, revision and path. A document's id is ``part number << 32 | row``: it is never
stored, unique, sortable, and says where the text is.

``license`` is an SPDX expression, null where nothing was found; ``license_class`` a word of
`schemas.licenses.LicenseClass`; ``license_evidence`` says where the license was read
(``spdx_tag``, ``header``, ``metadata``, ``file:PATH``) and ``license_confidence`` how sure
that is, from 0 to 1.
"""

from __future__ import annotations

import hashlib

import pyarrow as pa

SCHEMA = pa.schema(
    [
        pa.field("repository", pa.string(), nullable=False),
        pa.field("revision", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("content", pa.large_binary(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("encoding", pa.string(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("license", pa.string()),
        pa.field("license_class", pa.string(), nullable=False),
        pa.field("license_evidence", pa.string()),
        pa.field("license_confidence", pa.float32()),
    ]
)

ROW_BITS = 32
ROW_MASK = (1 << ROW_BITS) - 1


def part_of_repository(repository: str, parts: int) -> int:
    """The number of the part that holds a repository: a stable hash of its name."""
    digest = hashlib.sha256(repository.encode()).digest()
    return int.from_bytes(digest[:8], "big") % parts


def document_id(part: int, row: int) -> int:
    """A document's id from the number of its part and its row there."""
    return part << ROW_BITS | row


def document_position(document: int) -> tuple[int, int]:
    """The number of a document's part and its row there, from its id."""
    return document >> ROW_BITS, document & ROW_MASK
