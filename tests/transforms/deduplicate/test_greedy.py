import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.deduplicate.greedy import KEPT, Buckets, ShingleSets, decide_duplicates


def to_sets(*arrays_of_sets):
    """Sets in several arrays, the candidates' order across them."""
    arrays, array, start, end = [], [], [], []
    for number, sets in enumerate(arrays_of_sets):
        ordered = [sorted(each) for each in sets]
        ends = np.cumsum([0, *map(len, ordered)])
        arrays.append(np.array([value for each in ordered for value in each], dtype=np.uint64))
        array += [number] * len(sets)
        start += ends[:-1].tolist()
        end += ends[1:].tolist()
    return ShingleSets(arrays, *(np.array(each, dtype=np.int64) for each in (array, start, end)))


def to_buckets(*buckets):
    members = [member for bucket in buckets for member in bucket]
    offsets = np.cumsum([0, *map(len, buckets)])
    return Buckets(np.array(members, dtype=np.int64), offsets.astype(np.int64))


def decide(sets, buckets=None, threshold=0.7):
    buckets = [range(len(sets))] if buckets is None else buckets
    duplicate_of, similarity = decide_duplicates(to_buckets(*buckets), to_sets(sets), threshold)
    return duplicate_of.tolist(), similarity.tolist()


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


def test_sets_may_lie_in_several_read_only_arrays():
    sets = to_sets([{1, 2}, {3}], [{1, 2}, {4}])
    for array in sets.arrays:
        array.flags.writeable = False
    duplicate_of, similarity = decide_duplicates(to_buckets([0, 1, 2, 3]), sets, 0.7)
    assert duplicate_of.tolist() == [KEPT, KEPT, 0, KEPT]
    assert similarity.tolist() == [0, 0, 1, 0]


@pytest.mark.timeout(60, method="thread")
def test_a_bucket_of_many_near_copies_takes_linear_work():
    # Each is compared with the one kept, in less than a second for all. Compared with all
    # before it they would take over 2e11 steps, which is minutes.
    count, size = 50_000, 100
    base = np.arange(size, dtype=np.uint64)
    rows = np.tile(base, (count, 1))
    rows[:, -1] += np.arange(count, dtype=np.uint64)
    start = np.arange(count, dtype=np.int64) * size
    sets = ShingleSets([rows.reshape(-1)], np.zeros(count, np.int64), start, start + size)
    duplicate_of, similarity = decide_duplicates(to_buckets(range(count)), sets, 0.7)
    assert duplicate_of.tolist() == [KEPT] + [0] * (count - 1)
    assert similarity[1:] == pytest.approx((size - 1) / (size + 1))


def test_decides_no_documents():
    assert decide([], buckets=[]) == ([], [])


@pytest.mark.parametrize("threshold", [0, -0.5, 1.01])
def test_refuses_a_threshold_that_is_no_similarity(threshold):
    message = f"threshold must be above 0 and at most 1, got {threshold}"
    with pytest.raises(ValueError, match=message):
        decide([{1}], threshold=threshold)
