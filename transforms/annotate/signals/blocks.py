"""How kernels read texts: in blocks of bytes that the compiler turns into vectors.

A loop over a block that adds a byte's class to the counter at the same place of an array
of ``uint8`` becomes a few instructions for 32 or 64 bytes. Such a counter overflows after
`MAX_BLOCKS`.
"""

from __future__ import annotations

from transforms.buffers import Bytes
from transforms.compiled import allocation_free

WIDTH = 64
"""Bytes of a block."""
MAX_BLOCKS = 255
"""Blocks after which a counter of eight bits may be full."""


@allocation_free
def fill_tail(tail: Bytes, data: Bytes, start: int, stop: int) -> None:
    """Copies what is left of a text, at most a block, and adds zeros."""
    tail[:] = 0
    for at in range(start, stop):
        tail[at - start] = data[at]
