"""Sketches: signatures in two bits a value, to refuse pairs that are surely too unlike.

Two equal values of two signatures have equal sketches, two unequal ones with probability
1/4 (b-bit minwise hashing, Li and Koenig 2010). So of two documents of Jaccard similarity J
the number of equal places is binomial with p = J + (1 - J) / 4. A pair with fewer equal
places than all but one in ``1 / MISTAKES`` pairs at the threshold is refused. Sketches
never accept: signatures are public functions of a text, and one can be made to order.
"""

from __future__ import annotations

from math import exp, lgamma, log

import numpy as np
import numpy.typing as npt

from transforms.compiled import allocation_free, compiled

MISTAKES = 1e-7
"""The share of pairs at the threshold that may be refused."""

BITS = 2
PLACES_PER_WORD = 64 // BITS

Sketches = npt.NDArray[np.uint64]

# Knuth's multiplier: the upper bits of a product depend on every bit of the value.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_LOW_BITS = np.uint64(0x5555555555555555)


@compiled
def sketch_signatures(signatures: npt.NDArray[np.uint32]) -> Sketches:
    """The sketch of each signature: uint64[documents, ceil(permutations / 32)]."""
    rows, permutations = signatures.shape
    words = (permutations + PLACES_PER_WORD - 1) // PLACES_PER_WORD
    sketches = np.zeros((rows, words), dtype=np.uint64)
    for row in range(rows):
        for place in range(permutations):
            bits = (np.uint64(signatures[row, place]) * _SPREAD) >> np.uint64(64 - BITS)
            shift = np.uint64(BITS * (place % PLACES_PER_WORD))
            sketches[row, place // PLACES_PER_WORD] |= bits << shift
    return sketches


@allocation_free
def count_unequal(left: Sketches, right: Sketches) -> np.int64:
    """In how many places two sketches differ."""
    total = np.uint64(0)
    for word in range(left.size):
        bits = left[word] ^ right[word]
        bits = (bits | (bits >> np.uint64(1))) & _LOW_BITS
        # Sums in fields of 2, 4 and 8 bits, then of all bytes at once.
        bits = (bits & np.uint64(0x3333333333333333)) + (
            (bits >> np.uint64(2)) & np.uint64(0x3333333333333333)
        )
        bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        total += (bits * np.uint64(0x0101010101010101)) >> np.uint64(56)
    return np.int64(total)


def most_unequal(threshold: float, permutations: int) -> int:
    """In how many places two sketches may differ before the pair is refused."""
    unequal = (1 - threshold) * (1 - 2.0**-BITS)
    if unequal <= 0:
        return 0
    tail = 0.0
    for count in range(permutations, -1, -1):
        tail += exp(
            lgamma(permutations + 1)
            - lgamma(count + 1)
            - lgamma(permutations - count + 1)
            + count * log(unequal)
            + (permutations - count) * log(1 - unequal)
        )
        if tail > MISTAKES:
            return count
    return 0
