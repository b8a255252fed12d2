"""Divides the partners of a small run, then those of a large one within so many bytes more."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from tests.transforms.deduplicate.memory import allow_more
from tests.transforms.deduplicate.test_partners import divide, with_ends


def main(folder: str, files: int, documents: int, ranges: int, link_capacity: int, allowed: int):
    run = Path(folder)
    divide(run / "small", [with_ends([(1, 0), (5, 4)])])
    links = [np.load(run / f"{number}.npy", mmap_mode="r") for number in range(files)]
    allow_more(allowed)
    divide(run, links, 1 << 20, ranges, link_capacity, documents)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
