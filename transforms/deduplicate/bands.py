"""Locality-sensitive hashing of MinHash signatures in bands (Leskovec et al., section 3.4).

Two documents of Jaccard similarity J share at least one of ``bands`` bands of ``rows``
values with probability 1 - (1 - J^rows)^bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from transforms.compiled import compiled
from transforms.shingles import Hashes, mix

# A false candidate costs microseconds because every candidate is verified; a missed
# pair is a duplicate that stays. So misses weigh nearly everything.
FALSE_POSITIVE_WEIGHT = 0.01

HIGHEST_OPTIMIZED = 0.99
"""Above this the optimizer ends at one or two long bands, which datasketch refuses or
which miss too much; four bands let documents of a similarity of .995 meet with .99."""


@dataclass(frozen=True)
class Banding:
    """How a signature is cut: the first ``bands * rows`` values, in bands of ``rows``."""

    bands: int
    rows: int


@cache
def optimal_banding(threshold: float, permutations: int) -> Banding:
    """The bands and rows that datasketch's optimizer finds for a threshold.

    Raises:
      ValueError: the threshold is not in (0, 1] or there are too few permutations.
    """
    from datasketch import MinHashLSH  # a second of imports that only this stage needs

    if HIGHEST_OPTIMIZED < threshold <= 1:
        return Banding(4, permutations // 4)
    weights = (FALSE_POSITIVE_WEIGHT, 1 - FALSE_POSITIVE_WEIGHT)
    index = MinHashLSH(threshold=threshold, num_perm=permutations, weights=weights)
    return Banding(index.b, index.r)


def hash_bands(signatures: npt.NDArray[np.uint32], banding: Banding) -> Hashes:
    """One hash for each band of each signature.

    Args:
      signatures: uint32[documents, permutations].
      banding: must not need more values than there are permutations.

    Returns:
      uint64[documents, bands]; different bands never share a hash on purpose.
    """
    needed = banding.bands * banding.rows
    if needed > signatures.shape[1]:
        raise ValueError(f"{banding} needs {needed} values, signatures have {signatures.shape[1]}")
    return _hash_bands(signatures, banding.bands, banding.rows)


@compiled
def _hash_bands(signatures: npt.NDArray[np.uint32], bands: int, rows: int) -> Hashes:
    hashes = np.empty((signatures.shape[0], bands), dtype=np.uint64)
    for document in range(signatures.shape[0]):
        for band in range(bands):
            value = mix(np.uint64(band + 1))
            for row in range(rows):
                value = mix(value ^ np.uint64(signatures[document, band * rows + row]))
            hashes[document, band] = value
    return hashes


def find_buckets(keys: Hashes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The places of equal keys, for keys that occur at least twice.

    Returns:
      ``places`` int64[n], indexes into ``keys`` grouped by key, and ``offsets``
      int64[buckets + 1]: the places of bucket i are ``places[offsets[i]:offsets[i + 1]]``.
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    boundaries = np.flatnonzero(np.diff(ordered)) + 1
    starts = np.concatenate(([0], boundaries)).astype(np.int64)
    sizes = np.diff(np.concatenate((starts, [keys.size])))
    shared = sizes > 1 if keys.size else np.zeros(0, dtype=np.bool_)
    member = np.repeat(shared, sizes) if keys.size else np.zeros(0, dtype=np.bool_)
    offsets = np.concatenate(([0], np.cumsum(sizes[shared] if keys.size else [])))
    return order[member], offsets.astype(np.int64)
