"""Rows of shards as tests write them down: pieces of documents, and padding after them."""

from __future__ import annotations

import itertools

import pyarrow as pa
from hypothesis import strategies as st

from schemas.shards import schema

CONTEXT = 6
PADDING = 9

Row = list[list[int]]


@st.composite
def rows_of_pieces(draw: st.DrawFn, largest: int) -> list[Row]:
    """Rows of pieces of tokens, some of which do not fill their row."""
    token = st.integers(0, largest)
    rows = []
    for _ in range(draw(st.integers(0, 7))):
        ids = draw(st.lists(token, min_size=draw(st.sampled_from([1, CONTEXT])), max_size=CONTEXT))
        cuts = sorted(draw(st.sets(st.integers(1, CONTEXT - 1), max_size=3)))
        edges = [0, *[cut for cut in cuts if cut < len(ids)], len(ids)]
        rows.append([ids[a:b] for a, b in itertools.pairwise(edges)])
    return rows


def record_batch(rows: list[Row], token: pa.DataType) -> pa.RecordBatch:
    """The rows as a record batch of a shard that is a slice of a larger one."""
    extra: Row = [[1, 2], [3]]
    values = [_as_dict(row) for row in [extra, *rows, extra]]
    whole = pa.RecordBatch.from_pylist(values, schema=schema(token, CONTEXT))
    return whole.slice(1, len(rows))


def record_batches(rows: list[Row], token: pa.DataType, size: int) -> list[pa.RecordBatch]:
    """The rows in batches of at most some size."""
    return [record_batch(rows[at : at + size], token) for at in range(0, len(rows), size)]


def _as_dict(row: Row) -> dict[str, object]:
    ids = [token for piece in row for token in piece]
    starts = [sum(map(len, row[:number])) for number in range(len(row))]
    return {
        "input_ids": ids + [PADDING] * (CONTEXT - len(ids)),
        "length": len(ids),
        "document_starts": starts,
        "documents": list(range(len(row))),
        "offsets": [0] * len(row),
    }
