"""Mixture: how often each epoch has each document.

Documents are known by keys, from which random numbers are drawn, so that what happens to
one depends on the order of none. Documents of one key are taken for copies of one content:
they are seen in the same epochs, and the order of such documents decides which of them a
limit keeps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from transforms.compiled import compiled
from transforms.draws import STEP, draw
from transforms.shingles import Hashes

Counts = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]

_FRACTION_BITS = 32
_CLOSE_LIMITS = 16
"""From so many limits on, each is half the one before: small steps might go on for long."""
NO_LIMIT = 2**63 - 1
"""More tokens than there are."""


def count_copies(weights: Weights, keys: Hashes, epoch: int, epochs: int, seed: int) -> Counts:
    """How often an epoch has each document, int64[documents].

    Systematic sampling: the epochs before e have floor(e * weight + u) copies together, with
    u in [0, 1) drawn from the key. So any number of epochs from the first on has the copies
    that its weight asks for, rounded down or up, and a whole weight is met in each epoch.

    Args:
      weights: float64[documents], copies for each epoch.
      keys: uint64[documents].
      epoch: its number, from 0 on.
      epochs: how many there are.
      seed: of all draws.

    Raises:
      ValueError: a weight is negative, or too large to count its copies.
    """
    most = weights.max(initial=0) * epochs
    if not (weights.min(initial=0) >= 0 and most < 2 ** (62 - _FRACTION_BITS)):
        raise ValueError(
            f"weights must be at least 0, and below {2 ** (62 - _FRACTION_BITS)} for all epochs "
            f"together, got {weights.min()} to {weights.max()} for each of {epochs}"
        )
    # Sums of integers are exact, where one of fractions may be rounded up to the next copy.
    start = (draw(keys, seed) >> np.uint64(64 - _FRACTION_BITS)).astype(np.int64)
    before, until = (
        np.rint(weights * number * 2.0**_FRACTION_BITS).astype(np.int64) + start
        for number in (epoch, epoch + 1)
    )
    return (until >> _FRACTION_BITS) - (before >> _FRACTION_BITS)


def weights_of_shares(tokens: Counts, shares: Weights) -> Weights:
    """The weight of each group's documents that gives groups their shares of the tokens.

    An epoch has as many tokens as all groups that have a share.

    Args:
      tokens: int64[groups], of all documents of each.
      shares: float64[groups], of any sum above 0. A group with none has weight 0.

    Raises:
      ValueError: no shares, a negative one, or one of a group without tokens.
    """
    total = math.fsum(shares)
    if not (total > 0 and shares.min() >= 0 and math.isfinite(total)):
        raise ValueError(f"shares must be at least 0 and not all 0, got {shares.tolist()}")
    empty = np.flatnonzero((shares > 0) & (tokens == 0))
    if empty.size:
        raise ValueError(f"groups without tokens cannot have a share, got {empty.tolist()}")
    weights = np.zeros(shares.size)
    shared = shares > 0
    weights[shared] = shares[shared] / total * (tokens[shared].sum() / tokens[shared])
    return weights


def find_limit(held: Counts, max_share: float, count_left: Callable[[int], Counts]) -> int:
    """The limit to which `keep_copies` holds repositories so that a share is not exceeded.

    Water-filling: the limit is the most tokens that all repositories can be held to so that it
    is at most this share of what all have then. Where whole documents leave so much room that
    the share is exceeded, the limit is lowered. Less than 1 / ``max_share`` repositories have
    more than the first limit.

    Args:
      held: int64[repositories], their tokens.
      max_share: the quotient of a repository's tokens and all tokens that is not exceeded.
      count_left: gives what is left of ``held`` with a limit.

    Raises:
      ValueError: the share is not in (0, 1], or no copies would be left with it.
    """
    if not 0 < max_share <= 1:
        raise ValueError(f"max_share must be above 0 and at most 1, got {max_share}")
    if _is_within(held, max_share):
        return NO_LIMIT
    present = int(np.count_nonzero(held))
    if 1 / present > max_share:
        raise ValueError(
            f"of {present} repositories with tokens one has at least {1 / present} of them, "
            f"got max_share {max_share}: raise it, or add repositories"
        )
    limit = _water_level(held, max_share)
    for attempt in itertools.count(1):
        left = count_left(limit)
        if _is_within(left, max_share):
            break
        lower = _water_level(left, max_share) if attempt < _CLOSE_LIMITS else 0
        limit = max(lower, limit // 2)
    if not left.any():
        raise ValueError(
            f"whole documents of {present} repositories cannot be chosen so that none has more "
            f"than {max_share} of the tokens: raise max_share, or add repositories"
        )
    return limit


def keep_copies(
    copies: Counts, tokens: Counts, repositories: Counts, keys: Hashes, limit: int, seed: int
) -> Counts:
    """Takes away copies of repositories that have more tokens than a limit.

    Copies of such a one are kept in the order of a draw from key and copy, those passed over
    for which there is no room left. What is kept of one depends on no other.

    Args:
      copies: int64[documents].
      tokens: int64[documents], of one copy.
      repositories: int64[documents], the number of each one's repository, of which all
        documents are here.
      keys: uint64[documents].
      limit: in tokens.
      seed: of all draws; another one keeps other copies.

    Returns:
      int64[documents], copies that are left.
    """
    limited = count_tokens(copies, tokens, repositories) > limit
    if not limited.any():
        return copies
    kept = np.where(limited[repositories], 0, copies)
    order = _draw_order(copies - kept, keys, seed)
    _fill_rooms(order, tokens, repositories, np.full(limited.size, limit), kept)
    return kept


def count_tokens(copies: Counts, tokens: Counts, repositories: Counts, least: int = 0) -> Counts:
    """The tokens that copies have by repository, int64[repositories], ``least`` at least."""
    # Floats hold integers below 2^53 exactly.
    return np.bincount(repositories, copies * tokens, least).astype(np.int64)


def _is_within(held: Counts, max_share: float) -> bool:
    """Whether no repository has more than a share of all tokens; none have nothing."""
    total = int(held.sum())
    return total == 0 or int(held.max()) / total <= max_share


def _water_level(held: Counts, max_share: float) -> int:
    """The most tokens that repositories can be held to and are at most this share of all."""
    low, high = 0, int(held.max())
    # The share that a limit is of all tokens held to it never falls as the limit rises.
    while low < high:
        middle = (low + high + 1) // 2
        if middle / int(np.minimum(held, middle).sum()) <= max_share:
            low = middle
        else:
            high = middle - 1
    return low


def _draw_order(copies: Counts, keys: Hashes, seed: int) -> Counts:
    """The document of each copy in the order of a draw."""
    documents = np.repeat(np.arange(copies.size), copies)
    # Counted from 1, because the key itself has drawn the epochs of its document.
    numbers = np.arange(1, documents.size + 1) - (np.cumsum(copies) - copies)[documents]
    draws = draw(keys[documents] + numbers.astype(np.uint64) * STEP, seed)
    return documents[np.argsort(draws, kind="stable")]


@compiled
def _fill_rooms(
    documents: Counts, tokens: Counts, repositories: Counts, rooms: Counts, kept: Counts
) -> None:
    for document in documents:
        repository = repositories[document]
        if tokens[document] <= rooms[repository]:
            rooms[repository] -= tokens[document]
            kept[document] += 1
