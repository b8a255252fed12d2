"""Samples: one row a completion that a model wrote for a problem, named by ``task_id``.

``logprob`` is the sum of the log-probabilities of the completion's tokens, natural ones,
and ``tokens`` their number. ``back_translation`` is the mean log-probability that a model
gives the problem's statement after the completion. What is not known is null.
"""

from __future__ import annotations

import pyarrow as pa

SAMPLES = pa.schema(
    [
        pa.field("task_id", pa.string(), nullable=False),
        pa.field("completion", pa.string(), nullable=False),
        pa.field("logprob", pa.float64()),
        pa.field("tokens", pa.int64()),
        pa.field("temperature", pa.float64()),
        pa.field("back_translation", pa.float64()),
    ]
)
