"""How often each document of a split is in the shards, and what of each repository is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas import tables
from schemas.documents import ROW_BITS
from schemas.mixture import MIXTURE
from schemas.shards import Split
from transforms.parts import Workspace
from transforms.shard.measures import NO_GROUP, Mixture, read_repositories
from transforms.shard.mixture import count_copies, limit_repositories, weights_of_shares
from transforms.shard.split import hash_repository

Copies = npt.NDArray[np.int64]

MOST_TIMES = 1000
"""Shards hold at most so many times the tokens of the training documents."""


def copies_of_split(measures: pa.Table, split: Split, mixture: Mixture, seed: int) -> Copies:
    """int64[epochs, documents]: what each epoch has of each document.

    The validation split has one epoch, in which every document is once.

    Raises:
      ValueError: the mixture cannot be had from these documents; says why.
    """
    if split is Split.VALIDATION or not len(measures):
        return np.ones((1, len(measures)), np.int64)
    keys = measures["key"].to_numpy()
    tokens = measures["length"].to_numpy() + 1
    weights = measures["weight"].to_numpy() * _weights_of_groups(measures, tokens, mixture)
    _check_size(weights, tokens, mixture.epochs)
    copies = count_copies(weights, keys, mixture.epochs, seed)
    if not copies.any():
        raise ValueError("shard.mixture leaves nothing to train on: raise some of its weights")
    if mixture.max_repository_share < 1:
        _, repositories = np.unique(measures["repository_hash"].to_numpy(), return_inverse=True)
        limits = (tokens, repositories, keys, mixture.max_repository_share)
        try:
            # Each epoch leaves out others.
            return np.stack(
                [limit_repositories(once, *limits, seed + n) for n, once in enumerate(copies)]
            )
        except ValueError as error:
            raise ValueError(f"shard.mixture.max_repository_share: {error}") from error
    return copies


def _check_size(weights: npt.NDArray[np.float64], tokens: Copies, epochs: int) -> None:
    """Raises ValueError where weights are a mistake that would fill any disk."""
    times = float(weights @ tokens) * epochs / max(int(tokens.sum()), 1)
    if times > MOST_TIMES:
        raise ValueError(
            f"shard.mixture asks for {times:,.0f} times the {tokens.sum():,} tokens that there "
            f"are, the greatest weight being {weights.max():,.0f} for each of {epochs} epochs: "
            f"at most {MOST_TIMES:,} times are made"
        )


def _weights_of_groups(
    measures: pa.Table, tokens: Copies, mixture: Mixture
) -> npt.NDArray[np.float64]:
    if not mixture.shares:
        return np.ones(len(measures))
    values = sorted(mixture.shares)
    groups = measures["group"].to_numpy()
    named = groups != NO_GROUP
    held = np.bincount(groups[named], tokens[named], len(values))
    for value, count in zip(values, held, strict=True):
        if mixture.shares[value] > 0 and count == 0:
            raise ValueError(
                f"shard.mixture.shares: no training document has {mixture.shares_by} {value}: "
                "take it out of the shares, or keep documents that have it"
            )
    shares = np.array([mixture.shares[value] for value in values])
    weights = weights_of_shares(groups[named], tokens[named], shares)
    found = np.zeros(len(measures))
    found[named] = weights[groups[named]]
    return found


def mixture_rows(
    names: Mapping[int, str], measures: pa.Table, split: Split, copies: Copies
) -> pa.RecordBatch:
    """The rows of ``mixture`` for the repositories of a split, given names by their hashes."""
    hashes, owners = np.unique(measures["repository_hash"].to_numpy(), return_inverse=True)
    tokens = measures["length"].to_numpy() + 1
    total = copies.sum(axis=0)

    def added(values: Copies) -> Copies:
        sums = np.zeros(hashes.size, np.int64)
        np.add.at(sums, owners, values)
        return sums

    held, shown = added(tokens), added(tokens * total)
    rows = {
        "repository": [names[each] for each in hashes.tolist()],
        "split": [str(split)] * hashes.size,
        "documents": np.bincount(owners, minlength=hashes.size),
        "tokens": held,
        "weight": shown / held / len(copies),
        "copies": added(total),
        "shard_tokens": shown,
    }
    return pa.RecordBatch.from_pydict(rows, schema=MIXTURE)


def name_repositories(
    workspace: Workspace, documents: pa.ChunkedArray, seed: int
) -> dict[int, str]:
    """The names of the repositories in the parts of some documents, by their hashes."""
    parts = np.unique(documents.to_numpy() >> np.uint64(ROW_BITS)).tolist()
    found = (read_repositories(workspace, tables.part_name(part)) for part in parts)
    names = (name for table in found for name in table["repository"].to_pylist())
    return {hash_repository(name, seed): name for name in names}
