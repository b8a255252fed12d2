import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import brief
from tests.transforms.deduplicate.test_clusters import slow_contract
from transforms.deduplicate.clusters import NO_BATCH, find_roots, unite_pairs
from transforms.deduplicate.decisions import make_drops
from transforms.deduplicate.drop_files import look_up_drops, save_drops
from transforms.deduplicate.forests import LINKED, cut_places, write_forest
from transforms.deduplicate.partners import Partners, divide_partners
from transforms.deduplicate.staging import StagedArrays
from transforms.parts import Workspace

DOCUMENTS = 12
FIXED = 10


def divide(folder, links, capacity=1 << 20, ranges=3, link_capacity=4, documents=DOCUMENTS):
    """Divides documents that are linked, in arrays of ``LINKED``, each ascending."""
    arrays = StagedArrays(Workspace(run=str(folder), staging=str(folder)))
    cuts = cut_places(documents, ranges)
    slices = [[] for _ in range(ranges)]
    for number, own in enumerate(links):
        arrays.save(f"links-{number}.npy", own)
        ends = np.searchsorted(own["place"], cuts).tolist()
        for receiver, (start, stop) in enumerate(pairwise(ends)):
            slices[receiver].append((f"links-{number}.npy", start, stop))
    sizes = {
        number: write_forest(arrays, number, received, link_capacity)
        for number, received in enumerate(slices)
    }
    sizes = {number: size for number, size in sizes.items() if size}
    divide_partners(arrays, sizes, cuts, FIXED, link_capacity, capacity)
    return arrays


def ascending(links):
    return links[np.argsort(links["place"], kind="stable")]


def with_ends(pairs):
    """Links whose documents have as many shingles as their place is, each in one of its own."""
    everybody = {place for pair in pairs for place in pair}
    rows = [*pairs, *((place, place) for place in sorted(everybody))]
    return np.array([(place, linked, place) for place, linked in sorted(rows)], dtype=LINKED)


def divide_in_memory(links, documents, capacity):
    """The batch of each document and whether sketches find a match, from arrays of everything."""
    together = np.concatenate([np.zeros(0, LINKED), *links])
    parents = np.arange(documents, dtype=np.uint32)
    unite_pairs(together["place"].astype(int), together["linked"].astype(int), parents)
    roots = find_roots(parents)
    shingles = np.zeros(documents, dtype=np.int64)
    np.maximum.at(shingles, together["place"], together["shingles"])
    present = np.isin(np.arange(documents), together["place"])
    weights = np.bincount(roots, (FIXED + 8 * shingles) * present, documents).astype(int)
    batches = np.full(documents, NO_BATCH, dtype=np.uint32)
    batch = used = 0
    for root in np.flatnonzero(np.bincount(roots, minlength=documents) > 1).tolist():
        if used and used + weights[root] > capacity:
            batch, used = batch + 1, 0
        used += weights[root]
        batches[root] = batch
    return batches[roots].tolist(), (shingles > 0).tolist()


def batches(arrays, documents=DOCUMENTS):
    everybody = np.arange(documents, dtype=np.uint32)
    found, plausible = Partners.load(arrays).find_batches(everybody)
    return found.tolist(), plausible.tolist()


PLACES = st.integers(0, DOCUMENTS - 1)
PAIRS = st.lists(st.tuples(PLACES, PLACES).map(lambda pair: (max(pair), min(pair))), max_size=6)


@brief
@given(st.lists(PAIRS, max_size=3), st.sampled_from([1, 100, 1 << 20]), st.integers(1, 12))
def test_a_batch_has_whole_components(tmp_path_factory, links, capacity, ranges):
    arrays = divide(tmp_path_factory.mktemp("run"), map(with_ends, links), capacity, ranges)
    component = slow_contract([pair for own in links for pair in own])
    found, _ = batches(arrays)
    roots = list(component.values())
    linked = {place for place, root in component.items() if roots.count(root) > 1}
    assert {place for place in range(DOCUMENTS) if found[place] != NO_BATCH} == linked
    for one in component:
        for other in component:
            if component[one] == component[other]:
                assert found[one] == found[other]


@st.composite
def random_links(draw):
    """Some hundred documents, linked by chance, in a chain, with a few of them, or in pairs."""
    documents = draw(st.integers(2, 400))
    random = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    files = []
    for _ in range(draw(st.integers(0, 4))):
        count = draw(st.integers(0, 2 * documents))
        ends = random.integers(0, documents, (count, 2))
        match draw(st.sampled_from(["any", "chain", "hubs", "near"])):
            case "chain":
                ends[:, 1] = np.maximum(ends[:, 0] - 1, 0)
            case "hubs":
                ends[:, 1] %= 5
            case "near":
                ends[:, 1] = ends[:, 0] // 10 * 10
        own = np.zeros(2 * count, LINKED)
        own["place"] = np.concatenate((ends.max(axis=1), ends.min(axis=1)))
        own["linked"] = np.concatenate((ends.min(axis=1), ends.min(axis=1)))
        own["shingles"] = own["place"] % 7 * draw(st.integers(0, 1))
        files.append(ascending(own))
    return documents, files


