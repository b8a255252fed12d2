"""Groups of documents with equal 128-bit hashes: of their bytes, or of their normalized text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.duplicates import Level
from schemas.fingerprints import HASH_BYTES
from transforms.deduplicate.decisions import LEVELS
from transforms.deduplicate.keep import Places

HashClaims = npt.NDArray[np.uint64]
"""uint64[n, 3]: both halves of a hash and the place of who has it, by the first half."""

CLAIM_BYTES = 24

GROUPED = np.dtype([("member", np.uint32), ("first", np.uint32), ("level", np.uint8)])
"""A document and the first of its group in keep order; the level is its number in ``LEVELS``."""

Groups = npt.NDArray[np.void]

PART_GROUPS = "groups/"
"""The folder of groups by part."""

NO_CLAIMS: HashClaims = np.zeros((0, 3), dtype=np.uint64)
NO_GROUPS: Groups = np.zeros(0, dtype=GROUPED)


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


def group_equal(claims: HashClaims) -> tuple[Places, Places]:
    """All but the first of each group in keep order, with the first of their group.

    Returns:
      ``members`` uint32[n] and ``firsts`` uint32[n], by hash.
    """
    claims = claims[np.lexsort((claims[:, 2], claims[:, 1], claims[:, 0]))]
    member = np.zeros(len(claims), dtype=np.bool_)
    member[1:] = (np.diff(claims[:, 0]) == 0) & (np.diff(claims[:, 1]) == 0)
    first = np.maximum.accumulate(np.where(member, 0, np.arange(len(claims))))
    places = claims[:, 2].astype(np.uint32)
    return places[member], places[first[member]]


def make_groups(members: Places, firsts: Places, level: Level) -> Groups:
    """Groups from their columns."""
    groups = np.empty(members.size, dtype=GROUPED)
    groups["member"], groups["first"] = members, firsts
    groups["level"] = LEVELS.index(level)
    return groups


def group_file(part: int) -> str:
    """The name of the array of groups of a part's documents."""
    return f"{PART_GROUPS}part-{part:05d}.npy"


def merge_groups(groups: Groups) -> Groups:
    """Groups of one part's documents by level and member; exact copies are in no other."""
    exact = groups["level"] == LEVELS.index(Level.EXACT)
    # The best of equal texts is the best of equal bytes too, so it is never a copy.
    copied = np.isin(groups["member"], groups["member"][exact])
    groups = groups[exact | ~copied]
    return groups[np.lexsort((groups["member"], groups["level"]))]


def groups_of_level(groups: Groups, level: Level) -> tuple[Places, Places]:
    """Members of groups of a level, ascending where `merge_groups` made them, and their firsts."""
    chosen = groups[groups["level"] == LEVELS.index(level)]
    return chosen["member"].copy(), chosen["first"].copy()
