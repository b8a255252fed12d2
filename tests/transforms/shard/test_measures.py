import pyarrow as pa
import pytest

from schemas import tables, tokens
from schemas.duplicates import DUPLICATES
from tests.transforms.builders import Repository, document_names, part_names, write_run, write_table
from transforms.parts import map_stream, read_part
from transforms.shard.measures import NO_GROUP, Mixture, measure_part
from transforms.shard.plan import MEASURES
from transforms.shard.split import hash_repository

CRAWLED = [
    Repository("a", {"1.py": b"", "2.c": b"", "3.py": b""}, languages={"2.c": "c"}, source="git"),
    Repository("a", {"1.py": b"x"}, revision="2", source="git"),
    Repository("b", {"1.py": b""}, file_license="MIT", license_class="permissive"),
]
LENGTHS = [3, 0, 2, 5, 1]


@pytest.fixture
def workspace(tmp_path):
    return prepare(tmp_path)


def prepare(folder, left_out=()):
    workspace = write_run(folder, CRAWLED, parts=1)
    rows = [
        {"document": row, "key": 10 + row, "input_ids": list(range(length))}
        for row, length in enumerate(LENGTHS)
        if row not in left_out
    ]
    batch = pa.RecordBatch.from_pylist(rows, schema=tokens.schema(pa.uint16()))
    write_table(workspace, tables.TOKENS, 0, batch)
    ranks = [{"rank": len(rows) - place} for place in range(len(rows))]
    order = pa.RecordBatch.from_pylist(ranks, schema=tokens.READING_ORDER)
    write_table(workspace, tables.READING_ORDER, 0, order)
    alone = [dict.fromkeys(DUPLICATES.names) | {"cluster": 7 + row} for row in range(len(LENGTHS))]
    duplicates = pa.RecordBatch.from_pylist(alone, schema=DUPLICATES)
    write_table(workspace, tables.DUPLICATES, 0, duplicates)
    return workspace


def measure(workspace, **mixture):
    return measure_part(workspace, "part-00000.arrow", 1, Mixture(**mixture))


def test_measures_say_what_planning_needs_of_each_document(workspace):
    found = measure(workspace)
    assert found.schema.equals(MEASURES)
    owners = [name for name, _ in document_names(workspace).values()]
    assert found["repository_hash"].to_pylist() == [hash_repository(name, 1) for name in owners]
    assert found["key"].to_pylist() == [10, 11, 12, 13, 14]
    assert found["cluster"].to_pylist() == [7, 8, 9, 10, 11]
    assert found["rank"].to_pylist() == [5, 4, 3, 2, 1]
    assert found["weight"].to_pylist() == [1.0] * 5
    assert found["group"].to_pylist() == [NO_GROUP] * 5


def test_measures_say_where_the_tokens_of_each_document_are(workspace):
    batches = map_stream(workspace.committed(tables.TOKENS, "part-00000.arrow")).to_batches()
    for row, length in zip(measure(workspace).to_pylist(), LENGTHS, strict=True):
        values = batches[row["chunk"]]["input_ids"].values.to_pylist()
        assert row["length"] == length
        assert values[row["start"] :][:length] == list(range(length))


def test_what_is_not_selected_has_no_measures(tmp_path):
    workspace = prepare(tmp_path, left_out=[0, 3])
    found = measure(workspace, weights={"language": {"c": 3.0}})
    assert found["document"].to_pylist() == [1, 2, 4]
    assert found["cluster"].to_pylist() == [8, 9, 11]
    assert found["weight"].to_pylist() == [3.0, 1.0, 1.0]
    paths = read_part(workspace.committed(tables.DOCUMENTS, part_names(workspace)[0]), ["path"])
    assert paths["path"].to_pylist()[1] == "2.c"


def test_a_weight_is_the_product_of_all_that_name_a_document(workspace):
    weights = {
        "language": {"python": 2.0, "c": 0.5},
        "source": {"git": 3.0},
        "repository": {"b": 0.0},
    }
    assert measure(workspace, weights=weights)["weight"].to_pylist() == [6.0, 1.5, 6.0, 6.0, 0.0]


@pytest.mark.parametrize(
    ("licenses", "weights"),
    [
        ({"MIT": 2.0}, [1, 1, 1, 1, 2]),
        ({"none": 3.0}, [3, 3, 3, 3, 3]),
        ({"none": 3.0, "MIT": 2.0}, [3, 3, 3, 3, 2]),
    ],
)
def test_the_license_expression_counts_before_its_class(workspace, licenses, weights):
    # The builder gives documents the class "none" whatever their license.
    assert measure(workspace, weights={"license": licenses})["weight"].to_pylist() == weights


def test_groups_are_numbered_in_the_order_of_their_names(workspace):
    found = measure(workspace, shares_by="language", shares={"python": 1.0, "c": 2.0})
    assert found["group"].to_pylist() == [1, 0, 1, 1, 1]
    found = measure(workspace, shares_by="language", shares={"c": 2.0})
    assert found["group"].to_pylist() == [NO_GROUP, 0, NO_GROUP, NO_GROUP, NO_GROUP]


def test_measures_no_documents(tmp_path):
    workspace = prepare(tmp_path, left_out=range(5))
    assert measure(workspace).num_rows == 0
