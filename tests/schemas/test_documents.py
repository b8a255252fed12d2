import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.documents import SCHEMA, document_id, document_position, part_of_repository

POSITIONS = st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**32 - 1))


def test_columns_are_a_contract():
    # Other teams' programs read the tables by these names and types.
    assert [f"{field.name}: {field.type}" for field in SCHEMA] == [
        "repository: string",
        "revision: string",
        "path: string",
        "content: large_binary",
        "sha256: string",
        "size: int64",
        "encoding: string",
        "language: string",
        "license: string",
        "license_class: string",
        "license_evidence: string",
        "license_confidence: float",
    ]


@given(POSITIONS)
def test_an_id_says_where_the_document_is(position):
    assert document_position(document_id(*position)) == position


@given(POSITIONS, POSITIONS)
def test_ids_sort_as_positions_do(one, other):
    assert (document_id(*one) < document_id(*other)) == (one < other)


@pytest.mark.parametrize(
    ("repository", "part"),
    [("pypi/boltons", 43), ("git/example.org/project", 51), ("\u00e9", 19)],
)
def test_the_part_of_a_repository_never_changes(repository, part):
    # Documents' ids contain it: were it to change, a crawl would not fit older attributes,
    # and one machine's documents would not be another's.
    assert part_of_repository(repository, 64) == part


@given(st.text(), st.integers(1, 1000))
def test_a_repository_is_in_one_of_the_parts(repository, parts):
    assert 0 <= part_of_repository(repository, parts) < parts


def test_repositories_spread_over_the_parts():
    found = [part_of_repository(f"pypi/project-{number}", 8) for number in range(800)]
    assert all(60 < found.count(part) < 140 for part in range(8))
