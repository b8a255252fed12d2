from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import MASK, thorough
from tests.transforms.shard.sections import FilesInMemory, measures_of
from transforms.shard.split import link_repositories
from transforms.shard.summaries import (
    GROUPS,
    link_range,
    read_links,
    summarize_groups,
    write_clusters,
)

DOCUMENTS = st.lists(
    st.tuples(
        st.sampled_from([0, 5, MASK]),
        st.integers(-1, 2),
        st.integers(0, 99),
        st.floats(0, 9, width=16),
    ),
    max_size=20,
)
"""Hashes of repositories, groups, lengths and weights."""
CLUSTERED = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), max_size=20)
"""Hashes of repositories, and clusters."""


@thorough
@given(DOCUMENTS)
def test_documents_are_added_up_by_repository_and_group(documents):
    columns = [list(each) for each in zip(*documents, strict=True)] or [[]] * 4
    names = ("repository_hash", "group", "length", "weight")
    summary = summarize_groups(measures_of(**dict(zip(names, columns, strict=True))))
    assert summary.schema.equals(GROUPS)
    expected = defaultdict(list)
    for repository, group, length, weight in documents:
        expected[repository, group].append((length + 1, weight))
    rows = summary.to_pylist()
    assert [(row["repository_hash"], row["group"]) for row in rows] == sorted(expected)
    for row in rows:
        own = expected[row["repository_hash"], row["group"]]
        assert row["tokens"] == sum(tokens for tokens, _ in own)
        assert row["weighted_tokens"] == pytest.approx(sum(t * weight for t, weight in own))
        assert row["greatest_weight"] == max(weight for _, weight in own)


@thorough
@given(st.lists(CLUSTERED, min_size=1, max_size=4))
def test_links_of_sections_and_ranges_join_what_clusters_of_all_documents_do(sections):
    files, count = FilesInMemory(), len(sections)
    for section, documents in enumerate(sections):
        columns = [list(each) for each in zip(*documents, strict=True)] or [[]] * 2
        measures = measures_of(repository_hash=columns[0], cluster=columns[1])
        write_clusters(files, section, count, measures)
    for number in range(count):
        link_range(files, number, count)
    hashes, clusters = np.array([d for own in sections for d in own], np.uint64).reshape(-1, 2).T
    whole = link_repositories(clusters, hashes).links
    assert components(read_links(files, count)) == components([whole])


def components(links):
    """Sets of hashes that links join."""
    found = []
    for pair in (set(pair) for each in links for pair in each.tolist()):
        joined = pair.union(*(each for each in found if each & pair))
        found = [each for each in found if not each & pair] + [joined]
    return sorted(map(sorted, found))
