"""Results: samples in their order, each with its verdict (`schemas.verdicts`).

``reason`` says why it has not passed, such as the assertion or the exception. ``seconds``
are CPU seconds, ``memory_bytes`` the most that was used at once, and ``tier`` is the kind
of sandbox; they are null for what was never run. ``task_id`` and ``completion`` are null
where a malformed row has none.
"""

from __future__ import annotations

import pyarrow as pa

from schemas.samples import SAMPLES

OUTCOME = pa.schema(
    [
        pa.field("verdict", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("seconds", pa.float64()),
        pa.field("memory_bytes", pa.int64()),
        pa.field("tier", pa.string()),
    ]
)
"""The columns that a run adds to those of a sample."""

RESULTS = pa.schema([*(field.with_nullable(True) for field in SAMPLES), *OUTCOME])
