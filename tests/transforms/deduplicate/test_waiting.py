import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import brief
from tests.transforms.deduplicate.test_clusters import slow_contract
from transforms.deduplicate import waiting as waiting_links
from transforms.deduplicate.waiting import WaitingLinks


def columns(links):
    places, linked = np.array(sorted(links), dtype=np.uint32).reshape(-1, 2).T.copy()
    return places, linked


LINKS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted).map(reversed))
STEPS = st.lists(LINKS.map(lambda links: list(map(tuple, links))), max_size=8)


@brief
@given(STEPS, st.sampled_from([1, 4, 100]))
def test_links_that_are_taken_connect_what_was_added(tmp_path_factory, steps, capacity):
    folder = tmp_path_factory.mktemp("scratch")
    waiting = WaitingLinks(folder, capacity)
    added, taken = [], []
    for low, links in zip(range(28, -1, -4), steps, strict=False):
        # Documents of that place and later ones have been taken.
        links = [link for link in links if link[0] < low + 4]
        added += links
        waiting.add(*columns(links))
        count = waiting.count(low)
        places, linked = waiting.take(low)
        assert count == places.size
        assert (places >= low).all()
        assert (linked < places).all()
        taken += zip(places.tolist(), linked.tolist(), strict=True)
        assert waiting.count(low) == 0
    rest = waiting.take(0)
    taken += zip(*(column.tolist() for column in rest), strict=True)
    alone = [(place, place) for link in added for place in link]
    assert slow_contract([*taken, *alone]) == slow_contract(added)
    assert list(folder.iterdir()) == []


def test_more_links_than_there_is_room_for_lie_in_files(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(
        waiting_links, "map_scratch", lambda *each: made.append(each) or np.zeros(each[2], each[1])
    )
    monkeypatch.setattr("pathlib.Path.unlink", lambda path: None)
    waiting = WaitingLinks(tmp_path, 10)
    for first in range(0, 40, 4):
        waiting.add(*columns([(place + 1, 0) for place in range(first, first + 4)]))
    assert sum(size for _, _, size in made) >= 2 * 30
    assert waiting.count(0) == 40


@pytest.mark.parametrize("capacity", [1, 1000])
def test_links_that_are_added_again_and_again_wait_once(tmp_path, capacity):
    waiting = WaitingLinks(tmp_path, capacity)
    for _ in range(10 * waiting_links.MOST_PIECES):
        waiting.add(*columns([(7, 3)]))
    assert waiting.count(0) <= waiting_links.MOST_PIECES or capacity == 1
    assert set(waiting.take(0)[0].tolist()) == {7}
