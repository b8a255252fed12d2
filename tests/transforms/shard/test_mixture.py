import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import MASK, slow_mix, thorough
from transforms.shard.mixture import (
    NO_LIMIT,
    count_copies,
    count_tokens,
    find_limit,
    keep_copies,
    weights_of_shares,
)

STEP = 0x9E3779B97F4A7C15
SEEDS = st.integers(0, 9)
WEIGHTS = st.sampled_from([0, 1, 0.5, 0.1, 0.3, 2.3, 7, 1 / 3]) | st.floats(0, 20, width=32)
WEIGHTED = st.lists(st.tuples(WEIGHTS, st.integers(0, MASK)), max_size=12)
DOCUMENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 5), st.integers(0, MASK)),
    max_size=30,
    unique_by=lambda each: each[3],
)
"""Documents as copies, tokens, repository and key."""
MAX_SHARES = st.sampled_from([0.05, 0.2, 0.25, 0.3, 1 / 3, 0.5, 0.7, 1])


def copies_of(documents, epochs, seed=0):
    weights = np.array([weight for weight, _ in documents], dtype=np.float64)
    keys = np.array([key for _, key in documents], dtype=np.uint64)
    copies = [count_copies(weights, keys, epoch, epochs, seed) for epoch in range(epochs)]
    assert all(once.dtype == np.int64 for once in copies)
    assert all(once.shape == (len(documents),) for once in copies)
    return [once.tolist() for once in copies]


def slow_draw(key, seed):
    return slow_mix(slow_mix(key) + slow_mix(seed + STEP & MASK) & MASK)


@thorough
@given(WEIGHTED, st.integers(1, 12), SEEDS)
def test_copies_are_those_of_slow_systematic_sampling(documents, epochs, seed):
    expected = []
    for epoch in range(epochs):
        row = []
        for weight, key in documents:
            start = slow_draw(key, seed) >> 32
            until = (round(weight * (epoch + 1) * 2**32) + start) >> 32
            row.append(until - ((round(weight * epoch * 2**32) + start) >> 32))
        expected.append(row)
    assert copies_of(documents, epochs, seed) == expected


@thorough
@given(WEIGHTED, st.integers(1, 40), SEEDS)
def test_epochs_have_together_what_the_weight_asks_for(documents, epochs, seed):
    copies = np.array(copies_of(documents, epochs, seed))
    assert (copies >= 0).all()
    for (weight, _), seen in zip(documents, copies.sum(axis=0).tolist(), strict=True):
        assert seen in (math.floor(weight * epochs), math.ceil(weight * epochs))


@pytest.mark.parametrize("weight", [0, 1, 2, 7, 1000, 2**20])
def test_a_whole_weight_is_met_in_each_epoch(weight):
    # The second key draws a number so close to 1 that a sum of floats would be rounded up.
    keys = [*range(100), 4825118753]
    assert slow_draw(keys[-1], 0) >> 32 == 2**32 - 1
    copies = copies_of([(weight, key) for key in keys], 50)
    assert copies == [[weight] * len(keys)] * 50


@pytest.mark.parametrize(("weight", "epochs", "seen"), [(0.1, 10, 1), (2.3, 10, 23), (0.5, 2, 1)])
def test_epochs_that_make_a_weight_whole_have_exactly_that(weight, epochs, seen):
    copies = copies_of([(weight, key) for key in range(1000)], epochs)
    assert np.sum(copies, axis=0).tolist() == [seen] * 1000


@pytest.mark.parametrize("weight", [0.1, 0.5, 2.3])
def test_each_epoch_has_as_many_copies_as_expected(weight):
    for epoch in copies_of([(weight, key) for key in range(10_000)], 3):
        assert set(epoch) == {math.floor(weight), math.ceil(weight)}
        deviation = math.sqrt((weight % 1) * (1 - weight % 1) / len(epoch))
        assert abs(np.mean(epoch) - weight) < 5 * deviation


@thorough
@given(WEIGHTED, st.integers(1, 9), SEEDS, st.randoms(use_true_random=False))
def test_copies_depend_neither_on_other_documents_nor_on_later_epochs(
    documents, epochs, seed, random
):
    copies = np.array(copies_of(documents, epochs, seed))
    order = random.sample(range(len(documents)), random.randint(0, len(documents)))
    fewer = random.randint(1, epochs)
    expected = copies[:fewer, order].tolist()
    assert copies_of([documents[place] for place in order], fewer, seed) == expected


def test_copies_never_change():
    # A resumed or repeated run must give the same shards.
    copies = copies_of([(0.3, key) for key in range(12)], 3)
    assert copies == [
        [0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0],
        [0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0],
        [1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1],
    ]


@pytest.mark.parametrize("weight", [-0.1, math.nan, math.inf, 2**28])
def test_refuses_weights_that_no_copies_can_meet(weight):
    message = (
        r"weights must be at least 0, and below 1073741824 for all epochs together, got .* of 4"
    )
    with pytest.raises(ValueError, match=message):
        copies_of([(weight, 0)], 4)


