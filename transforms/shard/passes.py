"""Passes over a split: which copies of its documents an epoch has, and in which sequences."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from schemas.shards import Split
from transforms.draws import STEP
from transforms.shard.choices import Choices
from transforms.shard.measures import Mixture
from transforms.shard.mixture import NO_LIMIT, count_copies, keep_copies
from transforms.shard.packing import Packed, concatenate_documents, pack_best_fit
from transforms.shard.plan import Packing
from transforms.shard.sections import Documents, Integers


class Pass(NamedTuple):
    """One of the epochs of a split."""

    split: Split
    epoch: int

    def seed(self, seed: int) -> int:
        """What its sequences are shuffled by, given the seed of all."""
        return seed + self.epoch * int(STEP)


def list_passes(epochs: int) -> list[Pass]:
    """All passes in the order of shards. The validation split has one."""
    return [*(Pass(Split.TRAIN, epoch) for epoch in range(epochs)), Pass(Split.VALIDATION, 0)]


def copies_of_pass(
    documents: Documents, which: Pass, mixture: Mixture, choices: Choices, seed: int
) -> Integers:
    """int64[documents]: how often a pass has each document. Validation has each once."""
    if which.split is Split.VALIDATION:
        return np.ones(documents.count, np.int64)
    keys = documents.column("key")
    weights = documents.column("weight") * choices.weights_of(documents.column("group"))
    copies = count_copies(weights, keys, which.epoch, mixture.epochs, seed)
    limit = choices.limits[which.epoch] if choices.limits else NO_LIMIT
    # Each epoch leaves out others.
    return keep_copies(
        copies, documents.tokens, documents.repositories, keys, limit, seed + which.epoch
    )


def pack_copies(lengths: Integers, copies: Integers, packing: Packing) -> Packed:
    """The sequences of the documents of a section in a pass, in order.

    Args:
      lengths: int64[documents], tokens without end-of-text, in reading order.
      copies: int64[documents], how often each is there. A document that is there twice
        stands the second time behind all that is there once.
    """
    pack = concatenate_documents if packing.method == "concatenate" else pack_best_fit
    documents = _repeat(copies)
    packed = pack(lengths[documents], packing.context_length)
    return packed._replace(document=documents[packed.document])


def _repeat(copies: Integers) -> Integers:
    documents = np.repeat(np.arange(copies.size), copies)
    number = np.arange(documents.size) - np.repeat(np.cumsum(copies) - copies, copies)
    return documents[np.argsort(number, kind="stable")]
