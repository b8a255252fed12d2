"""Limits: the most tokens that a repository may have in each epoch.

A repository is in one section as a whole, so that what a limit leaves of it is counted there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from schemas.shards import Split
from transforms.shard.choices import Choices, read_weights
from transforms.shard.mixture import NO_LIMIT, count_tokens, find_limit
from transforms.shard.passes import Pass, copies_of_pass
from transforms.shard.reader import LIMITS, PlanReader
from transforms.shard.sections import Chosen, Documents, Integers


def weigh_repositories(reader: PlanReader, section: int) -> None:
    """Writes the tokens of a section's repositories in each epoch, before there is a limit."""
    documents = reader.documents(section, Split.TRAIN)
    held = {
        str(epoch): _count_tokens(reader, documents, epoch, NO_LIMIT)
        for epoch in range(reader.options.mixture.epochs)
    }
    reader.files.write_columns(_held_file(section), held)


def limit_repositories(reader: PlanReader) -> None:
    """Writes the limit of each epoch.

    In memory are some 32 bytes of each repository, and of one section after another the
    documents of repositories that are above a limit.

    Raises:
      ValueError: the share cannot be kept; says why.
    """
    limits = []
    for epoch in range(reader.options.mixture.epochs):
        tables = [reader.files.map(_held_file(number)) for number in range(reader.sections)]
        held = [table[str(epoch)].to_numpy() for table in tables]
        left_of = partial(_count_left, reader, held, epoch)
        share = reader.options.mixture.max_repository_share
        try:
            limits.append(find_limit(np.concatenate(held), share, left_of))
        except ValueError as error:
            raise ValueError(f"shard.mixture.max_repository_share: {error}") from error
    reader.files.write_values(LIMITS, limits)


def _count_left(reader: PlanReader, held: Sequence[Integers], epoch: int, limit: int) -> Integers:
    """The tokens of all repositories with a limit, int64[repositories]."""
    left = []
    for section, own in enumerate(held):
        above: Chosen = own > limit
        if above.any():
            documents = reader.documents(section, Split.TRAIN).within(above)
            own = np.where(above, _count_tokens(reader, documents, epoch, limit), own)
        left.append(own)
    return np.concatenate(left)


def _count_tokens(reader: PlanReader, documents: Documents, epoch: int, limit: int) -> Integers:
    """The tokens of the repositories of a section in an epoch, with a limit."""
    mixture, seed = reader.options.mixture, reader.options.packing.seed
    choices = Choices(read_weights(reader.files), (limit,) * mixture.epochs)
    copies = copies_of_pass(documents, Pass(Split.TRAIN, epoch), mixture, choices, seed)
    counted = documents.hashes.size
    return count_tokens(copies, documents.tokens, documents.repositories, counted)


def _held_file(section: int) -> str:
    return f"held/section-{section:05d}.arrow"
