"""Ranks a few repositories, then many within so many bytes more."""

from __future__ import annotations

import sys

import pyarrow as pa

from schemas.repositories import SCHEMA
from tests.transforms.deduplicate.memory import allow_more
from tests.transforms.deduplicate.test_ranking import PARTS, many_rows, rank
from transforms.deduplicate.ranking import rank_repositories
from transforms.deduplicate.staging import StagedArrays
from transforms.parts import Workspace


def main(folder: str, capacity: int, allowed: int) -> None:
    rank([many_rows(0), many_rows(1)], capacity=1)
    allow_more(allowed)
    tables = (pa.Table.from_pylist(many_rows(part), SCHEMA) for part in range(PARTS))
    arrays = StagedArrays(Workspace(run=folder, staging=folder))
    rank_repositories(arrays, tables, capacity=capacity)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
