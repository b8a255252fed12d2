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
from transforms.deduplicate.keep import Places
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


def claim_bands(signatures: Signatures, places: Places, banding: Banding) -> Claims:
    """Who has which band: one claim for each band of each signature.

    Args:
      signatures: uint32[documents, permutations].
      places: uint32[documents].
      banding: as for `hash_bands`.

    Returns:
      uint64[bands, documents], each row ascending.
    """
    shift = np.uint64(PLACE_BITS)
    claims: Claims = np.ascontiguousarray(hash_bands(signatures, banding).T) >> shift << shift
    claims |= places.astype(np.uint64)
    claims.sort(axis=1)
    return claims


def shared_claims(claims: Claims) -> Claims:
    """The claims, ascending, whose band somebody else has too."""
    ordered = np.sort(claims)
    same = np.diff(ordered >> np.uint64(PLACE_BITS)) == 0
    member = np.zeros(ordered.size, dtype=np.bool_)
    member[1:] = same
    member[:-1] |= same
    return ordered[member]
