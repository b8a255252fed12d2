"""Fill-in-the-middle: documents whose middle stands at their end (Bavarian et al. 2022).

"Efficient Training of Language Models to Fill in the Middle", arXiv 2207.14255. A share of
the documents is cut into prefix, middle and suffix at two places, drawn uniformly and
independently (section 3). Each is then arranged in one of two orders:

- prefix, suffix, middle (section 3): ``<PRE> prefix <SUF> suffix <MID> middle``;
- suffix, prefix, middle (section 3.1), in the variant that shares its beginning with the
  other order, so that a model learns both together (appendix D):
  ``<PRE> <SUF> suffix <MID> prefix middle``.

Places are between tokens, or between characters, whose pieces are encoded one by one
(section 4.5). Documents are cut before they are packed into contexts: "document-level"
(section 4.4). What happens to a document depends on its key and the seed alone; a higher
rate cuts what a lower one does at the same places, and more.

For characters: `cut_texts`, encode the pieces, `join_pieces`. For tokens: `arrange_tokens`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.buffers import Bytes, Offsets, binary_buffers
from transforms.codepoints import count_code_points
from transforms.compiled import compiled
from transforms.draws import STEP, share_of
from transforms.shingles import mix
from transforms.tokenize.segments import (
    Numbers,
    Segments,
    join_segments,
    single_tokens,
    stack_segments,
)

Keys = npt.NDArray[np.uint64]
Orders = npt.NDArray[np.uint8]

WHOLE, PREFIX_FIRST, SUFFIX_FIRST = range(3)
"""Orders: a document that is not cut, and the two of one that is."""

_PIECES = 3
# Numbers of pieces in the text, and behind them of the tokens for prefix, suffix and middle.
_PREFIX_FIRST = (3, 0, 4, 2, 5, 1)
_SUFFIX_FIRST = (3, 4, 2, 5, 0, 1)


class CutLevel(StrEnum):
    """What a document is cut between."""

    TOKEN = "token"  # noqa: S105 - a level and no secret
    CHARACTER = "character"


@dataclass(frozen=True)
class FimOptions:
    """How many documents are cut, and how.

    ``rate`` is the share of documents that are cut, ``spm_rate`` the share of those that are
    in the order suffix, prefix, middle. One half of each is what the paper trains with
    (sections 4.2 and 4.3), and characters are what does best (section 4.5).
    """

    rate: float = 0.5
    spm_rate: float = 0.5
    level: CutLevel = CutLevel.CHARACTER
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("rate", "spm_rate"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise ValueError(f"{name} must be a share from 0 to 1, got {share!r}")
        if not isinstance(self.level, CutLevel):
            raise ValueError(
                f"level must be a CutLevel ({' or '.join(CutLevel)}), got {self.level!r}"
            )


@dataclass(frozen=True)
class FimTokens:
    """The ids of the special tokens before a prefix, a suffix and a middle."""

    prefix: int
    suffix: int
    middle: int


def arrange_tokens(
    documents: Segments, keys: Keys, options: FimOptions, tokens: FimTokens
) -> Segments:
    """Documents of which some are cut between tokens and arranged; the others stay.

    Args:
      documents: the tokens of each document. One without tokens stays as it is; one of a
        single token has it in any of its pieces.
      keys: uint64[documents], which identify documents by their content.

    Raises:
      ValueError: there is not one key for each document.
    """
    orders, cuts = _draw(np.diff(documents.offsets), keys, options)
    offsets = _cut(documents.offsets, orders, cuts)
    return join_pieces(Segments(documents.ids, offsets), orders, tokens)


def cut_texts(
    texts: pa.LargeBinaryArray, keys: Keys, options: FimOptions
) -> tuple[pa.LargeBinaryArray, Orders]:
    """Texts of which some are cut between characters, to be encoded and then joined.

    Args:
      texts: UTF-8, cut between code points. An empty text stays whole; one of a single code
        point has it in any of its pieces.
      keys: uint64[texts], which identify texts by their content.

    Returns:
      ``pieces``, three for each text that is cut and one for any other, in the order of the
      texts and without a copy of them, and ``orders`` uint8[texts], for `join_pieces`.

    Raises:
      ValueError: there is not one key for each text.
    """
    data, offsets = binary_buffers(texts)
    orders, cuts = _draw(_count_characters(data, offsets), keys, options)
    _find_characters(data, offsets, orders, cuts)
    ends = _cut(offsets, orders, cuts)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(data)]
    pieces = pa.LargeBinaryArray.from_buffers(pa.large_binary(), ends.size - 1, buffers)
    return pieces, orders


def join_pieces(pieces: Segments, orders: Orders, tokens: FimTokens) -> Segments:
    """The documents of encoded pieces, those that were cut arranged with special tokens.

    Args:
      pieces: the tokens of each of the pieces of `cut_texts`.
      orders: uint8[documents], of `cut_texts`.

    Raises:
      ValueError: the pieces are not as many as the orders ask for.
    """
    counts = np.where(orders == WHOLE, 1, _PIECES)
    firsts = np.cumsum(counts) - counts
    if pieces.size != counts.sum():
        raise ValueError(f"the orders ask for {counts.sum()} pieces, got {pieces.size}")
    special = single_tokens(tokens.prefix, tokens.suffix, tokens.middle)
    widths = np.where(orders == WHOLE, 1, len(_PREFIX_FIRST))
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(widths)])
    numbers = np.empty(ends[-1], np.int64)
    numbers[ends[:-1]] = firsts
    for order, layout in ((PREFIX_FIRST, _PREFIX_FIRST), (SUFFIX_FIRST, _SUFFIX_FIRST)):
        rows = np.flatnonzero(orders == order)
        for place, number in enumerate(layout):
            base = firsts[rows] if number < _PIECES else pieces.size - _PIECES
            numbers[ends[rows] + place] = base + number
    return join_segments(stack_segments(pieces, special), numbers, ends)


def _cut(offsets: Offsets, orders: Orders, cuts: Numbers) -> Offsets:
    """The offsets of pieces: those of documents, with two more in each that is cut."""
    counts = np.where(orders == WHOLE, 1, _PIECES)
    firsts = np.cumsum(counts) - counts
    ends = np.empty(counts.sum() + 1, np.int64)
    ends[firsts] = offsets[:-1]
    ends[-1] = offsets[-1]
    rows = np.flatnonzero(orders != WHOLE)
    for place in range(_PIECES - 1):
        ends[firsts[rows] + place + 1] = offsets[rows] + cuts[rows, place]
    return ends


def _draw(lengths: Numbers, keys: Keys, options: FimOptions) -> tuple[Orders, Numbers]:
    """Of each document the order, and where it is cut: int64[documents, 2], ascending."""
    if keys.shape != lengths.shape:
        raise ValueError(f"got {lengths.size} documents and {keys.size} keys")
    seed = np.uint64(options.seed % 2**64)
    return _draw_cuts(lengths, keys, seed, float(options.rate), float(options.spm_rate))


@compiled
def _draw_cuts(
    lengths: Numbers, keys: Keys, seed: np.uint64, rate: float, spm_rate: float
) -> tuple[Orders, Numbers]:
    orders = np.zeros(lengths.size, dtype=np.uint8)
    cuts = np.zeros((lengths.size, 2), dtype=np.int64)
    start = mix(seed + STEP)
    for row in range(lengths.size):
        state = mix(start ^ keys[row])
        if lengths[row] == 0 or share_of(mix(state + STEP)) >= rate:
            continue
        suffix_first = share_of(mix(state + np.uint64(2) * STEP)) < spm_rate
        orders[row] = SUFFIX_FIRST if suffix_first else PREFIX_FIRST
        # Both ends are places too; of 2^64 numbers so few places take equal shares.
        places = np.uint64(lengths[row] + 1)
        one = np.int64(mix(state + np.uint64(3) * STEP) % places)
        other = np.int64(mix(state + np.uint64(4) * STEP) % places)
        cuts[row, 0] = min(one, other)
        cuts[row, 1] = max(one, other)
    return orders, cuts


@compiled
def _count_characters(data: Bytes, offsets: Offsets) -> Numbers:
    counts = np.empty(offsets.size - 1, dtype=np.int64)
    for row in range(counts.size):
        counts[row] = count_code_points(data, offsets[row], offsets[row + 1])
    return counts


@compiled
def _find_characters(data: Bytes, offsets: Offsets, orders: Orders, cuts: Numbers) -> None:
    """Makes cuts in code points cuts in bytes."""
    for row in range(orders.size):
        if orders[row] == WHOLE:
            continue
        begin, end = offsets[row], offsets[row + 1]
        first = _skip_characters(data, begin, end, cuts[row, 0])
        second = _skip_characters(data, first, end, cuts[row, 1] - cuts[row, 0])
        cuts[row, 0], cuts[row, 1] = first - begin, second - begin


@compiled
def _skip_characters(data: Bytes, place: int, end: int, count: int) -> int:
    """Where the code point begins that so many are before, from the begin of one on."""
    while place < end:
        # Bytes that go on with a code point begin with the bits 10.
        count -= data[place] & 0xC0 != 0x80
        if count < 0:
            break
        place += 1
    return place
