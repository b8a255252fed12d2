"""Bins of the funnel: who is in the one before all rules, and what each one holds."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from schemas.selection import SELECTED
from transforms.optout import OptOuts


def find_opted_out(repositories: pa.ChunkedArray, opt_outs: OptOuts) -> pa.BooleanArray:
    """For each document whether its repository is left out."""
    encoded = repositories.combine_chunks().dictionary_encode()
    left_out = pa.array(opt_outs.matches(encoded.dictionary.to_pylist()))
    return left_out.take(encoded.indices)


def count_bins(verdicts: pa.StringArray, sizes: pa.ChunkedArray) -> dict[str, int]:
    """Documents and bytes by rule, as ``documents.RULE`` and ``bytes.RULE``."""
    table = pa.table({"bin": pc.fill_null(verdicts, SELECTED), "size": sizes})
    grouped = table.group_by("bin").aggregate([("size", "count"), ("size", "sum")])
    counts: dict[str, int] = {}
    for row in grouped.to_pylist():
        counts[f"documents.{row['bin']}"] = row["size_count"]
        counts[f"bytes.{row['bin']}"] = row["size_sum"]
    return counts
