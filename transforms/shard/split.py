"""The train/validation split: whole repositories, by a hash of their names.

Only the kept document of a duplicate cluster is selected, so that a cluster is on
the side of that document's repository and on no other. A repository's side depends
on its own name and the seed, so that adding repositories moves no others, with two
exceptions: the one with the smallest hash always validates and the one with the
largest always trains, lest a small run have nothing on one side.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from transforms.shingles import Hashes


def hash_repository(repository: str, seed: int) -> int:
    """A repository's place in [0, 2^64), by its name and a seed."""
    digest = hashlib.sha256(f"{seed}\0{repository}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def choose_validation(hashes: Hashes, fraction: float) -> npt.NDArray[np.bool_]:
    """Which documents validate, from the hashes of their repositories.

    Args:
      hashes: uint64[documents].
      fraction: of repositories, in expectation; 0 for no validation at all.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"validation fraction must be at least 0 and below 1, got {fraction}")
    if fraction == 0 or np.unique(hashes).size < 2:
        return np.zeros(hashes.size, dtype=np.bool_)
    limit = np.uint64(int(fraction * 2**64))
    validates = (hashes < limit) | (hashes == hashes.min())
    validates[hashes == hashes.max()] = False
    return np.asarray(validates, dtype=np.bool_)
