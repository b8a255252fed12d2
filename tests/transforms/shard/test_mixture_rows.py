import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.mixture import MIXTURE
from schemas.shards import Split
from tests.transforms.builders import thorough
from tests.transforms.shard.sections import documents_of, measures_of
from transforms.shard.mixture_rows import merge_by_repository, mixture_rows

NAMES = st.lists(st.text(max_size=3), max_size=30, unique=True)


@thorough
@given(NAMES, st.integers(1, 4), st.integers(1, 12), st.randoms(use_true_random=False))
def test_rows_of_sections_are_merged_by_repository(names, sections, at_once, random):
    rows = [{"repository": name, "number": number} for number, name in enumerate(names)]
    dealt = [[] for _ in range(sections)]
    for row in sorted(rows, key=lambda row: row["repository"]):
        random.choice(dealt).append(row)
    schema = pa.schema([("repository", pa.string()), ("number", pa.int64())])
    tables = [pa.Table.from_pylist(own, schema=schema) for own in dealt]
    merged = list(merge_by_repository(tables, at_once))
    assert all(0 < len(batch) <= max(at_once, sections) for batch in merged)
    found = [row for batch in merged for row in batch.to_pylist()]
    assert found == sorted(rows, key=lambda row: row["repository"])


def test_counts_documents_once_and_as_often_as_epochs_have_them():
    measures = measures_of(repository_hash=[7, 3, 7], length=[4, 9, 0])
    total = measures_of(length=[2, 3, 1])["length"].to_numpy()
    documents = documents_of(measures)
    batch = mixture_rows({7: "seven", 3: "three", 5: "five"}, documents, Split.TRAIN, total, 2)
    assert batch.schema.equals(MIXTURE)
    three, seven = batch.to_pylist()
    assert three == {
        "repository": "three",
        "split": "train",
        "documents": 1,
        "tokens": 10,
        "weight": 1.5,
        "copies": 3,
        "shard_tokens": 30,
    }
    assert (seven["documents"], seven["tokens"], seven["shard_tokens"]) == (2, 6, 11)
    assert seven["weight"] == pytest.approx(11 / 6 / 2)
