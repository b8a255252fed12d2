"""Copies of repositories: how many files of each have their duplicate in one other.

Files are duplicates of each other here if they are in one cluster. In each cluster a
repository is held against the ``MOST_REPOSITORIES`` best of it, so that a file that all
repositories have (an empty one) costs linear work.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.duplicates import COPIES, NOTABLE_SHARE
from transforms.deduplicate.ascending import begins
from transforms.deduplicate.keep import Numbers, Places

MOST_REPOSITORIES = 16


@dataclass(frozen=True)
class SharedFiles:
    """Pairs of repositories with files in common, by number in keep order.

    ``better`` comes before ``repository``, which has ``shared`` files with a duplicate
    there; ``reverse`` files of the better one have a duplicate here. All int64[pairs].
    """

    repository: Numbers
    better: Numbers
    shared: Numbers
    reverse: Numbers


def count_shared(clusters: Places, owners: Numbers, names: Numbers) -> SharedFiles:
    """Counts shared files of repositories of different names.

    Args:
      clusters: uint32[documents].
      owners: int64[documents], the number of each document's repository.
      names: int64[repositories], equal for revisions of one repository.
    """
    keys, files = np.unique(
        clusters.astype(np.int64) << 32 | owners.astype(np.int64), return_counts=True
    )
    cluster, owner = keys >> 32, keys & 0xFFFFFFFF
    first = np.maximum.accumulate(np.where(begins(cluster), np.arange(keys.size), 0))
    pairs = np.zeros(0, dtype=np.int64)
    counts = np.zeros((2, 0), dtype=np.int64)
    for shift in range(MOST_REPOSITORIES):
        behind = np.flatnonzero(np.arange(keys.size) > first + shift)
        ahead = first[behind] + shift
        other = names[owner[behind]] != names[owner[ahead]]
        behind, ahead = behind[other], ahead[other]
        pairs = np.concatenate((pairs, owner[behind] << 32 | owner[ahead]))
        counts = np.concatenate((counts, np.stack((files[behind], files[ahead]))), axis=1)
        pairs, inverse = np.unique(pairs, return_inverse=True)
        counts = np.stack([_sum(inverse, each, pairs.size) for each in counts])
    return SharedFiles(pairs >> 32, pairs & 0xFFFFFFFF, counts[0], counts[1])


def _sum(places: Numbers, values: Numbers, size: int) -> Numbers:
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, places, values)
    return total


def largest_shares(shared: SharedFiles, files: Numbers) -> npt.NDArray[np.float32]:
    """float32[repositories]: the largest share of its files in one better repository."""
    shares = np.zeros(files.size, dtype=np.float32)
    np.maximum.at(shares, shared.repository, shared.shared / files[shared.repository])
    return shares


def describe_copies(shared: SharedFiles, files: Numbers, named: pa.Table) -> pa.RecordBatch:
    """The rows of ``copies``.

    Args:
      shared: pairs of repositories.
      files: int64[repositories], how many each has.
      named: ``repository`` and ``revision`` of each repository in keep order.
    """
    pairs = _notable_pairs(shared, files)
    own, other = shared.repository[pairs], shared.better[pairs]
    columns = [
        *named.take(pa.array(own)).combine_chunks().columns,
        files[own],
        *named.take(pa.array(other)).combine_chunks().columns,
        files[other],
        shared.shared[pairs],
        (shared.shared[pairs] / files[own]).astype(np.float32),
        (shared.reverse[pairs] / files[other]).astype(np.float32),
    ]
    batches = pa.table(columns, schema=COPIES).combine_chunks().to_batches()
    return pa.concat_batches([pa.RecordBatch.from_pylist([], schema=COPIES), *batches])


def _notable_pairs(shared: SharedFiles, files: Numbers) -> Numbers:
    """Which pairs are worth a row: the largest share of each repository, and large ones."""
    share = shared.shared / files[shared.repository]
    reverse = shared.reverse / files[shared.better]
    order = np.lexsort((shared.better, -share, shared.repository))
    notable = np.maximum(share, reverse) >= NOTABLE_SHARE
    notable[order[begins(shared.repository[order])]] = True
    return np.flatnonzero(notable)
