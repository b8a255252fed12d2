"""What tells a dropped document from the kept one, line by line."""

from __future__ import annotations

import difflib
from itertools import islice

MAX_LINES = 20_000
"""Comparing takes time with the square of the lines; code of this length is generated."""
MAX_SHOWN = 200


def unified_diff(kept: bytes, dropped: bytes, names: tuple[str, str]) -> list[str]:
    """The lines of a unified diff from the kept text to the dropped one, at most `MAX_SHOWN`.

    Line ends are part of what is compared, and shown where they are not line feeds.
    """
    sides = [text.decode("utf-8", "replace").split("\n") for text in (kept, dropped)]
    if max(map(len, sides)) > MAX_LINES:
        return [f"more than {MAX_LINES:,} lines: too many to compare here"]
    lines = difflib.unified_diff(sides[0], sides[1], names[0], names[1], lineterm="", n=2)
    shown = list(islice(lines, MAX_SHOWN))
    rest = sum(1 for _ in lines)
    return [*shown, f"... {rest:,} more lines"] if rest else shown
