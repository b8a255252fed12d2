"""Slices of staged arrays: how a step hands each of many workers its piece of a file.

A step that divides a part's rows by range (or a range's by part) writes them in that
order into one file and names, for each worker, where in it its rows are. What travels
through Beam are these names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.deduplicate.staging import StagedArrays

Slice = tuple[str, int, int]
"""The name of an array, and its rows from the first number to before the second."""

NOTHING: Slice = ("", 0, 0)


def cut_slices(name: str, ends: npt.NDArray[np.int64]) -> Iterator[tuple[int, Slice]]:
    """The slice of each receiver that has rows, with its number.

    ``ends`` int64[receivers + 1] are where the rows of each begin, and where the last end.
    """
    for number in np.flatnonzero(np.diff(ends)).tolist():
        yield number, (name, int(ends[number]), int(ends[number + 1]))


def of_folder(slices: Iterable[Slice], folder: str) -> list[Slice]:
    """The slices of arrays of a folder; its name ends with a slash."""
    return [each for each in slices if each[0].startswith(folder)]


def read_slices(arrays: StagedArrays, slices: Iterable[Slice]) -> Iterator[npt.NDArray[Any]]:
    """The rows of each slice that has some, by name, whatever order the slices arrive in."""
    for name, start, stop in sorted(slices):
        if start < stop:
            yield arrays.read_slice(name, start, stop)
