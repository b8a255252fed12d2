import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import brief, thorough
from transforms.deduplicate import greedy
from transforms.deduplicate.greedy import (
    KEPT,
    MOST_KEPT,
    NO_GROUP,
    Buckets,
    Candidates,
    Matching,
    decide_duplicates,
)
from transforms.deduplicate.staging import ScratchArrays

ALIKE = np.uint64(0)


def to_buckets(*buckets):
    members = [member for bucket in buckets for member in bucket]
    offsets = np.cumsum([0, *map(len, buckets)])
    return Buckets(np.array(members, dtype=np.uint32), offsets.astype(np.int64))


def decide_all(
    sets, buckets, threshold, capacity=1 << 20, groups=None, sketches=None, zeros=np.zeros
):
    sizes = np.array([len(each) for each in sets], dtype=np.int64)
    sketches = np.full((sizes.size, 2), ALIKE) if sketches is None else sketches
    groups = np.full(sizes.size, NO_GROUP) if groups is None else np.array(groups, np.int64)

    def load(chosen):
        assert sizes[chosen].sum() <= capacity or len(chosen) == 1
        values = [value for number in chosen for value in sorted(sets[number])]
        return np.array(values, dtype=np.uint64)

    candidates = Candidates(to_buckets(*buckets), sketches, groups, sizes)
    return decide_duplicates(candidates, load, Matching(threshold, 10, capacity), zeros)


def decide(sets, buckets=None, threshold=0.7, **options):
    buckets = [range(len(sets))] if buckets is None else buckets
    found = decide_all(sets, buckets, threshold, **options)
    return found.duplicate_of.tolist(), found.similarity.tolist()


def slow_decide(sets, buckets, threshold):
    duplicate_of, similarity = [], []
    for candidate, own in enumerate(sets):
        matches = [
            (rival, len(own & other) / len(own | other))
            for rival, other in enumerate(sets[:candidate])
            if duplicate_of[rival] == KEPT
            and any(candidate in bucket and rival in bucket for bucket in buckets)
        ]
        matches = [match for match in matches if match[1] >= threshold]
        rival, value = matches[0] if matches else (KEPT, 0.0)
        duplicate_of.append(rival)
        similarity.append(value)
    return duplicate_of, similarity


SETS = st.lists(st.sets(st.integers(0, 8), min_size=1), max_size=12)
THRESHOLDS = st.sampled_from([0.3, 0.5, 0.7, 0.75, 1.0])


@thorough
@given(SETS, THRESHOLDS)
def test_one_bucket_of_all_gives_what_a_quadratic_search_gives(sets, threshold):
    everybody = [range(len(sets))]
    assert decide(sets, everybody, threshold) == slow_decide(sets, everybody, threshold)


@thorough
@given(st.data(), SETS.filter(bool), THRESHOLDS)
def test_buckets_give_what_a_quadratic_search_in_them_gives(data, sets, threshold):
    members = st.sets(st.integers(0, len(sets) - 1), max_size=len(sets)).map(sorted)
    buckets = data.draw(st.lists(members, max_size=6))
    assert decide(sets, buckets, threshold) == slow_decide(sets, buckets, threshold)


@thorough
@given(SETS, THRESHOLDS)
def test_nothing_is_dropped_without_a_kept_match_at_the_threshold(sets, threshold):
    duplicate_of, similarity = decide(sets, threshold=threshold)
    for candidate, rival in enumerate(duplicate_of):
        if rival == KEPT:
            assert similarity[candidate] == 0
            continue
        exact = len(sets[candidate] & sets[rival]) / len(sets[candidate] | sets[rival])
        assert duplicate_of[rival] == KEPT
        assert similarity[candidate] == exact >= threshold


@thorough
@given(SETS, THRESHOLDS)
def test_no_two_kept_documents_of_a_bucket_match(sets, threshold):
    decided = zip(sets, decide(sets, threshold=threshold)[0], strict=True)
    kept = [own for own, rival in decided if rival == KEPT]
    for place, one in enumerate(kept):
        assert all(len(one & other) / len(one | other) < threshold for other in kept[:place])


def test_a_chain_loses_only_its_middle():
    chain = [set(range(10)), set(range(1, 11)), set(range(2, 12))]
    assert decide(chain, threshold=0.75)[0] == [KEPT, 0, KEPT]


def test_a_chain_that_begins_in_its_middle_keeps_only_that():
    chain = [set(range(1, 11)), set(range(10)), set(range(2, 12))]
    assert decide(chain, threshold=0.75)[0] == [KEPT, 0, 0]


