"""The train/validation split: whole repositories, by a hash of their names.

Repositories with documents in one duplicate cluster are joined, so that no document that
validates has a near copy that trains. What is joined validates only where each of its
repositories would do so alone: the other way around, one large component, as boilerplate
makes it, would nearly always be on the side of validation.

A repository's side depends on its own name, the seed and those it is joined with, so that
adding others moves it not, with two exceptions lest a small run have nothing on one side:
of the largest hashes of all components, that with the smallest one always validates and
that with the largest one always trains.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from transforms.compiled import compiled
from transforms.shingles import Hashes

Codes = npt.NDArray[np.int64]


def hash_repository(repository: str, seed: int) -> int:
    """A repository's place in [0, 2^64), by its name and a seed."""
    digest = hashlib.sha256(f"{seed}\0{repository}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def choose_validation(hashes: Hashes, clusters: Hashes, fraction: float) -> npt.NDArray[np.bool_]:
    """Which documents validate, bool[documents].

    Args:
      hashes: uint64[documents], of the documents' repositories.
      clusters: uint64[documents], the duplicate cluster of each; documents of one cluster
        are on one side.
      fraction: of repositories, in expectation where none are joined; 0 for no validation
        at all.

    Raises:
      ValueError: the fraction would leave nothing to train on.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"validation fraction must be at least 0 and below 1, got {fraction}")
    distinct, repositories = np.unique(hashes, return_inverse=True)
    if fraction == 0 or distinct.size < 2:
        return np.zeros(hashes.size, dtype=np.bool_)
    components = distinct[_join(repositories, clusters, distinct.size)]
    validates = components < np.uint64(int(fraction * 2**64))
    validates |= components == components.min()
    validates &= components != components.max()
    return np.asarray(validates[repositories], dtype=np.bool_)


def _join(repositories: Codes, clusters: Hashes, count: int) -> Codes:
    """int64[count]: the last of the repositories that each is joined with, over any others."""
    distinct, members = np.unique(clusters, return_inverse=True)
    return _unite(repositories, members, count, distinct.size)


@compiled
def _unite(repositories: Codes, clusters: Codes, count: int, cluster_count: int) -> Codes:
    parents = np.arange(count)
    first = np.full(cluster_count, -1)
    for document in range(repositories.size):
        cluster = clusters[document]
        if first[cluster] < 0:
            first[cluster] = repositories[document]
        one = _find_root(parents, first[cluster])
        other = _find_root(parents, repositories[document])
        # The last one is the root, so that roots do not depend on the order of unions.
        parents[min(one, other)] = max(one, other)
    for repository in range(count):
        parents[repository] = _find_root(parents, repository)
    return parents


@compiled
def _find_root(parents: Codes, place: int) -> int:
    """Follows parents to the last one; shortens the way to it."""
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place
