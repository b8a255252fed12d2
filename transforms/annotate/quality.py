"""Quality signals of source text, as numbers: what the filters of Codex decide by.

Codex (arXiv 2107.03374, section 3.1) left out files that were likely auto-generated,
had an average line length over 100, a maximum line length over 1000, or a small
share of alphanumeric characters. Thresholds live in the configuration, not here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.quality import QUALITY
from transforms.buffers import Bytes, Offsets, binary_buffers
from transforms.compiled import compiled

HEAD_BYTES = 1_000
"""Evidence of generation counts where a reader would look for it: at the top."""

_GENERATED = (
    r"(?im)"
    r"\bauto-?generated\b|\bautomatically[ -]generated\b|\bgenerated automatically\b"
    r"|@generated\b|\bdo not (?:edit|modify)\b"
    r"|^[ \t]*(?:#|//|/?\*|--)[^\n]*\bgenerated (?:by|from|with)\b"
)

_NEWLINE = ord("\n")
_RETURN = ord("\r")


def measure_quality(contents: pa.LargeBinaryArray) -> pa.RecordBatch:
    """The quality signals of UTF-8 texts, in the schema of ``attributes/quality``.

    A line ends at a line feed or at the end of the text; neither line feeds nor
    carriage returns count towards its length, which is in code points, as are
    ``characters``. Alphanumeric are ASCII letters and digits and all code points
    beyond ASCII. A text without lines has means and shares of 0.
    """
    counts = count_characters(*binary_buffers(contents))
    characters, lines, line_characters, longest, alphanumeric = counts.T
    head = pc.binary_slice(contents, 0, HEAD_BYTES)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(characters),
            pa.array(lines),
            pa.array(line_characters / np.maximum(lines, 1)),
            pa.array(longest),
            pa.array(alphanumeric / np.maximum(characters, 1)),
            pc.count_substring_regex(head, _GENERATED).cast(pa.int64()),
        ],
        schema=QUALITY,
    )


def count_characters(data: Bytes, offsets: Offsets) -> npt.NDArray[np.int64]:
    """Counts over UTF-8 texts.

    Returns:
      int64[texts, 5]: code points, lines, code points that are not line ends,
      code points of the longest line, alphanumeric code points.
    """
    if offsets.size == 0:
        raise ValueError("offsets need at least one entry")
    return _count_characters(data, offsets)


@compiled
def _count_characters(data: Bytes, offsets: Offsets) -> npt.NDArray[np.int64]:
    rows = offsets.size - 1
    counts = np.zeros((rows, 5), dtype=np.int64)
    for row in range(rows):
        characters = 0
        lines = 0
        ends = 0
        line = 0
        longest = 0
        alphanumeric = 0
        for position in range(offsets[row], offsets[row + 1]):
            byte = data[position]
            if byte & 0xC0 == 0x80:
                continue
            characters += 1
            if byte == _NEWLINE:
                longest = max(longest, line)
                lines += 1
                ends += 1
                line = 0
                continue
            if byte == _RETURN:
                ends += 1
                continue
            line += 1
            letter = (byte | 0x20) - 0x61
            if byte >= 0x80 or 0x30 <= byte <= 0x39 or 0 <= letter < 26:
                alphanumeric += 1
        if offsets[row + 1] > offsets[row] and data[offsets[row + 1] - 1] != _NEWLINE:
            longest = max(longest, line)
            lines += 1
        counts[row, 0] = characters
        counts[row, 1] = lines
        counts[row, 2] = characters - ends
        counts[row, 3] = longest
        counts[row, 4] = alphanumeric
    return counts
