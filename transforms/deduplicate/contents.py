"""Groups of documents with equal 128-bit hashes: of their bytes, or of their normalized text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.fingerprints import HASH_BYTES
from transforms.deduplicate.ascending import hash_range
from transforms.deduplicate.keep import Places

HashClaims = npt.NDArray[np.uint64]
"""uint64[n, 3]: both halves of a hash and the place of who has it, by the first half."""

CLAIM_BYTES = 24


def claim_hashes(hashes: pa.FixedSizeBinaryArray, places: Places) -> HashClaims:
    """Who has which hash; a null is nobody's."""
    if hashes.type != pa.binary(HASH_BYTES):
        raise ValueError(f"expected {HASH_BYTES} bytes a hash, got {hashes.type}")
    values = np.frombuffer(hashes.buffers()[1] or b"", dtype=">u8").reshape(-1, 2)
    given = hashes.is_valid().to_numpy(zero_copy_only=False)
    claims = np.empty((int(given.sum()), 3), dtype=np.uint64)
    claims[:, :2] = values[hashes.offset : hashes.offset + len(hashes)][given]
    claims[:, 2] = places[given]
    return claims[np.argsort(claims[:, 0], kind="stable")]


def group_equal(parts: Sequence[HashClaims], ranges: int) -> tuple[Places, Places]:
    """All but the first of each group in keep order, with the first of their group.

    Args:
      parts: claims of parts, which may be memory maps.
      ranges: how many ranges of hashes are looked at one after another.

    Returns:
      ``members`` uint32[n], ascending, and ``firsts`` uint32[n].
    """
    found = [_group_range(parts, number, ranges) for number in range(ranges)]
    members = np.concatenate([each[0] for each in found])
    firsts = np.concatenate([each[1] for each in found])
    order = np.argsort(members)
    return members[order], firsts[order]


def _group_range(parts: Sequence[HashClaims], number: int, ranges: int) -> tuple[Places, Places]:
    chosen = [part[hash_range(part[:, 0], number, ranges)] for part in parts]
    claims = np.concatenate([np.empty((0, 3), dtype=np.uint64), *chosen])
    claims = claims[np.lexsort((claims[:, 2], claims[:, 1], claims[:, 0]))]
    member = np.zeros(len(claims), dtype=np.bool_)
    member[1:] = (np.diff(claims[:, 0]) == 0) & (np.diff(claims[:, 1]) == 0)
    first = np.maximum.accumulate(np.where(member, 0, np.arange(len(claims))))
    places = claims[:, 2].astype(np.uint32)
    return places[member], places[first[member]]
