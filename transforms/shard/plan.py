"""The plan of a split: which pieces of which documents each of its shards holds.

It is made from the measures of all documents, which are numbers alone. The plan of a shard
says where its tokens are in the memory maps of their parts, so that its writer needs
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.shard.packing import (
    Packed,
    concatenate_documents,
    pack_best_fit,
    shuffle_within,
    take_sequences,
)

MEASURES = pa.schema(
    [
        pa.field("document", pa.uint64(), nullable=False),
        pa.field("rank", pa.int64(), nullable=False),
        pa.field("key", pa.uint64(), nullable=False),
        pa.field("repository_hash", pa.uint64(), nullable=False),
        pa.field("cluster", pa.uint64(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
        pa.field("group", pa.int64(), nullable=False),
        pa.field("chunk", pa.int64(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
    ]
)
"""A document's tokens are ``length`` values from ``start`` in a chunk of its tokens part."""

PIECES = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("document", pa.uint64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
        pa.field("chunk", pa.int64(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
    ]
)
"""A piece is ``length`` tokens at ``position`` in a row, those of a document from ``offset`` on.

``tokens`` of them are values from ``start`` in a chunk of the document's tokens part, and one
more, if ``length`` says so, is the end-of-text."""

Method = Literal["concatenate", "best_fit"]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Packing:
    """How sequences are made."""

    context_length: int
    sequences_per_shard: int
    seed: int
    end_of_text: int
    method: Method = "concatenate"


def in_reading_order(measures: pa.RecordBatch) -> pa.RecordBatch:
    """Measures of a part by rank."""
    return measures.take(pa.array(np.argsort(measures["rank"].to_numpy(), kind="stable")))


def pack_split(lengths: Integers, copies: Integers, packing: Packing) -> Packed:
    """The sequences of a split, shuffled within each epoch; epochs follow each other.

    Args:
      lengths: int64[documents], tokens without end-of-text, in reading order.
      copies: int64[epochs, documents], how often each epoch has each document.

    A document that an epoch has twice stands in it behind all that it has once.
    """
    pack = concatenate_documents if packing.method == "concatenate" else pack_best_fit
    epochs = []
    for once in copies:
        documents = _repeat_passes(once)
        packed = pack(lengths[documents], packing.context_length)
        epochs.append(packed._replace(document=documents[packed.document]))
    whole = _join(epochs)
    sizes = [each.first.size - 1 for each in epochs]
    order = shuffle_within(np.repeat(np.arange(len(epochs)), sizes), packing.seed)
    return take_sequences(whole, order)


def _repeat_passes(copies: Integers) -> Integers:
    documents = np.repeat(np.arange(copies.size), copies)
    number = np.arange(documents.size) - np.repeat(np.cumsum(copies) - copies, copies)
    return documents[np.argsort(number, kind="stable")]


def _join(packed: list[Packed]) -> Packed:
    pieces = np.cumsum([0, *(each.document.size for each in packed)])
    firsts = [each.first[:-1] + base for each, base in zip(packed, pieces, strict=False)]
    return Packed(
        np.concatenate([*firsts, pieces[-1:]]),
        *(np.concatenate([each[column] for each in packed]) for column in (1, 2, 3)),
    )


def shard_plans(packed: Packed, measures: pa.Table, packing: Packing) -> Iterator[pa.RecordBatch]:
    """The plan of each shard: the pieces of its rows, in order.

    ``packed`` numbers the documents as the rows of ``measures``.
    """
    columns = {name: measures[name].to_numpy() for name in ("document", "chunk", "start", "length")}
    sequences = packed.first.size - 1
    for begin in range(0, sequences, packing.sequences_per_shard):
        end = min(begin + packing.sequences_per_shard, sequences)
        first = packed.first[begin : end + 1]
        own = slice(first[0], first[-1])
        document, offset, length = packed.document[own], packed.offset[own], packed.length[own]
        row = np.repeat(np.arange(end - begin), np.diff(first))
        before = np.concatenate([[0], np.cumsum(length)])
        position = before[:-1] - before[first[:-1] - first[0]][row]
        arrays = (
            row,
            position,
            columns["document"][document],
            offset,
            length,
            columns["chunk"][document],
            columns["start"][document] + offset,
            np.minimum(length, columns["length"][document] - offset),
        )
        yield pa.RecordBatch.from_arrays(list(map(pa.array, arrays)), schema=PIECES)