@thorough
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 1000)), min_size=1, max_size=20))
def test_groups_have_their_shares_of_the_tokens_of_those_that_have_any(documents):
    groups, tokens = np.array(documents).T
    shares = np.where(np.isin(np.arange(5), groups), [3.0, 0.0, 1.5, 0.25, 5.0], 0)
    if not shares.any():
        return
    weights = weights_of_shares(np.bincount(groups, tokens, 5), shares)
    assert (weights[shares == 0] == 0).all()
    seen = np.bincount(groups, tokens * weights[groups], 5)
    assert seen == pytest.approx(tokens[shares[groups] > 0].sum() * shares / shares.sum())


def test_groups_that_have_their_shares_already_are_seen_once():
    tokens = np.array([10, 50, 5])
    assert weights_of_shares(tokens, np.array([1.0, 5.0, 0.0])).tolist() == [1, 1, 0]


@pytest.mark.parametrize("shares", [[0.0, 0.0], [1.0, -1.5], [1.0, math.nan], []])
def test_refuses_shares_that_do_not_divide_an_epoch(shares):
    with pytest.raises(ValueError, match="shares must be at least 0 and not all 0, got"):
        weights_of_shares(np.zeros(len(shares), np.int64), np.array(shares))


def test_refuses_a_share_of_a_group_without_tokens():
    message = r"groups without tokens cannot have a share, got \[1, 3\]"
    with pytest.raises(ValueError, match=message):
        weights_of_shares(np.array([5, 0, 0, 0]), np.array([0.5, 0.2, 0, 0.3]))


def limit_repositories(copies, tokens, repositories, keys, max_share, seed):
    """What is left of copies by the limit that is found for all of them."""
    arrays = (copies, tokens, repositories)

    def keep(limit):
        return keep_copies(*arrays, keys, limit, seed)

    limit = find_limit(
        count_tokens(*arrays), max_share, lambda limit: count_tokens(keep(limit), *arrays[1:])
    )
    return keep(limit)


def limit(documents, max_share, seed=0):
    """Copies left of each document, or None where there is no choice."""
    copies, tokens, repositories, keys = zip(*documents, strict=True) if documents else [[]] * 4
    arrays = (np.array(values, np.int64) for values in (copies, tokens, repositories))
    try:
        left = limit_repositories(*arrays, np.array(keys, np.uint64), max_share, seed)
    except ValueError:
        return None
    assert left.dtype == np.int64
    return left.tolist()


def tokens_of_repositories(documents, copies):
    held = Counter()
    for (_, tokens, repository, _), count in zip(documents, copies, strict=True):
        held[repository] += count * tokens
    return {repository: tokens for repository, tokens in held.items() if tokens}


def is_within(documents, copies, max_share):
    held = tokens_of_repositories(documents, copies)
    return all(tokens / sum(held.values()) <= max_share for tokens in held.values())


def slow_find_limit(documents, max_share):
    held = tokens_of_repositories(documents, [each[0] for each in documents])
    for most in range(max(held.values(), default=0), 0, -1):
        if most / sum(min(tokens, most) for tokens in held.values()) <= max_share:
            return most
    return 0


def slow_keep(documents, most, seed):
    """What a greedy pass keeps where no repository may have more than so many tokens."""
    held = tokens_of_repositories(documents, [each[0] for each in documents])
    room = {repository: max(most, 0) for repository in held if held[repository] > most}
    kept = [0 if each[2] in room else each[0] for each in documents]
    drawn = sorted(
        (slow_draw(key + number * STEP & MASK, seed), place)
        for place, (copies, _, repository, key) in enumerate(documents)
        if repository in room
        for number in range(1, copies + 1)
    )
    for _, place in drawn:
        _, tokens, repository, _ = documents[place]
        if tokens <= room[repository]:
            room[repository] -= tokens
            kept[place] += 1
    return kept


@thorough
@given(DOCUMENTS, MAX_SHARES, SEEDS)
def test_no_repository_has_more_than_its_share_of_what_is_left(documents, max_share, seed):
    left = limit(documents, max_share, seed)
    if left is not None:
        assert is_within(documents, left, max_share)
        assert all(0 <= kept <= each[0] for kept, each in zip(left, documents, strict=True))
        held, kept = (
            tokens_of_repositories(documents, copies)
            for copies in ([each[0] for each in documents], left)
        )
        assert bool(kept) == bool(held)


@thorough
@given(DOCUMENTS, MAX_SHARES, SEEDS)
def test_copies_are_kept_as_by_a_slow_greedy_pass_below_the_limit(documents, max_share, seed):
    left = limit(documents, max_share, seed)
    most = slow_find_limit(documents, max_share)
    at_most = slow_keep(documents, most, seed)
    if tokens_of_repositories(documents, at_most) and is_within(documents, at_most, max_share):
        assert left == at_most
    elif left is not None:
        assert any(left == slow_keep(documents, lower, seed) for lower in range(most + 1))


