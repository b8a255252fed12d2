"""MinHash signatures of shingle sets (Broder 1997), straight from bytes.

Permutation i of a 64-bit shingle hash x is the upper half of ``x * a_i + b_i`` modulo
2^64 with odd ``a_i`` (multiply-shift, Dietzfelbinger et al. 1997). A signature holds the
smallest value under each permutation, so the share of equal places of two signatures
estimates the Jaccard similarity with a standard deviation of sqrt(J(1-J)/permutations).
A text without shingles has ``EMPTY_SIGNATURE`` throughout and is nobody's duplicate.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from schemas.fingerprints import EMPTY_SIGNATURE
from transforms.buffers import Bytes, Offsets
from transforms.compiled import compiled
from transforms.shingles import Hashes, hash_shingles, max_shingles

_EMPTY = np.uint32(EMPTY_SIGNATURE)

Signatures = npt.NDArray[np.uint32]


def permutation_constants(permutations: int, seed: int) -> tuple[Hashes, Hashes]:
    """The multipliers (odd) and summands of so many permutations, equal for equal seeds."""
    if permutations < 1:
        raise ValueError(f"permutations must be at least 1, got {permutations}")
    # PCG64's raw stream is a documented constant of NumPy, its distributions are not (NEP 19).
    raw = np.random.PCG64(seed).random_raw(2 * permutations).astype(np.uint64)
    return raw[:permutations] | np.uint64(1), raw[permutations:]


def sign_texts(
    data: Bytes, offsets: Offsets, multipliers: Hashes, summands: Hashes
) -> tuple[Signatures, npt.NDArray[np.int64]]:
    """The signature and the number of shingles, repeats included, of each text.

    Args:
      data: uint8[n], the texts.
      offsets: int64[texts + 1], where each text begins and ends.
      multipliers: uint64[permutations], odd.
      summands: uint64[permutations].

    Returns:
      ``signatures`` uint32[texts, permutations] and ``shingles`` int64[texts].
    """
    if multipliers.shape != summands.shape:
        raise ValueError(f"got {multipliers.size} multipliers and {summands.size} summands")
    return _sign_texts(data, offsets, multipliers, summands)


@compiled
def _sign_texts(
    data: Bytes, offsets: Offsets, multipliers: Hashes, summands: Hashes
) -> tuple[Signatures, npt.NDArray[np.int64]]:
    rows = offsets.size - 1
    permutations = multipliers.size
    signatures = np.full((rows, permutations), _EMPTY, dtype=np.uint32)
    shingles = np.zeros(rows, dtype=np.int64)
    longest = 0
    for row in range(rows):
        longest = max(longest, max_shingles(offsets[row + 1] - offsets[row]))
    scratch = np.empty(longest, dtype=np.uint64)
    for row in range(rows):
        count = hash_shingles(data, offsets[row], offsets[row + 1], scratch)
        shingles[row] = count
        signature = signatures[row]
        for index in range(count):
            value = scratch[index]
            for place in range(permutations):
                permuted = value * multipliers[place] + summands[place]
                signature[place] = min(signature[place], np.uint32(permuted >> np.uint64(32)))
    return signatures, shingles
