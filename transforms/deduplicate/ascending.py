"""Ascending arrays of hashes and places: ranges of them, and who is among them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_RANGE_BITS = 32

Mask = npt.NDArray[np.bool_]


def hash_range(ascending: npt.NDArray[np.uint64], number: int, ranges: int) -> slice:
    """Where the values of one of some ranges of hashes stand.

    Ranges differ in the upper 32 bits, so that claims of one band hash, which have a place in
    the lower ones, are never divided.
    """
    low, high = ((edge << _RANGE_BITS) // ranges << _RANGE_BITS for edge in (number, number + 1))
    start = np.searchsorted(ascending, np.uint64(low))
    end = ascending.size if number + 1 == ranges else np.searchsorted(ascending, np.uint64(high))
    return slice(int(start), int(end))


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
