"""The text of HTML that a reader sees, by its bytes alone.

StarCoder (arXiv 2305.06161, section 3.1) keeps HTML files with at least 20 % of visible
text that is at least 100 characters: what a parser's tree has outside of tags, comments,
scripts and styles.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.buffers import Bytes, Offsets
from transforms.compiled import allocation_free, compiled

_LESS, _GREATER, _BANG, _DASH, _SLASH = 0x3C, 0x3E, 0x21, 0x2D, 0x2F
_SCRIPT = np.array(list(b"script"), dtype=np.uint8)
_STYLE = np.array(list(b"style"), dtype=np.uint8)


def count_visible_characters(
    data: Bytes, offsets: Offsets, chosen: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """int64[texts]: code points of visible text of the chosen texts, 0 for others.

    White space counts, and a reference such as ``&amp;`` counts by its characters. What
    opens and does not close goes on to the end of the text.
    """
    if chosen.size != offsets.size - 1:
        raise ValueError(f"got {chosen.size} choices and {offsets.size - 1} texts")
    return _count_visible(data, offsets, chosen, _SCRIPT, _STYLE)


@compiled
def _count_visible(
    data: Bytes, offsets: Offsets, chosen: npt.NDArray[np.bool_], script: Bytes, style: Bytes
) -> npt.NDArray[np.int64]:
    rows = offsets.size - 1
    found = np.zeros(rows, dtype=np.int64)
    for row in range(rows):
        if not chosen[row]:
            continue
        text = data[offsets[row] : offsets[row + 1]]
        at = 0
        while at < text.size:
            if _opens(text, at):
                at = _skip_tag(text, at, script, style)
            else:
                found[row] += text[at] & 0xC0 != 0x80
                at += 1
    return found


@allocation_free
def _opens(text: Bytes, at: int) -> bool:
    """Whether a tag or a comment begins here, rather than a comparison."""
    if text[at] != _LESS or at + 1 == text.size:
        return False
    byte = text[at + 1]
    # Letters, /, ! and ?.
    return bool(0x61 <= byte | 0x20 <= 0x7A or byte in (_SLASH, _BANG, 0x3F))


@allocation_free
def _skip_tag(text: Bytes, at: int, script: Bytes, style: Bytes) -> int:
    """Where a tag, a comment or all of a script or style ends."""
    if at + 3 < text.size and text[at + 1] == _BANG and text[at + 2] == _DASH == text[at + 3]:
        at += 4
        while at < text.size and not (
            text[at] == _GREATER and text[at - 1] == _DASH == text[at - 2]
        ):
            at += 1
        return at + 1
    hidden = 0
    if _names(text, at + 1, script):
        hidden = 1
    elif _names(text, at + 1, style):
        hidden = 2
    at = _end_of_tag(text, at)
    if hidden:
        name = script if hidden == 1 else style
        while at + 1 < text.size and not (
            text[at] == _LESS and text[at + 1] == _SLASH and _names(text, at + 2, name)
        ):
            at += 1
        at = _end_of_tag(text, at) if at + 1 < text.size else text.size
    return at


@allocation_free
def _end_of_tag(text: Bytes, at: int) -> int:
    while at < text.size and text[at] != _GREATER:
        at += 1
    return at + 1


@allocation_free
def _names(text: Bytes, at: int, name: Bytes) -> bool:
    """Whether this name stands here, in any case, and ends."""
    if at + name.size >= text.size:
        return False
    for letter in range(name.size):
        if text[at + letter] | 0x20 != name[letter]:
            return False
    byte = text[at + name.size]
    return bool(byte in (_GREATER, _SLASH, 0x20) or 9 <= byte <= 13)
