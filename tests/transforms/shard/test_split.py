import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import MASK, thorough
from transforms.shard.split import choose_validation, hash_repository, link_repositories

HASHES = st.lists(st.integers(0, MASK) | st.sampled_from([0, 1, MASK]), max_size=20)
FRACTIONS = st.sampled_from([0.001, 0.01, 0.1, 0.5, 0.999])
FEW_HASHES = st.sampled_from([0, 1, 2**54, 2**60, 2**62, 2**63, 2**63 + 1, MASK])
DOCUMENTS = st.lists(st.tuples(FEW_HASHES, st.integers(0, 12)), max_size=20)
"""Documents as the hash of their repository and their cluster."""


def choose(documents, fraction, sections=1):
    """The side of each document: whether it validates.

    Documents are dealt out to sections, and clusters that are in several of them are joined
    by what sections say of them.
    """
    places = [range(number, len(documents), sections) for number in range(sections)]
    dealt = [[documents[place] for place in own] for own in places]
    arrays = [np.array(own, dtype=np.uint64).reshape(-1, 2).T for own in dealt]
    joined = [link_repositories(clusters, hashes) for hashes, clusters in arrays]
    across = link_repositories(
        *(np.concatenate([each[column] for each in joined]) for column in (1, 2))
    )
    links = [each.links for each in (*joined, across)]
    found = [None] * len(documents)
    chosen = choose_validation([hashes for hashes, _ in arrays], links, fraction)
    for own, sides in zip(places, chosen, strict=True):
        assert sides.dtype == np.bool_
        for place, side in zip(own, sides.tolist(), strict=True):
            found[place] = side
    return found


def validating(hashes, fraction):
    """The hashes on the side of validation where no document has a duplicate."""
    chosen = choose(list(zip(hashes, range(len(hashes)), strict=True)), fraction)
    for value in set(hashes):
        sides = {side for side, own in zip(chosen, hashes, strict=True) if own == value}
        assert len(sides) == 1, "a repository is on both sides"
    return {value for value, side in zip(hashes, chosen, strict=True) if side}


def slow_components(documents):
    """Sets of hashes that clusters join, by their largest hash."""
    components = [{value} for value in {value for value, _ in documents}]
    for cluster in {cluster for _, cluster in documents}:
        members = {value for value, own in documents if own == cluster}
        joined = set().union(*(each for each in components if each & members))
        components = [each for each in components if not each & members] + [joined]
    return sorted(components, key=max)


@thorough
@given(DOCUMENTS, FRACTIONS)
def test_what_is_joined_validates_where_each_of_its_repositories_would(documents, fraction):
    components = slow_components(documents)
    limit = int(fraction * 2**64)
    expected = set()
    for component in components[:-1]:
        if component is components[0] or all(value < limit for value in component):
            expected |= component
    assert choose(documents, fraction) == [value in expected for value, _ in documents]


@thorough
@given(DOCUMENTS, FRACTIONS)
def test_no_repository_and_no_cluster_is_on_both_sides(documents, fraction):
    sides = choose(documents, fraction)
    for place in (0, 1):
        for value in {each[place] for each in documents}:
            own = {
                side for side, each in zip(sides, documents, strict=True) if each[place] == value
            }
            assert len(own) == 1
    assert set(sides) == {False, True} or len(slow_components(documents)) < 2


@thorough
@given(DOCUMENTS, FRACTIONS, st.randoms(use_true_random=False))
def test_sides_do_not_depend_on_the_order_of_documents(documents, fraction, random):
    order = random.sample(range(len(documents)), len(documents))
    sides = choose(documents, fraction)
    assert choose([documents[place] for place in order], fraction) == [sides[i] for i in order]


@thorough
@given(DOCUMENTS, FRACTIONS, st.integers(2, 4))
def test_sides_do_not_depend_on_how_documents_are_divided(documents, fraction, sections):
    assert choose(documents, fraction, sections) == choose(documents, fraction)


@thorough
@given(DOCUMENTS)
def test_links_are_pairs_of_one_cluster_each_once_and_as_few_as_join_it(documents):
    hashes, clusters = np.array(documents, dtype=np.uint64).reshape(-1, 2).T
    joined = link_repositories(clusters, hashes)
    expected = set()
    for cluster in {own for _, own in documents}:
        members = sorted({value for value, own in documents if own == cluster})
        expected |= set(itertools.pairwise(members))
        assert joined.repositories[joined.clusters == cluster].tolist() == members[:1]
    assert sorted(map(tuple, joined.links.tolist())) == sorted(expected)
    assert joined.clusters.tolist() == sorted({own for _, own in documents})


@thorough
@given(HASHES, FRACTIONS)
def test_a_repository_without_duplicates_elsewhere_is_on_one_side_by_its_hash(hashes, fraction):
    limit = int(fraction * 2**64)
    expected = {value for value in hashes if value < limit} | {min(hashes, default=0)}
    expected -= {max(hashes, default=0)}
    assert validating(hashes, fraction) == (expected if len(set(hashes)) > 1 else set())


@thorough
@given(HASHES, HASHES, FRACTIONS)
def test_more_repositories_move_no_other_but_those_of_the_outermost_hashes(hashes, more, fraction):
    before, after = validating(hashes, fraction), validating(hashes + more, fraction)
    moved = before ^ (after & set(hashes))
    assert moved <= {min(hashes, default=0), max(hashes, default=0)}


def test_a_large_component_trains():
    hashes = [hash_repository(f"pypi/project-{number}", 0) for number in range(2000)]
    documents = [(value, max(0, place - 1000)) for place, value in enumerate(hashes)]
    sides = choose(documents, 0.1)
    assert sides[:1001] == [False] * 1001
    assert 70 < sum(sides[1001:]) < 130


def test_repositories_are_joined_through_others():
    chain = [(1, 10), (5, 10), (5, 11), (9, 11)]
    assert choose([*chain, (7, 12), (7, 13)], 0.001) == [False] * 4 + [True] * 2
    assert choose(chain, 0.999) == [False] * 4


def test_one_repository_trains_and_of_two_one_validates():
    assert validating([5], 0.999) == set()
    assert validating([5, 5, 5], 0.999) == set()
    assert validating([MASK, MASK - 1], 0.001) == {MASK - 1}
    assert validating([], 0.5) == set()


def test_a_fraction_of_nothing_validates_nothing():
    assert validating([0, 1, MASK], 0) == set()


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5])
def test_refuses_a_fraction_that_leaves_nothing_to_train_on(fraction):
    message = f"validation fraction must be at least 0 and below 1, got {fraction}"
    with pytest.raises(ValueError, match=message):
        choose([(0, 0)], fraction)


def test_the_hash_of_a_repository_never_changes():
    # What validates in one run must validate in every other: else models are
    # evaluated on what they were trained on.
    assert hash_repository("pypi/boltons", 0) == 5096813991984009540
    assert hash_repository("git/example.org/caf\u00e9", 7) == 4243300748165674573


def test_the_fraction_is_kept_in_expectation_and_seeds_choose_differently():
    names = [f"pypi/project-{number}" for number in range(2000)]
    sides = []
    for seed in (0, 1):
        documents = [(hash_repository(name, seed), place) for place, name in enumerate(names)]
        sides.append(choose(documents, 0.1))
        assert abs(np.mean(sides[-1]) - 0.1) < 5 * np.sqrt(0.1 * 0.9 / 2000)
    assert sides[0] != sides[1]


def test_at_least_one_repository_trains():
    documents = [(3, 0), (1, 1), (1, 2), (2, 3)]
    assert choose(documents, 0.99) == [False, True, True, True]
