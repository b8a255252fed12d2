"""Ascending arrays of hashes and places: ranges of them, and who is among them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_RANGE_BITS = np.uint64(32)

Mask = npt.NDArray[np.bool_]


def cut_ranges(ascending: npt.NDArray[np.uint64], ranges: int) -> npt.NDArray[np.int64]:
    """Where the values of each of some ranges of hashes begin, and where the last end.

    Ranges differ in the upper 32 bits, so that claims of one band hash, which have a place in
    the lower ones, are never divided.

    Returns:
      int64[ranges + 1].
    """
    numbers = np.arange(1, ranges, dtype=np.uint64)
    edges = (numbers << _RANGE_BITS) // np.uint64(ranges) << _RANGE_BITS
    inner = np.searchsorted(ascending, edges)
    return np.concatenate(([0], inner, [ascending.size])).astype(np.int64)


def find_among(
    ascending: npt.NDArray[Any], values: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int64], Mask]:
    """Where each value would stand, int64[values], and whether it does, bool[values]."""
    positions = np.searchsorted(ascending, values)
    found = positions < ascending.size
    found[found] = ascending[positions[found]] == values[found]
    return positions, found


def begins(keys: npt.NDArray[Any]) -> Mask:
    """bool[keys]: whether a run of equal keys begins."""
    fresh = np.ones(keys.size, dtype=np.bool_)
    fresh[1:] = np.diff(keys) != 0
    return fresh
