"""How much may come out of an archive."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO

from schemas.failures import Reason
from transforms.crawl.source import CrawlError, Limits

# What is small anyway may compress as well as it wants.
RATIO_FREE_BYTES = 64 << 20


@dataclass
class Budget:
    """Bytes that may still come out of an archive, and what to say when they are spent."""

    left: int
    problem: str

    def spend(self, count: int) -> None:
        """Takes so many bytes off; raises `CrawlError` where there are not so many."""
        self.left -= count
        if self.left < 0:
            raise CrawlError(Reason.REPOSITORY_TOO_LARGE, self.problem)


def budget_of(file: BinaryIO, limits: Limits) -> Budget:
    """What an archive of this size may hold by the limits on bytes and ratio."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    by_ratio = max(RATIO_FREE_BYTES, size * limits.max_ratio)
    if by_ratio < limits.max_repository_bytes:
        return Budget(by_ratio, f"expands to more than {limits.max_ratio:,} times its size")
    limit = limits.max_repository_bytes
    return Budget(limit, f"more than {limit:,} bytes when decompressed")
