"""Heredocs: strings that begin on the line after their opener, of shell, Ruby, Perl and PHP.

An opener may as well be a shift. What decides is whether some line holds the closing word;
it is looked for a bounded number of times.
"""

from __future__ import annotations

import numpy as np

from transforms.buffers import Bytes
from transforms.compiled import allocation_free
from transforms.lexing.skips import (
    BACKSLASH,
    FAILURES,
    HEREDOCS,
    LINES,
    MAX_FAILURES,
    MAX_FENCE_BYTES,
    MAX_HEREDOCS,
    PENDING,
    State,
    is_line_end,
    is_word,
)
from transforms.lexing.tables import SPACED, TRAILED


@allocation_free
def skip_heredoc(data: Bytes, position: int, end: int, flags: int, state: State) -> int:
    """The end of a heredoc's opener; its text begins on the next line."""
    if position < end and data[position] == 0x3C:
        return position + 1
    place = position
    marked = place < end and (data[place] == 0x2D or data[place] == 0x7E)
    place += marked
    while flags & SPACED and place < end and (data[place] == 0x20 or data[place] == 0x09):
        place += 1
    if place == end or state[FAILURES] >= MAX_FAILURES or state[PENDING] == MAX_HEREDOCS:
        return position
    quote = data[place]
    quoted = quote == 0x22 or quote == 0x27
    place += quoted or quote == BACKSLASH
    start = place
    last = min(end, place + MAX_FENCE_BYTES)
    while place < last and (is_word(data[place]) or (quoted and data[place] != quote)):
        if is_line_end(data[place]):
            return position
        place += 1
    if place == start or (quoted and (place == end or data[place] != quote)):
        return position
    first = data[start]
    if 0x30 <= first <= 0x39:
        return position
    # Where shifts are written alike, a bare word in small letters is a variable.
    if not (quoted or marked or flags & SPACED) and not (0x41 <= first <= 0x5A or first == 0x5F):
        return position
    slot = HEREDOCS + 3 * state[PENDING]
    state[slot] = start
    state[slot + 1] = place
    state[slot + 2] = 2 if flags & TRAILED else np.int64(marked)
    state[PENDING] += 1
    return int(place + quoted)


@allocation_free
def skip_heredocs(data: Bytes, position: int, end: int, state: State) -> int:
    """The end of the heredocs that begin here; those that nothing closes are none."""
    for number in range(state[PENDING]):
        slot = HEREDOCS + 3 * number
        found = _heredoc_end(data, position, end, state[slot], state[slot + 1], state[slot + 2])
        if found < 0:
            state[FAILURES] += 1
        else:
            state[LINES] = 1
            position = found
    state[PENDING] = 0
    return position


@allocation_free
def _heredoc_end(data: Bytes, position: int, end: int, start: int, stop: int, style: int) -> int:
    """The end of the line's word that closes a heredoc, or -1."""
    while position < end:
        place = position
        while style and place < end and (data[place] == 0x20 or data[place] == 0x09):
            place += 1
        match = start
        while match < stop and place < end and data[place] == data[match]:
            place += 1
            match += 1
        if match == stop:
            if place == end or is_line_end(data[place]):
                return place
            if style == 2 and not is_word(data[place]):
                return place
        while position < end and not is_line_end(data[position]):
            position += 1
        position += 1
    return -1
