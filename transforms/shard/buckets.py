"""Buckets of sequences: what sections write by bucket, sorted and cut into shards.

A section writes its pieces of each pass into a file for each bucket, in the order of the
numbers that are drawn for sequences. Whoever has a bucket reads those of all sections.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.shards import Split
from transforms.draws import draw_stream
from transforms.shard.layout import Layout
from transforms.shard.packing import Packed, take_sequences
from transforms.shard.plan import PIECES
from transforms.shard.sections import Documents, Integers
from transforms.shard.staging import PlanFiles, join_columns
from transforms.shingles import Hashes

DRAWN = pa.schema(
    [
        pa.field("draw", pa.uint64(), nullable=False),
        *(field for field in PIECES if field.name not in ("row", "position")),
    ]
)
"""Pieces, and the number that is drawn for the sequence of each."""

_AT_ONCE = 1 << 16
"""Sequences of a record batch."""


def write_pieces(
    files: PlanFiles,
    layout: Layout,
    place: tuple[int, int],
    packed: Packed,
    documents: Documents,
    seed: int,
) -> None:
    """Writes the pieces of a section in a pass, by bucket.

    ``place`` is the number of the pass and that of the section; ``packed`` numbers the
    ``documents``, and ``seed`` is that of the pass.
    """
    number, section = place
    first = layout.first_sequence(number, section)
    draws = draw_stream(packed.first.size - 1, seed, first)
    order = np.argsort(draws, kind="stable")
    borders = np.searchsorted(draws, np.array(layout.borders[number], np.uint64), sorter=order)
    ends = [0, *borders.tolist(), draws.size]
    columns = {name: documents.column(name) for name in ("document", "chunk", "start", "length")}
    for bucket, begin, end in zip(layout.buckets_of(number), ends, ends[1:], strict=False):
        batches = (
            _describe_pieces(packed, draws, order[first : min(first + _AT_ONCE, end)], columns)
            for first in range(begin, end, _AT_ONCE)
        )
        files.write_batches(_pieces_file(bucket, number, section), DRAWN, batches)


def _describe_pieces(
    packed: Packed, draws: Hashes, sequences: Integers, columns: Mapping[str, npt.NDArray[Any]]
) -> pa.RecordBatch:
    """The pieces of some sequences, given what is drawn for each and where documents are."""
    pieces = take_sequences(packed, sequences)
    arrays = (
        np.repeat(draws[sequences], np.diff(pieces.first)),
        columns["document"][pieces.document],
        pieces.offset,
        pieces.length,
        columns["chunk"][pieces.document],
        columns["start"][pieces.document] + pieces.offset,
        np.minimum(pieces.length, columns["length"][pieces.document] - pieces.offset),
    )
    return pa.RecordBatch.from_arrays(list(map(pa.array, arrays)), schema=DRAWN)


def plan_bucket(
    files: PlanFiles, layout: Layout, bucket: int
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The name and the plan of each shard of a bucket, in order."""
    for split in Split:
        passes = [
            [
                files.map(_pieces_file(bucket, number, section))
                for section in range(len(layout.sequences[number]))
            ]
            for number, which in enumerate(layout.passes)
            if which.split is split and bucket in layout.buckets_of(number)
        ]
        if passes:
            names = layout.names(split)[layout.first_shard(split, bucket) :]
            yield from zip(names, _cut_shards(passes, layout.sequences_per_shard), strict=False)


def _cut_shards(
    passes: Sequence[Sequence[pa.Table]], sequences_per_shard: int
) -> Iterator[pa.RecordBatch]:
    """The plans of shards that hold the sequences of passes one after another."""
    order, first = _shuffle_pieces([join_columns(tables, "draw") for tables in passes])
    tables = list(itertools.chain.from_iterable(passes))
    names = (name for name in DRAWN.names if name != "draw")
    pieces = {name: join_columns(tables, name)[order] for name in names}
    for begin in range(0, first.size - 1, sequences_per_shard):
        yield _plan_shard(pieces, first[begin : begin + sequences_per_shard + 1])


def _shuffle_pieces(passes: Sequence[Hashes]) -> tuple[Integers, Integers]:
    """The pieces of passes in the order of what is drawn, and where each sequence begins.

    The last begin is where the last sequence ends.
    """
    orders, begins, held = [], [], 0
    for draws in passes:
        # Pieces of one sequence are together, and in its order.
        order = np.argsort(draws, kind="stable")
        draws = draws[order]
        begins.append(np.flatnonzero(np.append(True, draws[1:] != draws[:-1])) + held)
        orders.append(order + held)
        held += draws.size
    return np.concatenate(orders), np.append(np.concatenate(begins), held)


def _plan_shard(pieces: Mapping[str, npt.NDArray[Any]], first: Integers) -> pa.RecordBatch:
    own = slice(first[0], first[-1])
    length = pieces["length"][own]
    row = np.repeat(np.arange(first.size - 1), np.diff(first))
    before = np.concatenate([[0], np.cumsum(length)])
    position = before[:-1] - before[first[:-1] - first[0]][row]
    columns = {name: column[own] for name, column in pieces.items()}
    columns |= {"row": row, "position": position}
    return pa.RecordBatch.from_arrays(
        [pa.array(columns[field.name]) for field in PIECES], schema=PIECES
    )


def _pieces_file(bucket: int, number: int, section: int) -> str:
    return f"pieces/bucket-{bucket:05d}/pass-{number:03d}-section-{section:05d}.arrow"
