"""What benchmarks consist of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """A problem of a benchmark: what the benchmark calls it, and its texts as UTF-8."""

    benchmark: str
    task: str
    texts: tuple[bytes, ...]
