"""Runs the steps on a small run, then on a large one within so many bytes more."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.transforms.deduplicate.memory import allow_more
from tests.transforms.deduplicate.steps import run_steps
from transforms.deduplicate.reader import DeduplicateOptions, RunReader
from transforms.parts import Workspace


def read(run: str, memory_bytes: int) -> RunReader:
    workspace = Workspace(run=run, staging=f"{run}/staging")
    options = DeduplicateOptions(memory_bytes=memory_bytes, index_seed=1)
    return RunReader(workspace, len(list(Path(run, "documents").iterdir())), options)


def main(small: str, large: str, limit: str, allowed: int, memory_bytes: int) -> None:
    # Kernels, libraries and what they hold once and for all.
    run_steps(read(small, memory_bytes))
    allow_more(allowed, limit)
    run_steps(read(large, memory_bytes))


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:]))
