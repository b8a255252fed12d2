"""Plans the shards of a small run, then those of a large one within so many bytes more."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from tests.transforms.shard.generated import measured_parts, reader_of
from tests.transforms.shard.steps import plan_measured
from transforms.parts import Workspace


def plan(run: str, method: str, pieces: int) -> None:
    reader = reader_of(Workspace(run=run, staging=f"{run}/staging"), method, pieces)
    plan_measured(reader, [(0, measured_parts(reader))])


def main(small: str, large: str, method: str, allowed: int, pieces: int) -> None:
    # Kernels, libraries and what they hold once and for all.
    plan(small, method, pieces)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + allowed
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    plan(large, method, pieces)


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:]))
