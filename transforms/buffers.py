"""Arrow columns as the NumPy arrays that kernels take, without copies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]


def binary_buffers(array: pa.LargeBinaryArray) -> tuple[Bytes, Offsets]:
    """The data and offsets of a large binary array without nulls.

    Returns:
      ``data`` uint8[n] and ``offsets`` int64[rows + 1]: value i is
      ``data[offsets[i]:offsets[i + 1]]``. Both are views that cannot be written to.

    Raises:
      ValueError: the array is of another type or has nulls.
    """
    if not pa.types.is_large_binary(array.type):
        raise ValueError(f"expected large_binary, got {array.type}")
    if array.null_count:
        raise ValueError(f"expected no nulls, got {array.null_count}")
    _, offsets, data = array.buffers()
    # An array of no values may come without offsets.
    ends = np.frombuffer(offsets, dtype=np.int64) if offsets else np.zeros(1, np.int64)
    view = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, np.uint8)
    # Whether Arrow could write to them must not decide which kernel is compiled.
    view.flags.writeable = ends.flags.writeable = False
    return view, ends[array.offset : array.offset + len(array) + 1]


def utf8_contents(contents: pa.LargeBinaryArray, encodings: pa.Array) -> pa.LargeBinaryArray:
    """Contents as UTF-8 without a byte order mark, which is what kernels and tokenizers read.

    The array itself comes back where it is UTF-8 already. The crawl has decoded each
    document strictly once, so a document that does not decode here is corrupt data
    and raises UnicodeDecodeError.
    """
    names = encodings.to_pylist()
    if all(name == "utf-8" for name in names):
        return contents
    values = [
        value.as_py() if name == "utf-8" else value.as_py().decode(name).encode()
        for value, name in zip(contents, names, strict=True)
    ]
    return pa.array(values, pa.large_binary())
