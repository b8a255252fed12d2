import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.deduplicate.clusters import (
    LARGE_BUCKET,
    NO_BATCH,
    assign_batches,
    find_root,
    unite_buckets,
    unite_groups,
)

DOCUMENTS = 12


def unite(buckets, kinds, groups=()):
    """Roots and plausibility where documents of one kind are alike, of two kinds unlike."""
    count = len(kinds)
    parents = np.arange(count, dtype=np.uint32)
    plausible = np.zeros(count, dtype=np.bool_)
    sketches = np.array([[0 if kind == 0 else 2**64 - 1] for kind in kinds], dtype=np.uint64)
    claims = [key << 32 | place for key, members in enumerate(buckets) for place in members]
    unite_buckets(np.array(claims, dtype=np.uint64), sketches, 10, parents, plausible)
    pairs = np.array(groups, dtype=np.uint32).reshape(-1, 2)
    unite_groups(pairs[:, 0], pairs[:, 1], parents)
    return [int(find_root(parents, place)) for place in range(count)], plausible.tolist()


def slow_unite(buckets, kinds, groups):
    component = list(range(len(kinds)))
    plausible = [False] * len(kinds)
    edges = list(groups)
    for bucket in buckets:
        for one in bucket:
            for other in bucket:
                if one < other and kinds[one] == kinds[other]:
                    edges.append((one, other))
                    plausible[one] = plausible[other] = True
    for _ in component:
        for one, other in edges:
            component[one] = component[other] = min(component[one], component[other])
    return component, plausible


PLACES = st.integers(0, DOCUMENTS - 1)
BUCKETS = st.lists(st.sets(PLACES).map(sorted), max_size=6)
KINDS = st.lists(st.integers(0, 1), min_size=DOCUMENTS, max_size=DOCUMENTS)
GROUPS = st.lists(st.tuples(PLACES, PLACES), max_size=3)


@thorough
@given(BUCKETS, KINDS, GROUPS)
def test_unites_who_shares_a_bucket_and_is_not_refused(buckets, kinds, groups):
    assert unite(buckets, kinds, groups) == slow_unite(buckets, kinds, groups)


def test_all_of_a_large_bucket_may_match():
    kinds = [number % 2 for number in range(LARGE_BUCKET)]
    assert unite([range(LARGE_BUCKET)], kinds) == ([0] * LARGE_BUCKET, [True] * LARGE_BUCKET)


@thorough
@given(BUCKETS, st.lists(st.integers(0, 9), min_size=DOCUMENTS, max_size=DOCUMENTS))
def test_batches_hold_whole_components_up_to_their_capacity(buckets, weights):
    roots, _ = unite(buckets, [0] * DOCUMENTS)
    parents = np.array(roots, dtype=np.uint32)
    batches, count = assign_batches(parents, np.array(weights), 15)
    assert count >= 1
    assert set(batches.tolist()) - {NO_BATCH} <= set(range(count))
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
