import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.duplicates import COPIES
from tests.transforms.builders import thorough
from transforms.deduplicate.copies import (
    MOST_REPOSITORIES,
    count_shared,
    describe_copies,
    largest_shares,
)

DOCUMENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=25)


def count(documents, names):
    clusters, owners = (np.array(column) for column in zip(*documents, strict=True))
    return count_shared(clusters.astype(np.uint32), owners, np.array(names))


@thorough
@given(DOCUMENTS.filter(bool), st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_counts_what_a_slow_version_counts(documents, names):
    expected = {}
    for worse in range(6):
        for better in range(worse):
            there = {cluster for cluster, owner in documents if owner == better}
            here = {cluster for cluster, owner in documents if owner == worse}
            shared = sum(owner == worse and c in there for c, owner in documents)
            reverse = sum(owner == better and c in here for c, owner in documents)
            if shared and names[worse] != names[better]:
                expected[worse, better] = (shared, reverse)
    found = count(documents, names)
    pairs = zip(found.repository.tolist(), found.better.tolist(), strict=True)
    counts = zip(found.shared.tolist(), found.reverse.tolist(), strict=True)
    assert dict(zip(pairs, counts, strict=True)) == expected


@pytest.mark.timeout(60, method="thread")
def test_a_file_that_all_repositories_have_takes_linear_work():
    # All pairs would be 1.25e9.
    repositories = 50_000
    found = count([(0, owner) for owner in range(repositories)], range(repositories))
    assert found.repository.size < MOST_REPOSITORIES * repositories
    assert set(found.better.tolist()) == set(range(MOST_REPOSITORIES))


def test_the_share_of_a_fork_and_of_a_vendored_project():
    # 0 has four files; 1 is a fork with a file of its own; 2 has 40 files and vendors 0.
    own = iter(range(100, 200))
    fork = [(cluster, 1) for cluster in (0, 1, 2, next(own))]
    vendor = [(cluster, 2) for cluster in (0, 1, 2, 3, *(next(own) for _ in range(36)))]
    shared = count([(cluster, 0) for cluster in range(4)] + fork + vendor, [0, 1, 2])
    files = np.array([4, 4, 40])
    assert largest_shares(shared, files).tolist() == pytest.approx([0, 0.75, 0.1])
    named = pa.table({"repository": ["o", "f", "v"], "revision": ["1", "2", "3"]})
    batch = describe_copies(shared, files, named)
    assert batch.schema == COPIES
    assert [tuple(row.values()) for row in batch.to_pylist()] == [
        ("f", "2", 4, "o", "1", 4, 3, 0.75, 0.75),
        ("v", "3", 40, "o", "1", 4, 4, pytest.approx(0.1), 1.0),
        ("v", "3", 40, "f", "2", 4, 3, pytest.approx(0.075), 0.75),
    ]


def test_revisions_of_one_repository_are_no_copies_of_each_other():
    found = count([(0, 0), (0, 1), (0, 2)], [7, 7, 8])
    assert (found.repository.tolist(), found.better.tolist()) == ([2, 2], [0, 1])


def test_repositories_without_anything_in_common_make_no_rows():
    shared = count([(0, 0), (1, 1)], [0, 1])
    files = np.array([1, 1])
    named = pa.table({"repository": ["a", "b"], "revision": ["1", "1"]})
    assert describe_copies(shared, files, named).num_rows == 0
    assert largest_shares(shared, files).tolist() == [0, 0]
