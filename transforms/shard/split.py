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
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.compiled import compiled
from transforms.shingles import Hashes

Codes = npt.NDArray[np.int64]
Links = npt.NDArray[np.uint64]
"""uint64[links, 2]: pairs of hashes of repositories that are on one side."""


def hash_repository(repository: str, seed: int) -> int:
    """A repository's place in [0, 2^64), by its name and a seed."""
    digest = hashlib.sha256(f"{seed}\0{repository}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


class Joined(NamedTuple):
    """What clusters say of repositories: ``links`` among them, each once.

    ``clusters`` uint64[clusters] has each cluster once, ``repositories`` the least of its
    repositories: what is joined elsewhere by the same cluster is joined with this one.
    """

    links: Links
    clusters: Hashes
    repositories: Hashes


def link_repositories(clusters: Hashes, repositories: Hashes) -> Joined:
    """Joins the repositories of each cluster.

    Args:
      clusters: uint64[documents], the duplicate cluster of each.
      repositories: uint64[documents], the hash of each one's repository.
    """
    order = np.lexsort((repositories, clusters))
    clusters, repositories = clusters[order], repositories[order]
    begins = np.ones(order.size, np.bool_)
    begins[1:] = clusters[1:] != clusters[:-1]
    joined = np.flatnonzero(~begins[1:] & (repositories[1:] != repositories[:-1]))
    links = np.stack([repositories[joined], repositories[joined + 1]], axis=1)
    return Joined(_distinct(links), clusters[begins], repositories[begins])


def _distinct(links: Links) -> Links:
    links = links[np.lexsort(links.T)]
    begins = np.ones(len(links), np.bool_)
    begins[1:] = (links[1:] != links[:-1]).any(axis=1)
    return np.asarray(links[begins])


def choose_validation(
    sections: Sequence[Hashes], links: Sequence[Links], fraction: float
) -> Iterator[npt.NDArray[np.bool_]]:
    """Which repositories validate, bool[repositories] for each section.

    In memory are one section, one of the arrays of links, and 16 bytes of each repository
    that any of them has.

    Args:
      sections: uint64[repositories] each, their hashes.
      links: between repositories of any sections.
      fraction: of repositories, in expectation where none are joined; 0 for no validation
        at all.

    Raises:
      ValueError: the fraction would leave nothing to train on.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"validation fraction must be at least 0 and below 1, got {fraction}")
    linked, components = _join(links)
    ends = [
        end
        for hashes in sections
        if hashes.size
        for end in _range_of(_components_of(hashes, linked, components))
    ]
    for hashes in sections:
        own = _components_of(hashes, linked, components)
        validates = own < np.uint64(int(fraction * 2**64))
        validates |= own == np.uint64(min(ends, default=0))
        validates &= own != np.uint64(max(ends, default=0))
        yield validates & (fraction > 0)


def _range_of(hashes: Hashes) -> tuple[int, int]:
    return int(hashes.min()), int(hashes.max())


def _components_of(hashes: Hashes, linked: Hashes, components: Hashes) -> Hashes:
    """The largest of the hashes that each is joined with, over any others."""
    if not linked.size:
        return hashes
    places = np.minimum(np.searchsorted(linked, hashes), linked.size - 1)
    return np.where(linked[places] == hashes, components[places], hashes)


def _join(links: Sequence[Links]) -> tuple[Hashes, Hashes]:
    """All hashes that are linked, ascending, and the largest that each is joined with."""
    linked = np.zeros(0, np.uint64)
    for each in links:
        linked = np.union1d(linked, each)
    parents = np.arange(linked.size)
    for each in links:
        _unite(parents, np.searchsorted(linked, each[:, 0]), np.searchsorted(linked, each[:, 1]))
    _shorten(parents)
    return linked, linked[parents]


@compiled
def _unite(parents: Codes, ones: Codes, others: Codes) -> None:
    for link in range(ones.size):
        one = _find_root(parents, ones[link])
        other = _find_root(parents, others[link])
        # The last one is the root, so that roots do not depend on the order of unions.
        parents[min(one, other)] = max(one, other)


@compiled
def _shorten(parents: Codes) -> None:
    for place in range(parents.size):
        parents[place] = _find_root(parents, place)


@compiled
def _find_root(parents: Codes, place: int) -> int:
    """Follows parents to the last one; shortens the way to it."""
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place
