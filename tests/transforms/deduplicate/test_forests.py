import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import brief
from tests.transforms.deduplicate.test_clusters import slow_contract
from transforms.deduplicate.forests import (
    LINKED,
    cut_places,
    forest_file,
    partner_file,
    write_forest,
)
from transforms.deduplicate.staging import StagedArrays
from transforms.parts import Workspace

PLACES = st.integers(0, 11)
LINKS = st.lists(
    st.tuples(PLACES, PLACES, st.integers(0, 3)).map(
        lambda link: (max(link[:2]), min(link[:2]), link[2])
    ),
    max_size=8,
)


def write(folder, files, capacity):
    arrays = StagedArrays(Workspace(run=str(folder), staging=str(folder)))
    slices = []
    for number, links in enumerate(files):
        slices.append((f"{number}.npy", 0, len(links)))
        arrays.save(slices[-1][0], np.array(links, dtype=LINKED))
    return arrays, write_forest(arrays, 0, reversed(slices), capacity)


@brief
@given(st.lists(LINKS, max_size=4).filter(any), st.sampled_from([1, 5, 100]))
def test_a_forest_connects_what_its_links_connect_with_few_of_them(
    tmp_path_factory, files, capacity
):
    arrays, size = write(tmp_path_factory.mktemp("run"), files, capacity)
    links = [link for own in files for link in own]
    forest = list(zip(*arrays.load(forest_file(0)).tolist(), strict=True))
    alone = [(place, place) for link in links for place in link[:2]]
    assert slow_contract([*forest, *alone]) == slow_contract([link[:2] for link in links])
    assert [place for place, _ in forest] == sorted({place for place, _ in forest})
    assert all(linked < place for place, linked in forest)
    shingles = {}
    for place, _, count in links:
        shingles[place] = max(shingles.get(place, 0), count)
    assert arrays.load(partner_file(0)).tolist() == sorted(shingles.items())
    assert size == len(shingles)


def test_no_links_are_no_forest(tmp_path):
    arrays, size = write(tmp_path, [[], []], 10)
    assert size == 0
    assert not arrays.path(forest_file(0)).exists()


@pytest.mark.parametrize(("documents", "ranges"), [(0, 1), (1, 3), (10, 3), (2**32 - 1, 7)])
def test_ranges_of_places_have_every_place_once(documents, ranges):
    cuts = cut_places(documents, ranges).tolist()
    assert (cuts[0], cuts[-1], len(cuts)) == (0, documents, ranges + 1)
    assert cuts == sorted(cuts)
