"""Repositories of a part of ``trees``, one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from transforms.parts import iterate_row_groups, read_rows
from transforms.trace.project import Project

_NAMES = ["repository", "revision"]
_COLUMNS = [*_NAMES, "released", "path", "content", "license", "license_class"]


def count_projects(path: Path) -> int:
    """How many repositories a part has, each revision for itself; raises `DamagedFileError`."""
    return max(_ends(path).size - 1, 0)


def read_project(path: Path, number: int) -> Project:
    """One of them with all its files, in memory; raises `DamagedFileError`."""
    first, end = _ends(path)[number : number + 2].tolist()
    rows = [
        row
        for batch in read_rows(path, np.arange(first, end), _COLUMNS)
        for row in batch.to_pylist()
    ]
    return Project(
        repository=rows[0]["repository"],
        revision=rows[0]["revision"],
        released=rows[0]["released"] and rows[0]["released"].date(),
        files={row["path"]: row["content"] for row in rows},
        licenses={row["path"]: (row["license"], row["license_class"]) for row in rows},
    )


def _ends(path: Path) -> npt.NDArray[np.int64]:
    """The first row of each repository, and the number of rows: they stand together."""
    starts: list[int] = []
    rows, last = 0, None
    for batch in iterate_row_groups(path, _NAMES):
        for name in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if name != last:
                starts.append(rows)
                last = name
            rows += 1
    return np.array([*starts, rows], np.int64)
