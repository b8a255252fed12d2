"""SHA-256 sums in hexadecimal, as tables have them, as bytes and as keys of documents."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.buffers import Bytes, binary_buffers

_HEX_DIGITS = 64
_NO_DIGIT = 0xFF


def parse_hashes(sha256: pa.Array, size: int) -> Bytes:
    """The leading bytes of SHA-256 sums in hexadecimal: uint8[rows, size].

    Raises:
      ValueError: one of them is none.
    """
    data, offsets = binary_buffers(sha256.cast(pa.large_binary()))
    if (np.diff(offsets) != _HEX_DIGITS).any():
        raise ValueError(f"a SHA-256 in hexadecimal has {_HEX_DIGITS} digits")
    digits = _DIGITS[data[offsets[0] : offsets[-1]].reshape(-1, _HEX_DIGITS)[:, : 2 * size]]
    if (digits == _NO_DIGIT).any():
        raise ValueError("a SHA-256 has other characters than hexadecimal digits")
    return np.asarray(digits[:, ::2] << 4 | digits[:, 1::2], np.uint8)


def content_keys(sha256: pa.Array) -> npt.NDArray[np.uint64]:
    """uint64[rows]: what stands for a content where random numbers are drawn for documents.

    Unlike the id of a document it stays the same when other repositories are added.
    """
    leading = np.ascontiguousarray(parse_hashes(sha256, 8))
    return leading.view(">u8").reshape(-1).astype(np.uint64)


def _digits() -> Bytes:
    table = np.full(256, _NO_DIGIT, dtype=np.uint8)
    for value, digit in enumerate("0123456789abcdef"):
        table[ord(digit)] = table[ord(digit.upper())] = value
    return table


_DIGITS = _digits()
