"""Segments: many runs of tokens in one flat array, and documents joined from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.buffers import Offsets
from transforms.compiled import compiled
from transforms.tokenizers.engines import Ids

Numbers = npt.NDArray[np.int64]


class Segments(NamedTuple):
    """Runs of tokens, as engines return them.

    ``ids`` uint32[n] and ``offsets`` int64[segments + 1]: segment i is
    ``ids[offsets[i]:offsets[i + 1]]``.
    """

    ids: Ids
    offsets: Offsets

    @property
    def size(self) -> int:
        """How many there are."""
        return self.offsets.size - 1


def single_tokens(*tokens: int) -> Segments:
    """A segment of one token for each of some ids."""
    return Segments(np.array(tokens, np.uint32), np.arange(len(tokens) + 1, dtype=np.int64))


def stack_segments(*parts: Segments) -> Segments:
    """The segments of all parts, those of each behind those of the one before."""
    ids = np.concatenate([part.ids[part.offsets[0] : part.offsets[-1]] for part in parts])
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    return Segments(ids, _ends(lengths))


def join_segments(segments: Segments, numbers: Numbers, ends: Offsets) -> Segments:
    """Documents that are segments joined in some order, each as often as it is named.

    Args:
      segments: what the documents consist of.
      numbers: int64[n], numbers of segments.
      ends: int64[documents + 1], from 0 on: document i is the segments
        ``numbers[ends[i]:ends[i + 1]]``.

    Returns:
      A segment for each document, in arrays of their own.

    Raises:
      ValueError: a number is not that of a segment, or ``ends`` do not fit ``numbers``.
    """
    if numbers.size and not (numbers.min() >= 0 and numbers.max() < segments.size):
        raise ValueError(
            f"numbers of segments must be in [0, {segments.size}), "
            f"got {numbers.min()} to {numbers.max()}"
        )
    if ends[0] != 0 or ends[-1] != numbers.size or (np.diff(ends) < 0).any():
        raise ValueError(f"ends must ascend from 0 to {numbers.size}, the count of numbers")
    places = _ends(np.diff(segments.offsets)[numbers])
    ids = np.empty(places[-1], np.uint32)
    _copy_segments(segments.ids, segments.offsets[:-1][numbers], places, ids)
    return Segments(ids, places[ends])


def _ends(lengths: Numbers) -> Offsets:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


@compiled
def _copy_segments(ids: Ids, starts: Numbers, places: Offsets, out: Ids) -> None:
    for number in range(starts.size):
        start, place, end = starts[number], places[number], places[number + 1]
        out[place:end] = ids[start : start + end - place]