@brief
@given(
    random_links(),
    st.sampled_from([1, 500, 1 << 20]),
    st.integers(1, 20),
    st.sampled_from([1, 10, 100, 1 << 20]),
)
def test_divides_as_one_search_in_memory_does(
    tmp_path_factory, linked, capacity, ranges, link_capacity
):
    documents, links = linked
    folder = tmp_path_factory.mktemp("run")
    arrays = divide(folder, links, capacity, ranges, link_capacity, documents)
    assert batches(arrays, documents) == divide_in_memory(links, documents, capacity)
    assert not list(folder.glob("deduplicate/.scratch*"))


def test_a_batch_holds_its_capacity_and_shingles_count(tmp_path):
    links = [with_ends([(1, 0), (5, 4), (9, 8)])]
    # A document has as many shingles of eight bytes as its place, and ten bytes besides.
    assert batches(divide(tmp_path, links, capacity=28 + 92 + 156))[0][8] == 0
    assert batches(divide(tmp_path, links, capacity=28 + 92 + 155))[0][8] == 1


def test_no_documents_have_no_batches(tmp_path):
    assert batches(divide(tmp_path, []))[0] == [NO_BATCH] * DOCUMENTS


@pytest.mark.parametrize("capacity", [1, 1 << 20])
def test_drops_are_found_in_the_files_of_their_batches(tmp_path, capacity):
    arrays = divide(tmp_path, [with_ends([(1, 0), (5, 4)])], capacity=capacity)
    numbers = batches(arrays)[0]
    for batch in sorted({numbers[1], numbers[5]}):
        mine = np.array([place for place in (1, 5) if numbers[place] == batch], np.uint32)
        drops = make_drops(mine, mine - 1, np.full(mine.size, 0.5), np.full(mine.size, 3))
        save_drops(arrays, batch, [drops[:1], drops[1:]], drops.size)
    places = np.array([7, 5, 0, 1], dtype=np.uint32)
    found = look_up_drops(arrays, Partners.load(arrays), places)
    assert found.tolist() == [(7, 7, 0, 0), (5, 4, 0.5, 3), (0, 0, 0, 0), (1, 0, 0.5, 3)]


MANY = 1_000_000
FILES = 40
ALLOWED = 12 << 20
"""Bytes of memory besides what a tiny division has taken; arrays of all would be 40 MB."""


@pytest.fixture(scope="module")
def many_links(tmp_path_factory):
    """Pairs, of which half are linked with others of these: a component of half of all."""
    folder = tmp_path_factory.mktemp("links")
    random = np.random.default_rng(1)
    files = []
    for number in range(FILES):
        later = np.arange(number, MANY, FILES)
        links = np.zeros(2 * later.size, LINKED)
        anybody = random.integers(0, later + 1) // 4 * 4
        better = np.where(later % 4 == 0, anybody, later // 2 * 2)
        links["place"] = np.concatenate((later, better))
        links["linked"] = np.concatenate((better, better))
        links["shingles"] = links["place"] % 100
        files.append(ascending(links))
        np.save(folder / f"{number}.npy", files[-1])
    return folder, files


def divide_limited(folder, ranges, link_capacity):
    command = [sys.executable, "-m", "tests.transforms.deduplicate.partners_limit"]
    arguments = [folder, FILES, MANY, ranges, link_capacity, ALLOWED]
    root = Path(__file__).parents[3]
    return subprocess.run(
        [*command, *map(str, arguments)], cwd=root, capture_output=True, text=True
    )


@pytest.mark.timeout(300, method="thread")
def test_more_partners_than_the_memory_there_is_are_divided(many_links):
    folder, links = many_links
    ended = divide_limited(folder, 40, 1 << 15)
    assert ended.returncode == 0, ended.stderr[-2000:]
    arrays = StagedArrays(Workspace(run=str(folder), staging=str(folder)))
    found = batches(arrays, MANY)
    assert found == divide_in_memory(links, MANY, 1 << 20)
    assert found[0].count(0) > MANY // 3


@pytest.mark.timeout(300, method="thread")
def test_all_links_at_once_are_more_than_that_memory(many_links):
    ended = divide_limited(many_links[0], 1, 1 << 40)
    assert ended.returncode != 0
    assert "MemoryError" in ended.stderr
