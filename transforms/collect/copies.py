"""Copies: of problems that say or do the same, the one that stays.

A claim is one problem and a fingerprint of it. Of the problems of one fingerprint the best
stays: one whose license is permissive, then one with a docstring, then the first by name.
None of it depends on how problems are divided among parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

CLAIMS = pa.schema(
    [
        pa.field("fingerprint", pa.string()),
        pa.field("behavior", pa.string()),
        pa.field("rank", pa.int8(), nullable=False),
        pa.field("task_id", pa.string(), nullable=False),
        pa.field("part", pa.int32(), nullable=False),
        pa.field("row", pa.int32(), nullable=False),
    ]
)
"""``behavior`` is the other fingerprint of a problem, by which it is claimed next."""

DROPS = pa.schema(
    [
        pa.field("row", pa.int32(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("kept", pa.string(), nullable=False),
    ]
)
"""Rows of a part that are copies of a problem that stays."""

_ORDER = [(name, "ascending") for name in ("fingerprint", "rank", "task_id", "part", "row")]


def bucket_of(fingerprint: str | None, task_id: str, buckets: int) -> int:
    """Where the claims of a fingerprint meet; without one, a problem's own place."""
    digest = hashlib.sha256((fingerprint or task_id).encode(errors="replace")).digest()
    return int.from_bytes(digest[:8], "big") % buckets


def keep_best(batches: Iterable[pa.RecordBatch]) -> tuple[pa.Table, pa.Table]:
    """Divides claims into those that stay and those that do not.

    Returns:
      the claims that stay, and the others with a column ``kept``: the ``task_id`` of the
      problem that stays for them. Claims without a fingerprint all stay.
    """
    claims = pa.Table.from_batches(batches, CLAIMS).sort_by(_ORDER).combine_chunks()
    names = claims["fingerprint"].to_pylist()
    tasks = claims["task_id"].to_pylist()
    winners: list[str | None] = []
    best = ""
    for place, name in enumerate(names):
        if name is None:
            winners.append(None)
            continue
        if place == 0 or names[place - 1] != name:
            winners.append(None)
            best = tasks[place]
        else:
            winners.append(best)
    kept = pa.array(winners, pa.string())
    stays = pc.is_null(kept)
    return claims.filter(stays), claims.append_column("kept", kept).filter(pc.invert(stays))
