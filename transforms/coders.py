"""How what crosses a shuffle is written: record batches as Arrow IPC.

Pickling a slice of a batch would ship the whole buffer that it is a slice of, and
would let whoever writes to the shuffle run code in whoever reads it.
"""

from __future__ import annotations

import pyarrow as pa
from apache_beam.coders import Coder
from apache_beam.coders.typecoders import registry


class RecordBatchCoder(Coder):
    """A record batch as one Arrow IPC stream, LZ4-compressed."""

    def encode(self, value: pa.RecordBatch) -> bytes:
        """The bytes of one stream with the schema and the batch."""
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_stream(sink, value.schema, options=options) as writer:
            writer.write_batch(value)
        return bytes(sink.getvalue())

    def decode(self, encoded: bytes) -> pa.RecordBatch:
        """The batch of a stream that `encode` wrote."""
        return pa.ipc.open_stream(encoded).read_next_batch()

    def is_deterministic(self) -> bool:
        """Equal batches may differ in padding, so that they are values and never keys."""
        return False

    def to_type_hint(self) -> type:
        """The type that this coder is for."""
        return pa.RecordBatch  # type: ignore[no-any-return]


registry.register_coder(pa.RecordBatch, RecordBatchCoder)