@thorough
@given(DOCUMENTS, MAX_SHARES, SEEDS)
def test_nothing_is_taken_away_where_the_share_holds(documents, max_share, seed):
    copies = [each[0] for each in documents]
    if is_within(documents, copies, max_share):
        assert limit(documents, max_share, seed) == copies


@thorough
@given(DOCUMENTS, MAX_SHARES, st.permutations(range(6)), st.randoms(use_true_random=False))
def test_what_is_left_depends_on_no_order(documents, max_share, renumbered, random):
    order = random.sample(range(len(documents)), len(documents))
    left = limit(documents, max_share)
    moved = [documents[place] for place in order]
    moved = [(copies, tokens, renumbered[code], key) for copies, tokens, code, key in moved]
    assert limit(moved, max_share) == (left and [left[place] for place in order])


@thorough
@given(DOCUMENTS, st.integers(0, 40), SEEDS)
def test_what_is_kept_of_a_repository_depends_on_no_other(documents, most, seed):
    columns = np.array(documents, object).reshape(-1, 4).T
    copies, tokens, repositories = (column.astype(np.int64) for column in columns[:3])
    keys = columns[3].astype(np.uint64)
    whole = keep_copies(copies, tokens, repositories, keys, most, seed)
    for code in set(repositories.tolist()):
        own = repositories == code
        arrays = (copies[own], tokens[own], repositories[own], keys[own])
        assert keep_copies(*arrays, most, seed).tolist() == whole[own].tolist()


def test_there_is_no_limit_where_the_share_holds():
    assert find_limit(np.array([3, 2, 3]), 0.5, lambda limit: pytest.fail("was asked")) == NO_LIMIT


@thorough
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30), MAX_SHARES)
def test_less_repositories_than_shares_fit_into_one_are_above_the_first_limit(held, max_share):
    limits = []

    def whole_tokens(limit):
        limits.append(limit)
        return np.minimum(held, limit)

    try:
        find_limit(np.array(held), max_share, whole_tokens)
    except ValueError:
        return
    assert sum(tokens > limit for tokens in held for limit in limits[:1]) < 1 / max_share


def test_all_repositories_above_the_limit_have_as_many_tokens():
    sizes = [500, 300, 100, 60, 40]
    documents = [
        (1, 1, code, code << 32 | n) for code, size in enumerate(sizes) for n in range(size)
    ]
    left = limit(documents, 0.25)
    # 2 * limit + 200 tokens of which the limit is a quarter.
    assert tokens_of_repositories(documents, left) == {0: 100, 1: 100, 2: 100, 3: 60, 4: 40}


def test_another_seed_keeps_other_copies():
    documents = [(1, 1, 0, key) for key in range(100)] + [(1, 50, 1, 100)]
    one, other = (limit(documents, 0.5, seed) for seed in (0, 1))
    assert sum(one) == sum(other) == 51
    assert one != other


def test_a_document_that_has_no_room_is_passed_over():
    documents = [(1, 7, 0, 1), (1, 3, 0, 2), (1, 2, 0, 3), (1, 5, 1, 4)]
    assert limit(documents, 0.5) == [0, 1, 1, 1]


def test_the_limit_is_lowered_where_whole_documents_leave_room():
    documents = [(1, 4, 0, 1), (1, 4, 0, 2), (1, 4, 0, 3)] + [
        (1, 1, 1, key) for key in range(9, 20)
    ]
    assert tokens_of_repositories(documents, limit(documents, 0.5)) == {0: 8, 1: 8}


@pytest.mark.parametrize("max_share", [0, -0.5, 1.1, math.nan])
def test_refuses_what_is_no_share(max_share):
    with pytest.raises(ValueError, match="max_share must be above 0 and at most 1, got"):
        limit_repositories(*np.ones((3, 1), np.int64), np.ones(1, np.uint64), max_share, 0)


def test_refuses_a_share_that_so_few_repositories_cannot_keep():
    arrays = np.ones((2, 5), np.int64), np.array([0, 1, 2, 2, 3])
    message = "of 4 repositories with tokens one has at least 0.25 of them, got max_share 0.2"
    with pytest.raises(ValueError, match=message):
        limit_repositories(*arrays[0], arrays[1], np.arange(5, dtype=np.uint64), 0.2, 0)


def test_refuses_a_share_that_no_whole_documents_keep():
    copies, tokens, repositories = np.ones(2, np.int64), np.array([5, 3]), np.array([0, 1])
    message = "whole documents of 2 repositories cannot be chosen so that none has more than 0.5"
    with pytest.raises(ValueError, match=message):
        limit_repositories(copies, tokens, repositories, np.arange(2, dtype=np.uint64), 0.5, 0)
