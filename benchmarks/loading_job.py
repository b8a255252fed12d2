"""Loading by repomill, and by a memory map of NumPy's, in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.peers.loading_batches import CONTEXT, SEQUENCES, measure_epochs
from pipeline.train import Batches


def main(how: str, run: Path) -> None:
    """Reads by ``batches``, by ``batches_and_starts`` or by ``memmap``."""
    if how == "memmap":
        ids = np.memmap(run / "rows.bin", dtype=np.uint16, mode="r").reshape(-1, CONTEXT)
        measure_epochs(lambda: _by_memmap(ids), "numpy")
        return
    batches = Batches(run / "shards", "train", SEQUENCES, seed=1)
    starts = how == "batches_and_starts"
    measure_epochs(lambda: _by_batches(batches, starts), "repomill")


def _by_batches(batches: Batches, starts: bool) -> Iterator[np.ndarray]:
    for step in range(batches.rows // SEQUENCES):
        batch = batches[step]
        if starts:
            batches.document_starts(batch.rows)
        yield batch.input_ids


def _by_memmap(ids: np.memmap) -> Iterator[np.ndarray]:
    order = np.random.default_rng(1).permutation(len(ids))
    for first in range(0, len(ids), SEQUENCES):
        yield np.stack([ids[row] for row in order[first : first + SEQUENCES]])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
