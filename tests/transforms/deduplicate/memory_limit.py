"""Runs the steps on a small run, then on a large one within so many bytes more."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from tests.transforms.deduplicate.steps import run_steps
from transforms.deduplicate.reader import DeduplicateOptions, RunReader
from transforms.parts import Workspace


def read(run: str, memory_bytes: int) -> RunReader:
    workspace = Workspace(run=run, staging=f"{run}/staging")
    options = DeduplicateOptions(memory_bytes=memory_bytes, index_seed=1)
    return RunReader(workspace, len(list(Path(run, "documents").iterdir())), options)


def main(small: str, large: str, allowed: int, memory_bytes: int) -> None:
    # Kernels, libraries and what they hold once and for all.
    run_steps(read(small, memory_bytes))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + allowed
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    run_steps(read(large, memory_bytes))


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:]))
