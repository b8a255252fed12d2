"""A digest of what a table says, whatever bytes a file format or batch size makes of it.

Two sequences of record batches have the same digest if and only if (up to SHA-256)
they have the same column names, types and values in the same order. Each column is
hashed by itself: validity, then lengths of variable-sized values, then values, so
that neither slicing nor padding nor the bytes under a null show.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class TableDigest:
    """Accumulates the digest of a table from its batches."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._streams: dict[str, hashlib._Hash] = {}
        self._rows = 0

    def update(self, batch: pa.RecordBatch) -> None:
        """Adds the rows of a batch, whose schema must be the table's."""
        if not batch.schema.equals(self._schema):
            raise ValueError(f"batch has schema {batch.schema}, the table has {self._schema}")
        self._rows += batch.num_rows
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            for stream, data in _streams(name, column):
                if len(data):
                    self._streams.setdefault(stream, hashlib.sha256()).update(data)

    def hexdigest(self) -> str:
        """The digest of all rows so far, in hexadecimal."""
        total = hashlib.sha256()
        for field in self._schema:
            total.update(f"{field.name}\0{field.type}\0".encode())
        total.update(f"{self._rows}\0".encode())
        for stream in sorted(self._streams):
            total.update(f"{stream}\0".encode() + self._streams[stream].digest())
        return total.hexdigest()


def _streams(name: str, column: pa.Array) -> Iterator[tuple[str, bytes | memoryview]]:
    """The named byte streams that stand for a column's values."""
    kind = column.type
    yield f"{name}\0validity", _validity(column)
    if _is_binary(kind):
        filled = _filled(column, b"" if "binary" in str(kind) else "")
        yield f"{name}\0lengths", _bytes(pc.binary_length(filled).cast(pa.int64()))
        yield f"{name}\0values", _binary_data(filled)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield f"{name}\0lengths", _bytes(pc.list_value_length(column).cast(pa.int64()).fill_null(0))
        yield from _streams(f"{name}\0item", column.flatten())
    elif pa.types.is_fixed_size_list(kind):
        yield from _streams(f"{name}\0item", column.flatten())
    elif pa.types.is_struct(kind):
        for index, field in enumerate(kind):
            # This way, what is under a null struct is null too.
            yield from _streams(f"{name}\0{field.name}", pc.struct_field(column, index))
    elif pa.types.is_fixed_size_binary(kind):
        yield f"{name}\0values", _fixed_data(column.drop_null())
    elif pa.types.is_boolean(kind):
        yield f"{name}\0values", _bytes(_filled(column, False).cast(pa.uint8()))
    elif pa.types.is_timestamp(kind):
        yield f"{name}\0values", _bytes(_filled(column.cast(pa.int64()), 0))
    else:
        yield f"{name}\0values", _bytes(_filled(column, 0))


def _validity(column: pa.Array) -> bytes | memoryview:
    # A column without nulls is the usual one, and is not worth a call of Arrow's.
    if column.null_count == 0 and not pa.types.is_null(column.type):
        return b"\1" * len(column)
    return _bytes(pc.is_valid(column).cast(pa.uint8()))


def _filled(column: pa.Array, value: bytes | str | bool | int) -> pa.Array:
    return column.fill_null(value) if column.null_count else column


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _bytes(array: pa.Array) -> memoryview:
    values = np.ascontiguousarray(array.to_numpy(zero_copy_only=False))
    little_endian = values.astype(values.dtype.newbyteorder("<"), copy=False)
    # A memoryview of no bytes cannot be cast.
    return little_endian.data.cast("B") if values.size else memoryview(b"")


def _fixed_data(array: pa.Array) -> memoryview | bytes:
    width, data = array.type.byte_width, array.buffers()[1]
    if data is None or len(array) == 0:
        return b""
    return memoryview(data)[array.offset * width : (array.offset + len(array)) * width]


def _binary_data(array: pa.Array) -> memoryview | bytes:
    _, offsets, data = array.buffers()
    if data is None or len(array) == 0:
        return b""
    wide = pa.types.is_large_binary(array.type) or pa.types.is_large_string(array.type)
    ends = np.frombuffer(offsets, dtype=np.int64 if wide else np.int32)
    return memoryview(data)[ends[array.offset] : ends[array.offset + len(array)]]
