"""The columns of ``attributes/syntax`` from texts of Python."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.syntax import SYNTAX
from transforms.buffers import Bytes, Offsets, binary_buffers
from transforms.compiled import compiled
from transforms.parse.lexer import lex_into, max_tokens
from transforms.parse.measures import COUNTS, count_lines, count_statements
from transforms.parse.recognizer import MAX_FRAMES, recognize

MAX_TEXT_BYTES = 16_000_000
"""Tokens take up to 24 bytes a byte of text; what is longer than this is not measured."""

_NUMBER_OF_COUNTS = len(COUNTS)


def measure_syntax(texts: pa.LargeBinaryArray, wanted: Collection[str]) -> pa.RecordBatch:
    """The columns of that name of texts of Python in UTF-8; all others are null."""
    unknown = set(wanted) - set(SYNTAX.names)
    if unknown:
        raise ValueError(f"no columns {sorted(unknown)}; there are {', '.join(SYNTAX.names)}")
    counted = bool(set(wanted) - {"parses"})
    data, offsets = binary_buffers(texts)
    verdicts, counts = _measure(data, offsets, "parses" in wanted, counted)
    count = dict(zip(COUNTS, counts.T, strict=True))
    code_lines = np.maximum(count["code_lines"], 1)
    values = {
        "parses": verdicts,
        "pass_line_share": count["pass_lines"] / code_lines,
        "import_line_share": count["import_lines"] / code_lines,
        "print_line_share": count["print_lines"] / code_lines,
        "docstring_share": count["docstring_characters"] / np.maximum(count["characters"], 1),
        "function_line_share": count["functions"] / code_lines,
        "trivial_function_line_share": count["trivial_functions"] / code_lines,
        "variables": count["variables"],
    }
    too_long = np.diff(offsets) > MAX_TEXT_BYTES
    columns = [
        pa.array(values[field.name], field.type, mask=too_long)
        if field.name in wanted
        else pa.nulls(len(texts), field.type)
        for field in SYNTAX
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SYNTAX)


@compiled
def _measure(
    data: Bytes, offsets: Offsets, recognized: bool, counted: bool
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Whether each text parses, and its counts: bool[texts] and int64[texts, counts]."""
    rows = offsets.size - 1
    verdicts = np.zeros(rows, dtype=np.bool_)
    counts = np.zeros((rows, _NUMBER_OF_COUNTS), dtype=np.int64)
    longest = 0
    for row in range(rows):
        size = offsets[row + 1] - offsets[row]
        if size <= MAX_TEXT_BYTES:
            longest = max(longest, size)
    # Only pages that are written to take memory.
    tokens = np.empty((max_tokens(longest), 4), dtype=np.int32)
    frames = np.empty((MAX_FRAMES, 3), dtype=np.int32)
    for row in range(rows):
        begin, end = offsets[row], offsets[row + 1]
        if end - begin > MAX_TEXT_BYTES:
            continue
        found = tokens[: lex_into(data, begin, end, tokens)]
        if recognized:
            verdicts[row] = recognize(found, frames)
        if counted:
            count_lines(data, begin, end, found, counts[row])
            count_statements(data, begin, found, counts[row])
    return verdicts, counts
