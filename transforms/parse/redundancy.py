"""The columns of ``attributes/redundancy`` from texts in any language."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.redundancy import CHARACTERS_PER_TOKEN, REDUNDANCY
from transforms.buffers import binary_buffers
from transforms.parse.ngrams import Shares, repeated_shares
from transforms.tokenizers.engines import Engine

_SHARES = tuple(name for name in REDUNDANCY.names if name != CHARACTERS_PER_TOKEN)
"""In the order of what `repeated_shares` gives."""


def measure_redundancy(
    texts: pa.LargeBinaryArray, wanted: Collection[str], engine: Engine | None
) -> pa.RecordBatch:
    """The wanted columns of UTF-8 texts; all others are null.

    Args:
      engine: makes the tokens of ``characters_per_token``; None where that is not wanted.
    """
    columns = {name: pa.nulls(len(texts), pa.float64()) for name in REDUNDANCY.names}
    if asked := [name for name in _SHARES if name in wanted]:
        shares: Shares = repeated_shares(*binary_buffers(texts))
        columns |= {name: pa.array(shares[:, _SHARES.index(name)]) for name in asked}
    if engine is not None:
        columns[CHARACTERS_PER_TOKEN] = _characters_per_token(texts, engine)
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=REDUNDANCY)


def _characters_per_token(texts: pa.LargeBinaryArray, engine: Engine) -> pa.DoubleArray:
    _, ends = engine.encode(texts)
    tokens = np.diff(ends)
    characters = pc.utf8_length(texts.cast(pa.large_string())).to_numpy()
    return pa.array(characters / np.maximum(tokens, 1), mask=tokens == 0)