def test_names_the_best_kept_match_and_not_the_most_similar():
    sets = [set(range(10)), set(range(20, 30)) | set(range(8)), set(range(9))]
    assert decide(sets, threshold=0.5) == ([KEPT, KEPT, 0], [0, 0, 0.9])
    sets = [{1, 2, 3, 4, 5}, {1, 2, 3, 7, 8}, {1, 2, 3, 7}]
    assert decide(sets, threshold=0.5) == ([KEPT, KEPT, 0], [0, 0, 0.5])


def test_alike_documents_that_share_no_bucket_are_kept():
    assert decide([{1}, {1}], buckets=[[0], [1]])[0] == [KEPT, KEPT]


def test_documents_that_share_thousands_of_buckets_are_rivals_once():
    # There is room for as many rivals as candidates; more would be written past its end.
    buckets = [[0, 1, 2]] * 20_000
    assert decide([{1, 2}, {3, 4}, {3, 4, 5}], buckets, 0.5)[0] == [KEPT, KEPT, 1]


@pytest.mark.parametrize(
    ("common", "size", "threshold"),
    [(7, 10, 0.7), (55, 100, 0.55), (56, 100, 0.56), (57, 100, 0.57), (29, 100, 0.29), (1, 1, 1.0)],
)
def test_a_similarity_of_exactly_the_threshold_is_a_match(common, size, threshold):
    assert common / size >= threshold
    assert decide([set(range(size)), set(range(common))], threshold=threshold)[0] == [KEPT, 0]


@brief
@given(st.data(), SETS.filter(bool), THRESHOLDS)
def test_arrays_on_files_decide_as_those_in_memory(tmp_path_factory, data, sets, threshold):
    members = st.sets(st.integers(0, len(sets) - 1), max_size=len(sets)).map(sorted)
    buckets = data.draw(st.lists(members, max_size=6))
    whole = decide_all(sets, buckets, threshold)
    zeros = ScratchArrays(tmp_path_factory.mktemp("scratch"), 0).zeros
    divided = decide_all(sets, buckets, threshold, 5, zeros=zeros)
    assert divided.duplicate_of.tolist() == whole.duplicate_of.tolist()
    assert divided.similarity.tolist() == whole.similarity.tolist()


@thorough
@given(st.data(), SETS.filter(bool), THRESHOLDS, st.integers(1, 20))
def test_what_fits_in_memory_does_not_matter(data, sets, threshold, capacity):
    members = st.sets(st.integers(0, len(sets) - 1), max_size=len(sets)).map(sorted)
    buckets = data.draw(st.lists(members, max_size=6))
    numbers = st.integers(NO_GROUP, 2)
    groups = data.draw(st.lists(numbers, min_size=len(sets), max_size=len(sets)))
    whole = decide_all(sets, buckets, threshold, groups=groups)
    divided = decide_all(sets, buckets, threshold, capacity, groups)
    assert divided.duplicate_of.tolist() == whole.duplicate_of.tolist()
    assert divided.similarity.tolist() == whole.similarity.tolist()
    assert divided.grouped.tolist() == whole.grouped.tolist()


def test_documents_of_one_group_are_duplicates_without_a_look_at_their_shingles():
    found = decide_all([{1}, {2}, {3}, {4}], [], 0.7, groups=[0, 1, 0, 0])
    assert found.duplicate_of.tolist() == [KEPT, KEPT, 0, 0]
    assert found.similarity.tolist() == [0, 0, 1, 1]
    assert found.grouped.tolist() == [False, False, True, True]


def test_a_document_whose_equal_was_dropped_stays_if_it_is_unlike_the_kept_one():
    # 1 equals 2 after normalizing and is a near-duplicate of 0, which 2 is not like.
    sets = [set(range(10)), set(range(9)), set(range(5, 9)), set(range(5, 9))]
    found = decide_all(sets, [[0, 1, 2]], 0.7, groups=[NO_GROUP, 0, 0, 0])
    assert found.duplicate_of.tolist() == [KEPT, 0, KEPT, 2]
    assert found.grouped.tolist() == [False, False, False, True]


def test_the_best_kept_match_counts_whatever_its_level():
    sets = [set(range(10)), {50}, set(range(9))]
    found = decide_all(sets, [[0, 2]], 0.7, groups=[NO_GROUP, 0, 0])
    assert found.duplicate_of.tolist() == [KEPT, KEPT, 0]
    assert not found.grouped.any()


def test_sketches_refuse_and_never_accept():
    far = np.array([[0], [2**64 - 1]], dtype=np.uint64)
    assert decide([{1}, {1}], sketches=far)[0] == [KEPT, KEPT]
    assert decide([{1}, {2}], sketches=far * ALIKE)[0] == [KEPT, KEPT]


