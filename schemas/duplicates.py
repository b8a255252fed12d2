"""Duplicates: ``attributes/duplicates``, positional with the documents, and ``copies``.

``cluster`` and ``duplicate_of`` are ids of kept documents: ``duplicate_of`` of the one in
favor of which a document is dropped, null for kept ones, which are their own ``cluster``.
``similarity`` and ``level`` say why, null for kept ones. ``repository_share`` is the largest
share of the files of the document's repository that have a duplicate in one other
repository that comes before it in keep order; null where that level is not asked for.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

DUPLICATES = pa.schema(
    [
        pa.field("cluster", pa.uint64(), nullable=False),
        pa.field("duplicate_of", pa.uint64()),
        pa.field("similarity", pa.float32()),
        pa.field("level", pa.string()),
        pa.field("repository_share", pa.float32()),
    ]
)

COPIES = pa.schema(
    [
        pa.field("repository", pa.string(), nullable=False),
        pa.field("revision", pa.string(), nullable=False),
        pa.field("files", pa.int64(), nullable=False),
        pa.field("copy_of", pa.string(), nullable=False),
        pa.field("copy_of_revision", pa.string(), nullable=False),
        pa.field("copy_of_files", pa.int64(), nullable=False),
        pa.field("shared_files", pa.int64(), nullable=False),
        pa.field("share", pa.float32(), nullable=False),
        pa.field("reverse_share", pa.float32(), nullable=False),
    ]
)
"""Repositories that have files in common with a better one (``copy_of``) of another name.

``shared_files`` of its ``files`` have a duplicate there: ``share``. ``reverse_share`` is the
share of the other's files that have a duplicate here, near 1 where a whole project is
vendored. There is a row for the largest share of each repository, and for every pair of
which either share is ``schemas.duplicates.NOTABLE_SHARE`` or more."""

NOTABLE_SHARE = 0.5


class Level(StrEnum):
    """How alike a dropped document and the kept one are."""

    EXACT = "exact"
    """The same bytes."""
    NORMALIZED = "normalized"
    """The same text but for comments, trailing space and line ends."""
    NEAR = "near"
    """A Jaccard similarity of their shingles at or above the threshold."""
    REPOSITORY = "repository"
    """Not of a document: how much of its repository is in another one. Drops nothing."""
