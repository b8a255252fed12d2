"""Code points of UTF-8 texts, for kernels."""

from __future__ import annotations

from transforms.buffers import Bytes
from transforms.compiled import allocation_free


@allocation_free
def count_code_points(data: Bytes, start: int, end: int) -> int:
    """How many code points begin from ``start`` to before ``end``."""
    count = 0
    for place in range(start, end):
        # Bytes that go on with a code point begin with the bits 10.
        count += data[place] & 0xC0 != 0x80
    return count
