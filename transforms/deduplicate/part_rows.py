"""Numbers of every document, in files by part in order of rows, looked up by place."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.deduplicate.ascending import begins
from transforms.deduplicate.keep import KeepOrder, Places
from transforms.deduplicate.staging import StagedArrays

SKETCHES = "sketches"
"""uint64[rows, words] of each part."""

SIZES = "sizes"
"""uint32[rows] of each part: how many shingles documents have."""


def row_file(folder: str, part: int) -> str:
    """The name of a part's file."""
    return f"{folder}/part-{part:05d}.npy"


def gather_rows(
    arrays: StagedArrays, folder: str, order: KeepOrder, places: Places
) -> npt.NDArray[Any]:
    """The numbers of the documents at some places, of which there must be one."""
    part, row = order.positions(places)
    by_part = np.argsort(part, kind="stable")
    groups = np.split(by_part, np.flatnonzero(begins(part[by_part]))[1:])
    found = [arrays.map(row_file(folder, int(part[mine[0]])))[row[mine]] for mine in groups]
    values = np.concatenate(found)
    ordered: npt.NDArray[Any] = np.empty_like(values)
    ordered[by_part] = values
    return ordered
