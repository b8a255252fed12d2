"""How much of a corpus steps hold in memory, and into how many ranges it is divided for that."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """How much of a corpus is held in memory at a time, of so many documents."""

    memory_bytes: int
    documents: int

    @property
    def share(self) -> int:
        """Bytes of each of the few things that are in memory together."""
        return self.memory_bytes // 8

    def ranges(self, bytes_a_document: int) -> int:
        """Into how many ranges something of every document is divided."""
        return max(1, -(-self.documents * bytes_a_document // self.share))