@pytest.mark.timeout(60, method="thread")
@pytest.mark.parametrize("capacity", [1 << 30, 200_000])
def test_a_bucket_of_many_near_copies_takes_linear_work(capacity):
    # Each is compared with the one kept, in less than a second for all. Compared with all
    # before it they would take over 2e11 steps, which is minutes.
    count, size = 50_000, 100
    rows = np.tile(np.arange(size, dtype=np.uint64), (count, 1))
    rows[:, -1] += np.arange(count, dtype=np.uint64)
    alone = np.full(count, NO_GROUP)
    sketches = np.zeros((count, 8), np.uint64)
    everybody = to_buckets(*[range(count)] * 3)
    candidates = Candidates(everybody, sketches, alone, np.full(count, size))
    found = decide_duplicates(
        candidates, lambda chosen: rows[chosen].reshape(-1), Matching(0.7, 10, capacity)
    )
    assert found.duplicate_of.tolist() == [KEPT] + [0] * (count - 1)
    assert found.similarity[1:] == pytest.approx((size - 1) / (size + 1))


@pytest.mark.timeout(60, method="thread")
@pytest.mark.parametrize("refused", [False, True])
def test_a_bucket_of_many_unlike_documents_takes_linear_work(refused):
    # Compared with all before it, 1.25e9 comparisons instead of MOST_KEPT for each.
    count = 50_000
    random = np.random.default_rng(1)
    hashes = np.arange(count, dtype=np.uint64)
    hashes[-1] = hashes[0]
    hashes[-2] = hashes[MOST_KEPT + 5]
    sketches = np.zeros((count, 8), np.uint64)
    if refused:
        sketches = random.integers(0, 2**64, (count, 8), np.uint64)
        sketches[-1], sketches[-2] = sketches[0], sketches[MOST_KEPT + 5]
    # The last two have equals: one among the first of the large bucket, one that is not
    # but shares another bucket with it.
    buckets = to_buckets(range(count), [MOST_KEPT + 5, count - 2])
    candidates = Candidates(buckets, sketches, np.full(count, NO_GROUP), np.ones(count, np.int64))
    found = decide_duplicates(candidates, lambda chosen: hashes[chosen], Matching(0.7, 94, 1 << 30))
    assert np.flatnonzero(found.duplicate_of != KEPT).tolist() == [count - 2, count - 1]
    assert found.duplicate_of[-2:].tolist() == [MOST_KEPT + 5, 0]


@thorough
@given(st.data(), SETS.filter(bool), THRESHOLDS)
def test_a_crafted_full_bucket_costs_nobody_the_matches_of_other_buckets(data, sets, threshold):
    # All documents collide in one band by design, behind as many as are compared with.
    crafted = [{1000 + number} for number in range(MOST_KEPT)]
    numbers = st.integers(MOST_KEPT, MOST_KEPT + len(sets) - 1)
    honest = data.draw(st.lists(st.sets(numbers).map(sorted), max_size=6))
    everybody = range(MOST_KEPT + len(sets))
    expected = slow_decide(crafted + sets, honest, threshold)
    assert decide(crafted + sets, [everybody, *honest], threshold) == expected


@thorough
@given(
    st.sets(st.integers(0, 60)).map(sorted),
    st.sets(st.integers(0, 60)).map(sorted),
    st.floats(0.01, 1),
)
def test_a_similarity_is_exact_or_below_the_threshold(left, right, threshold):
    arrays = [np.array(each, dtype=np.uint64) for each in (left, right)]
    found = greedy._similarity(*arrays, threshold)
    union = set(left) | set(right)
    exact = len(set(left) & set(right)) / len(union) if union else 0.0
    assert found == exact if exact >= threshold else found < threshold


@pytest.mark.parametrize("portion", [1, 3])
def test_documents_without_shingles_are_decided_in_portions(monkeypatch, portion):
    monkeypatch.setattr(greedy, "_PORTION", portion)
    sets = [set(), {1}, set(), {1}, set(), set(), {2}, {1}]
    groups = [0, NO_GROUP, 0, NO_GROUP, 1, 0, NO_GROUP, NO_GROUP]
    found = decide_all(sets, [[1, 3, 6, 7]], 0.7, groups=groups)
    assert found.duplicate_of.tolist() == [KEPT, KEPT, 0, 1, KEPT, 0, KEPT, 1]


def test_decides_no_documents():
    assert decide([], buckets=[]) == ([], [])


@pytest.mark.parametrize("threshold", [0, -0.5, 1.01])
def test_refuses_a_threshold_that_is_no_similarity(threshold):
    message = f"threshold must be above 0 and at most 1, got {threshold}"
    with pytest.raises(ValueError, match=message):
        decide([{1}], threshold=threshold)
