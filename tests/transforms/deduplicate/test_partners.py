import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.duplicates import Level
from tests.transforms.builders import brief
from tests.transforms.deduplicate.test_clusters import slow_contract
from transforms.deduplicate.clusters import NO_BATCH
from transforms.deduplicate.contents import make_groups
from transforms.deduplicate.decisions import make_drops
from transforms.deduplicate.drop_files import look_up_drops, save_drops
from transforms.deduplicate.partners import LINKED, Partners, divide_partners
from transforms.deduplicate.staging import StagedArrays
from transforms.parts import Workspace

DOCUMENTS = 12


def divide(folder, links, groups=(), exact=(), capacity=1 << 20):
    arrays = StagedArrays(Workspace(run=str(folder), staging=str(folder)))
    names = []
    for number, own in enumerate(links):
        names.append(f"links-{number}.npy")
        rows = [(place, linked, place) for place, linked in own]
        arrays.save(names[-1], np.array(rows, dtype=LINKED))
    names.append("groups.npy")
    grouped = [
        make_groups(*np.array(pairs, dtype=np.uint32).reshape(-1, 2).T, level)
        for level, pairs in ((Level.EXACT, exact), (Level.NORMALIZED, groups))
    ]
    arrays.save(names[-1], np.concatenate(grouped))
    divide_partners(arrays, names, DOCUMENTS, 10, capacity)
    return arrays


def batches(arrays):
    everybody = np.arange(DOCUMENTS, dtype=np.uint32)
    found, plausible = Partners.load(arrays).find_batches(everybody)
    return found.tolist(), plausible.tolist()


PLACES = st.integers(0, DOCUMENTS - 1)
PAIRS = st.lists(st.tuples(PLACES, PLACES).map(lambda pair: (max(pair), min(pair))), max_size=6)


@brief
@given(st.lists(PAIRS, max_size=3), PAIRS, st.sampled_from([1, 100, 1 << 20]))
def test_a_batch_has_whole_components_of_links_and_groups(
    tmp_path_factory, links, groups, capacity
):
    # A link is of two documents, each of which is listed.
    links = [[*own, *((linked, linked) for _, linked in own)] for own in links]
    arrays = divide(tmp_path_factory.mktemp("run"), links, groups, capacity=capacity)
    component = slow_contract([pair for own in links for pair in own] + groups)
    found, plausible = batches(arrays)
    alone = [place for place in range(DOCUMENTS) if place not in component]
    assert [place for place in range(DOCUMENTS) if found[place] == NO_BATCH] == [
        *sorted({*alone, *_single(component)})
    ]
    for one in component:
        for other in component:
            if component[one] == component[other]:
                assert found[one] == found[other]
    among = {place for own in links for place, _ in own}
    assert plausible == [place in among for place in range(DOCUMENTS)]


def _single(component):
    roots = list(component.values())
    return [place for place, root in component.items() if roots.count(root) == 1]


def test_a_batch_holds_its_capacity_and_shingles_count(tmp_path):
    links = [[(0, 0), (1, 0), (4, 4), (5, 4), (8, 8), (9, 8)]]
    # A document has as many shingles of eight bytes as its place, and ten bytes besides.
    assert batches(divide(tmp_path, links, capacity=28 + 92 + 156))[0][8] == 0
    assert batches(divide(tmp_path, links, capacity=28 + 92 + 155))[0][8] == 1


def test_exact_copies_are_no_partners(tmp_path):
    assert batches(divide(tmp_path, [], exact=[(3, 1)]))[0] == [NO_BATCH] * DOCUMENTS


@pytest.mark.parametrize("capacity", [1, 1 << 20])
def test_drops_are_found_in_the_files_of_their_batches(tmp_path, capacity):
    arrays = divide(tmp_path, [[(0, 0), (1, 0), (4, 4), (5, 4)]], capacity=capacity)
    numbers = batches(arrays)[0]
    for batch in sorted({numbers[1], numbers[5]}):
        mine = np.array([place for place in (1, 5) if numbers[place] == batch], np.uint32)
        drops = make_drops(mine, mine - 1, np.full(mine.size, 0.5), np.full(mine.size, 3))
        save_drops(arrays, batch, drops)
    places = np.array([7, 5, 0, 1], dtype=np.uint32)
    found = look_up_drops(arrays, Partners.load(arrays), places)
    assert found.tolist() == [(7, 7, 0, 0), (5, 4, 0.5, 3), (0, 0, 0, 0), (1, 0, 0.5, 3)]
