import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.deduplicate.clusters import (
    LARGE_BUCKET,
    NO_BATCH,
    assign_batches,
    contract,
    link_buckets,
)

DOCUMENTS = 12


def link(buckets, kinds, capacity=1 << 20):
    """The best of the component of each that may match another, where one kind is alike."""
    sketches = np.array([[0 if kind == 0 else 2**64 - 1] for kind in kinds], dtype=np.uint64)
    held = []

    def read_sketches(places):
        held.append(places.size)
        assert (np.diff(places.astype(np.int64)) > 0).all()
        return sketches[places]

    claims = [key << 32 | place for key, members in enumerate(buckets) for place in members]
    found = link_buckets(np.array(claims, dtype=np.uint64), read_sketches, 10, capacity)
    assert max(held, default=0) <= max(capacity, LARGE_BUCKET)
    assert all(column.dtype == np.uint32 for column in found)
    return dict(zip(*(column.tolist() for column in found), strict=True))


def slow_contract(links):
    component = {place: place for pair in links for place in pair}
    for _ in component:
        for one, other in links:
            component[one] = component[other] = min(component[one], component[other])
    return component


def slow_link(buckets, kinds):
    return slow_contract(
        [
            (one, other)
            for bucket in buckets
            for one in bucket
            for other in bucket
            if one < other and kinds[one] == kinds[other]
        ]
    )


PLACES = st.integers(0, DOCUMENTS - 1)
BUCKETS = st.lists(st.sets(PLACES).map(sorted), max_size=6)
KINDS = st.lists(st.integers(0, 1), min_size=DOCUMENTS, max_size=DOCUMENTS)
LINKS = st.lists(st.tuples(PLACES, PLACES), max_size=8)


@thorough
@given(BUCKETS, KINDS, st.sampled_from([1, 40, 1000]))
def test_links_who_shares_a_bucket_and_is_not_refused(buckets, kinds, capacity):
    # Enough buckets that not all sketches of them are read at once.
    buckets = [bucket for bucket in buckets if len(bucket) > 1] * 5
    assert link(buckets, kinds, capacity) == slow_link(buckets, kinds)


def test_all_of_a_large_bucket_may_match():
    kinds = [number % 2 for number in range(LARGE_BUCKET)]
    assert link([range(LARGE_BUCKET)], kinds) == dict.fromkeys(range(LARGE_BUCKET), 0)


def test_a_large_bucket_needs_no_sketches():
    claims = np.arange(LARGE_BUCKET, dtype=np.uint64)
    found = link_buckets(claims, lambda places: pytest.fail("sketches were read"), 10, 1)
    assert found[1].tolist() == [0] * LARGE_BUCKET


@thorough
@given(LINKS, st.integers(0, 8))
def test_links_contracted_apart_and_then_together_are_links_contracted_at_once(links, middle):
    def contracted(*pairs):
        columns = np.array(pairs, dtype=np.uint32).reshape(-1, 2).T
        return list(zip(*(each.tolist() for each in contract(*columns)), strict=True))

    apart = contracted(*links[:middle]) + contracted(*links[middle:])
    assert dict(contracted(*apart)) == dict(contracted(*links)) == slow_contract(links)


@thorough
@given(BUCKETS, st.lists(st.integers(0, 9), min_size=DOCUMENTS, max_size=DOCUMENTS))
def test_batches_hold_whole_components_up_to_their_capacity(buckets, weights):
    linked = slow_link(buckets, [0] * DOCUMENTS)
    roots = [linked.get(place, place) for place in range(DOCUMENTS)]
    totals = [
        sum(weight for weight, root in zip(weights, roots, strict=True) if root == place)
        for place in range(DOCUMENTS)
    ]
    batches = np.zeros(DOCUMENTS, dtype=np.uint32)
    assign_batches(np.array(roots, dtype=np.uint32), np.array(totals), 15, batches)
    numbers = set(batches.tolist()) - {NO_BATCH}
    assert numbers == set(range(len(numbers)))
    held = {}
    for place, root in enumerate(roots):
        if roots.count(root) == 1:
            assert batches[place] == NO_BATCH
        else:
            assert batches[place] == batches[root]
            held.setdefault(int(batches[place]), {}).setdefault(root, 0)
            held[int(batches[place])][root] += weights[place]
    for components in held.values():
        assert len(components) == 1 or sum(components.values()) <= 15
