"""Claims of bands in files, so that whoever looks at a range of hashes reads one slice of each.

A file is a block for each range, one after another. A block is how many claims each band
has in the range, then these claims, band after band, ascending in each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transforms.deduplicate.ascending import cut_ranges
from transforms.deduplicate.bands import Claims
from transforms.deduplicate.keep import Numbers


def pack_blocks(claims: Claims, ranges: int) -> tuple[Claims, Numbers]:
    """The blocks of a file.

    Args:
      claims: uint64[bands, documents], each row ascending.
      ranges: how many blocks there are.

    Returns:
      uint64[ranges * bands + claims], and int64[ranges + 1], where each block begins and the
      last ends.
    """
    bands = claims.shape[0]
    sizes = np.diff([cut_ranges(band, ranges) for band in claims], axis=1).reshape(bands, ranges)
    totals = sizes.sum(axis=0)
    ends = np.concatenate(([0], np.cumsum(totals + bands)))
    blocks = np.empty(int(ends[-1]), dtype=np.uint64)
    heads = (ends[:-1, None] + np.arange(bands)).reshape(-1)
    blocks[heads] = sizes.T.reshape(-1)
    counts = np.ones(blocks.size, dtype=np.bool_)
    counts[heads] = False
    blocks[counts] = _transpose(claims.reshape(-1), sizes)
    return blocks, ends


def unpack_blocks(blocks: Sequence[Claims], bands: int) -> tuple[Claims, Numbers]:
    """The claims of several blocks, band after band.

    Returns:
      uint64[claims], ascending by block in each band, and int64[bands], how many each has.
    """
    sizes = np.array([block[:bands] for block in blocks], dtype=np.int64).reshape(-1, bands)
    claims = np.concatenate([np.zeros(0, np.uint64), *(block[bands:] for block in blocks)])
    return _transpose(claims, sizes), sizes.sum(axis=0)


def _transpose(values: Claims, sizes: Numbers) -> Claims:
    """Values that stand row by row of a matrix of so many in each cell, column by column."""
    if 1 in sizes.shape:
        return values
    ends = np.cumsum(sizes).reshape(sizes.shape)
    counts = sizes.T.reshape(-1)
    shift = (ends - sizes).T.reshape(-1) - (np.cumsum(counts) - counts)
    return values[np.repeat(shift, counts) + np.arange(values.size)]
