"""Packing: documents, each followed by an end-of-text token, put into training sequences.

Which tokens a sequence holds follows from the lengths of the documents alone, so that a
shard can be written from memory maps of tokens without moving any of them through a
shuffle.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.compiled import allocation_free, compiled

Counts = npt.NDArray[np.int64]

_NONE = -1


class Packed(NamedTuple):
    """The pieces of documents in each sequence.

    The pieces of sequence i are ``first[i]:first[i + 1]``, in order; ``first`` is
    int64[sequences + 1]. Piece j is ``length[j]`` tokens of document ``document[j]`` from
    its token ``offset[j]`` on, the end-of-text after it included where it reaches that
    far; these are int64[pieces]. Only the last tokens of a sequence may be missing.
    """

    first: Counts
    document: Counts
    offset: Counts
    length: Counts


def concatenate_documents(lengths: Counts, context_length: int) -> Packed:
    """One stream of all documents, cut into sequences; only the last one may be shorter.

    Args:
      lengths: int64[documents], their tokens without the end-of-text.
      context_length: of a sequence, in tokens.

    Raises:
      ValueError: no sequence can be that long.
    """
    return Packed(*_cut_stream(_with_end_of_text(lengths, context_length), context_length))


@compiled
def _cut_stream(tokens: Counts, context_length: int) -> tuple[Counts, Counts, Counts, Counts]:
    sequences = -(-tokens.sum() // context_length)
    first = np.empty(sequences + 1, dtype=np.int64)
    # Each piece begins with a document, with a sequence or with both.
    pieces = np.empty((3, tokens.size + sequences), dtype=np.int64)
    count = 0
    sequence = 0
    room = 0
    for document in range(tokens.size):
        offset = 0
        while offset < tokens[document]:
            if room == 0:
                first[sequence] = count
                sequence += 1
                room = context_length
            length = min(room, tokens[document] - offset)
            pieces[0, count] = document
            pieces[1, count] = offset
            pieces[2, count] = length
            count += 1
            offset += length
            room -= length
    first[sequence] = count
    return first, pieces[0, :count], pieces[1, :count], pieces[2, :count]


def pack_best_fit(lengths: Counts, context_length: int) -> Packed:
    """Documents cut only where they are longer than a sequence, in few sequences.

    Best-fit packing of Ding et al. 2024 (arXiv 2404.10830): each document is cut into
    pieces of ``context_length`` and a rest; pieces are placed by decreasing length, earlier
    documents first, each in the sequence with the least room that is enough (of several
    in the one that came to this room last) or, where there is none, in a new one. Time is
    linear in the documents but for a factor of log ``context_length``.

    Sequences are in the order of their first pieces, and pieces in a sequence in that of
    their documents. Arguments and errors are those of `concatenate_documents`.
    """
    tokens = _with_end_of_text(lengths, context_length)
    pieces = -(-tokens // context_length)
    document = np.repeat(np.arange(tokens.size), pieces)
    before = np.cumsum(pieces) - pieces
    offset = (np.arange(document.size) - before[document]) * context_length
    length = np.minimum(tokens[document] - offset, context_length)
    sequence, count = _place_best_fit(length, context_length)
    order, first = _sort_small(sequence, count)
    return Packed(first, document[order], offset[order], length[order])


def _with_end_of_text(lengths: Counts, context_length: int) -> Counts:
    if context_length < 1:
        raise ValueError(f"context_length must be at least 1, got {context_length}")
    return np.asarray(lengths, dtype=np.int64) + 1


@compiled
def _place_best_fit(lengths: Counts, capacity: int) -> tuple[Counts, int]:
    """The sequence of each piece, and how many there are, numbered by their first pieces."""
    leaves = 1
    while leaves <= capacity:
        leaves *= 2
    # Nodes of a binary tree: whether there is a sequence with one of the rooms below a node.
    open_rooms = np.zeros(2 * leaves, dtype=np.bool_)
    # For each room the sequence that came to it last, and for each of those the one before.
    latest = np.full(capacity + 1, _NONE)
    earlier = np.empty(lengths.size, dtype=np.int64)
    placed = np.empty(lengths.size, dtype=np.int64)
    opened = 0
    order, _ = _sort_small(capacity - lengths, capacity + 1)
    for piece in order:
        room = _find_room(open_rooms, leaves, lengths[piece])
        if room == _NONE:
            sequence = opened
            opened += 1
            room = capacity
        else:
            sequence = latest[room]
            latest[room] = earlier[sequence]
            if latest[room] == _NONE:
                _close_room(open_rooms, leaves + room)
        placed[piece] = sequence
        room -= lengths[piece]
        earlier[sequence] = latest[room]
        latest[room] = sequence
        _open_room(open_rooms, leaves + room)
    _number_by_appearance(placed, opened)
    return placed, opened


@allocation_free
def _find_room(open_rooms: npt.NDArray[np.bool_], leaves: int, least: int) -> int:
    """The smallest open room of at least so many tokens, or none."""
    node = leaves + least
    while not open_rooms[node]:
        while node % 2:
            node //= 2
        if node == 0:
            return _NONE
        node += 1
    while node < leaves:
        node = 2 * node if open_rooms[2 * node] else 2 * node + 1
    return node - leaves


@allocation_free
def _open_room(open_rooms: npt.NDArray[np.bool_], node: int) -> None:
    while node and not open_rooms[node]:
        open_rooms[node] = True
        node //= 2


@allocation_free
def _close_room(open_rooms: npt.NDArray[np.bool_], node: int) -> None:
    open_rooms[node] = False
    while node > 1 and not open_rooms[node ^ 1]:
        node //= 2
        open_rooms[node] = False


@compiled
def _number_by_appearance(labels: Counts, count: int) -> None:
    """Renames labels below ``count`` so that each appears first after all smaller ones."""
    names = np.full(count, _NONE)
    named = 0
    for index in range(labels.size):
        label = labels[index]
        if names[label] == _NONE:
            names[label] = named
            named += 1
        labels[index] = names[label]


@compiled
def _sort_small(values: Counts, count: int) -> tuple[Counts, Counts]:
    """Sorts values below ``count``: a stable order, and where in it each value begins."""
    first = np.zeros(count + 1, dtype=np.int64)
    for value in values:
        first[value + 1] += 1
    for value in range(count):
        first[value + 1] += first[value]
    ends = first.copy()
    order = np.empty(values.size, dtype=np.int64)
    for index in range(values.size):
        order[ends[values[index]]] = index
        ends[values[index]] += 1
    return order, first


def take_sequences(packed: Packed, order: Counts) -> Packed:
    """The sequences whose numbers ``order`` gives, in that order.

    Raises:
      ValueError: there is no sequence of a number.
    """
    count = packed.first.size - 1
    if order.size and not (order.min() >= 0 and order.max() < count):
        raise ValueError(f"sequences must be in [0, {count}), got {order.min()} to {order.max()}")
    sizes = np.diff(packed.first)[order]
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    moved = np.repeat(packed.first[order] - first[:-1], sizes)
    pieces = np.arange(moved.size) + moved
    return Packed(first, packed.document[pieces], packed.offset[pieces], packed.length[pieces])


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
        start, target, length = starts[index], targets[index], lengths[index]
        # Slices are copied as blocks, several times as fast as tokens one by one.
        out[target : target + length] = values[start : start + length]
