"""What is chosen for a whole run, from summaries of its sections.

Which repositories validate, and what the documents of each group weigh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.shard.measures import NO_GROUP, Mixture
from transforms.shard.mixture import weights_of_shares
from transforms.shard.sections import Chosen, Integers
from transforms.shard.split import choose_validation
from transforms.shard.staging import PlanFiles
from transforms.shard.summaries import read_links, summary_file

Weights = npt.NDArray[np.float64]

MOST_TIMES = 1000
"""Shards hold at most so many times the tokens of the training documents."""

_WEIGHTS = "weights.json"


@dataclass(frozen=True)
class Choices:
    """What all sections follow: weights by group, and limits by epoch where there are some.

    Documents of no group have no weight, or where there are no groups that of 1.
    """

    weights: tuple[float, ...] = ()
    limits: tuple[int, ...] = ()

    def weights_of(self, groups: Integers) -> Weights:
        """float64[documents]: the weights of documents' groups."""
        if not self.weights:
            return np.ones(groups.size)
        # `NO_GROUP` is the last place.
        return np.array([*self.weights, 0.0])[groups]


def sides_file(section: int) -> str:
    """Which of the repositories of a section validate."""
    return f"sides/section-{section:05d}.arrow"


def read_weights(files: PlanFiles) -> tuple[float, ...]:
    """What the documents of each group weigh."""
    return tuple(files.read_values(_WEIGHTS))


def choose_splits(files: PlanFiles, sections: int, fraction: float, mixture: Mixture) -> None:
    """Writes which repositories validate and what groups weigh.

    In memory is one section, and some 40 bytes of each repository that shares a cluster with
    another one.

    Raises:
      ValueError: the mixture cannot be had from these documents; says why.
    """
    rows = [files.map(summary_file(section)) for section in range(sections)]
    hashes = [each["repository_hash"].to_numpy() for each in rows]
    links = read_links(files, sections) if fraction else []
    sums = GroupSums.of_none(len(mixture.shares))
    for section, validates in enumerate(choose_validation(hashes, links, fraction)):
        distinct, firsts = np.unique(hashes[section], return_index=True)
        columns = {"repository_hash": distinct, "validates": validates[firsts]}
        files.write_columns(sides_file(section), columns)
        sums.add(rows[section], ~validates)
    files.write_values(_WEIGHTS, weigh_groups(sums, mixture).tolist())


class GroupSums(NamedTuple):
    """Of documents of each group, and of no group last: tokens, also weighted, most weight."""

    tokens: Integers
    weighted: Weights
    greatest: Weights

    @classmethod
    def of_none(cls, groups: int) -> GroupSums:
        """Those of no documents."""
        return cls(np.zeros(groups + 1, np.int64), np.zeros(groups + 1), np.zeros(groups + 1))

    def add(self, rows: pa.Table, chosen: Chosen) -> None:
        """Adds some rows of `transforms.shard.summaries.GROUPS`."""
        groups = rows["group"].to_numpy()[chosen]
        np.add.at(self.tokens, groups, rows["tokens"].to_numpy()[chosen])
        np.add.at(self.weighted, groups, rows["weighted_tokens"].to_numpy()[chosen])
        np.maximum.at(self.greatest, groups, rows["greatest_weight"].to_numpy()[chosen])


def weigh_groups(sums: GroupSums, mixture: Mixture) -> Weights:
    """What the documents of each group weigh, float64[groups].

    Raises:
      ValueError: the shares cannot be had, or more is asked for than any disk holds.
    """
    weights = np.zeros(0)
    total = int(sums.tokens.sum())
    if not total:
        return np.ones(len(mixture.shares))
    if mixture.shares:
        values = sorted(mixture.shares)
        for value, count in zip(values, sums.tokens, strict=False):
            if mixture.shares[value] > 0 and count == 0:
                raise ValueError(
                    f"shard.mixture.shares: no training document has {mixture.shares_by} "
                    f"{value}: take it out of the shares, or keep documents that have it"
                )
        shares = np.array([mixture.shares[value] for value in values])
        weights = weights_of_shares(sums.tokens[:-1], shares)
    _check_size(sums, Choices(tuple(weights)), mixture.epochs)
    return weights


def _check_size(sums: GroupSums, choices: Choices, epochs: int) -> None:
    """Raises ValueError where weights are a mistake that would fill any disk."""
    weights = choices.weights_of(np.append(np.arange(sums.tokens.size - 1), NO_GROUP))
    total = int(sums.tokens.sum())
    times = float(weights @ sums.weighted) * epochs / total
    if times > MOST_TIMES:
        raise ValueError(
            f"shard.mixture asks for {times:,.0f} times the {total:,} tokens that there "
            f"are, the greatest weight being {(weights * sums.greatest).max():,.0f} for each of "
            f"{epochs} epochs: at most {MOST_TIMES:,} times are made"
        )
