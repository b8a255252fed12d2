"""Locality-sensitive hashing of MinHash signatures in bands (Leskovec et al., section 3.4).

Two documents of Jaccard similarity J share at least one of ``bands`` bands of ``rows``
values with probability 1 - (1 - J^rows)^bands. A claim says that a document has a band:
32 bits of the band's hash above the 32 bits of the document's place in keep order, so
that sorting the claims of one band brings together whoever shares it, best first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.compiled import compiled
from transforms.deduplicate.ascending import begins
from transforms.deduplicate.keep import Numbers, Places
from transforms.shingles import Hashes, mix

MEETING = 0.98
"""How probable it is at least that a pair of exactly the threshold's similarity meets."""

PLACE_BITS = 32

Claims = npt.NDArray[np.uint64]
Signatures = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Banding:
    """How a signature is cut: the first ``bands * rows`` values, in bands of ``rows``."""

    bands: int
    rows: int

    def meeting(self, similarity: float) -> float:
        """The probability that two documents of a similarity share a band."""
        return float(1 - (1 - similarity**self.rows) ** self.bands)


def optimal_banding(threshold: float, permutations: int) -> Banding:
    """The longest bands in which documents of the threshold's similarity surely meet.

    Longer bands bring fewer unlike documents together. Surely is a probability of
    ``MEETING``, or as near to it as single values come.

    Raises:
      ValueError: the threshold is not in (0, 1] or there are no permutations.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be above 0 and at most 1, got {threshold}")
    if permutations < 1:
        raise ValueError(f"permutations must be at least 1, got {permutations}")
    for rows in range(permutations, 1, -1):
        banding = Banding(permutations // rows, rows)
        if banding.meeting(threshold) >= MEETING:
            return banding
    return Banding(permutations, 1)


def hash_bands(signatures: Signatures, banding: Banding) -> Hashes:
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
def _hash_bands(signatures: Signatures, bands: int, rows: int) -> Hashes:
    hashes = np.empty((signatures.shape[0], bands), dtype=np.uint64)
    for document in range(signatures.shape[0]):
        for band in range(bands):
            value = mix(np.uint64(band + 1))
            for row in range(rows):
                value = mix(value ^ np.uint64(signatures[document, band * rows + row]))
            hashes[document, band] = value
    return hashes


def claim_bands(hashes: Hashes, places: Places) -> Claims:
    """Who has which band: one claim for each band of each document.

    Args:
      hashes: uint64[documents, bands], of `hash_bands`.
      places: uint32[documents].

    Returns:
      uint64[bands, documents], each row ascending.
    """
    shift = np.uint64(PLACE_BITS)
    claims: Claims = np.ascontiguousarray(hashes.T) >> shift << shift
    claims |= places.astype(np.uint64)
    claims.sort(axis=1)
    return claims


def number_buckets(claims: Claims, sizes: Numbers) -> Claims:
    """The claims whose band somebody else has too, by the number of their bucket.

    Args:
      claims: uint64[claims], band after band; sorted in place.
      sizes: int64[bands], how many claims each band has.

    Returns:
      uint64[shared claims], ascending: the number of the bucket above ``PLACE_BITS``, counted
      over all bands, and the place of a member below.
    """
    ends = np.cumsum(sizes)
    for start, end in zip((ends - sizes).tolist(), ends.tolist(), strict=True):
        claims[start:end].sort()
    fresh = begins(claims >> np.uint64(PLACE_BITS))
    # Equal hashes of two bands say nothing.
    fresh[(ends - sizes)[sizes > 0]] = True
    starts = np.flatnonzero(fresh)
    counts = np.diff(np.append(starts, claims.size))
    shared = counts > 1
    buckets = np.repeat(np.arange(int(shared.sum()), dtype=np.uint64), counts[shared])
    members = claims[np.repeat(shared, counts)].astype(np.uint32)
    return buckets << np.uint64(PLACE_BITS) | members
