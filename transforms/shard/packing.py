"""Packing: documents joined by end-of-text, cut into sequences, shuffled by seed.

The documents of a split form one stream of tokens in which each is followed by an
end-of-text token; sequence i is the i-th ``context_length`` tokens of it. Which tokens
a sequence holds follows from the documents' lengths alone, so that a shard can be
written from memory maps of tokens without moving any of them through a shuffle.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.compiled import compiled
from transforms.shingles import mix

Counts = npt.NDArray[np.int64]

_STEP = np.uint64(0x9E3779B97F4A7C15)


class Pieces(NamedTuple):
    """The parts of documents in some sequences, in order. All int64[pieces].

    Piece i is ``length[i]`` tokens of document ``document[i]`` from its token
    ``offset[i]`` on, the end-of-text after it included where it reaches that far. It
    stands at ``position[i]`` of the sequence in row ``row[i]``.
    """

    row: Counts
    position: Counts
    document: Counts
    offset: Counts
    length: Counts


def stream_ends(lengths: Counts) -> Counts:
    """Where each document ends in the stream, its end-of-text included."""
    return np.cumsum(lengths + 1)


def count_sequences(ends: Counts, context_length: int) -> int:
    """How many sequences a stream gives; the last one may be partial."""
    total = int(ends[-1]) if ends.size else 0
    return -(-total // context_length)


def shuffle_sequences(count: int, seed: int) -> Counts:
    """A permutation of the numbers below ``count`` that depends on the seed alone.

    NumPy may change the streams of its own shuffles (NEP 19); this one never changes.
    """
    return np.argsort(_random_keys(count, np.uint64(seed % 2**64)), kind="stable")


@compiled
def _random_keys(count: int, seed: np.uint64) -> npt.NDArray[np.uint64]:
    keys = np.empty(count, dtype=np.uint64)
    state = mix(seed + _STEP)
    for index in range(count):
        state += _STEP
        keys[index] = mix(state)
    return keys


def cut_pieces(sequences: Counts, ends: Counts, lengths: Counts, context_length: int) -> Pieces:
    """The pieces of some sequences of a stream, in the order of ``sequences``.

    Raises:
      ValueError: a sequence lies outside the stream.
    """
    count = count_sequences(ends, context_length)
    if sequences.size and not (sequences.min() >= 0 and sequences.max() < count):
        raise ValueError(f"sequences must be in [0, {count}), got up to {sequences.max()}")
    return Pieces(*_cut_pieces(sequences, ends, lengths, context_length))


@compiled
def _cut_pieces(
    sequences: Counts, ends: Counts, lengths: Counts, context_length: int
) -> tuple[Counts, Counts, Counts, Counts, Counts]:
    first = np.searchsorted(ends, sequences * context_length, side="right")
    total = 0
    for row in range(sequences.size):
        stop = min((sequences[row] + 1) * context_length, ends[-1])
        document = first[row]
        total += 1
        while ends[document] < stop:
            document += 1
            total += 1
    pieces = np.empty((5, total), dtype=np.int64)
    count = 0
    for row in range(sequences.size):
        start = sequences[row] * context_length
        stop = min(start + context_length, ends[-1])
        document = first[row]
        place = start
        while place < stop:
            reach = min(ends[document], stop)
            pieces[0, count] = row
            pieces[1, count] = place - start
            pieces[2, count] = document
            pieces[3, count] = place - (ends[document] - lengths[document] - 1)
            pieces[4, count] = reach - place
            count += 1
            place = reach
            document += 1
    return pieces[0], pieces[1], pieces[2], pieces[3], pieces[4]


@compiled
def copy_pieces(
    values: npt.NDArray[np.unsignedinteger],
    starts: Counts,
    lengths: Counts,
    targets: Counts,
    out: npt.NDArray[np.unsignedinteger],
) -> None:
    """Copies runs of tokens: ``values[starts[i]:][:lengths[i]]`` to ``out[targets[i]:]``."""
    for index in range(starts.size):
        for step in range(lengths[index]):
            out[targets[index] + step] = values[starts[index] + step]
