import pyarrow as pa
import pytest

from schemas.shards import Split, file_name, schema
from schemas.tokens import schema as tokens_schema


def test_columns_are_a_contract():
    # Trainers read the shards by these names and types.
    assert [f"{field.name}: {field.type}" for field in schema(pa.uint16(), 2048)] == [
        "input_ids: fixed_size_list<item: uint16 not null>[2048]",
        "length: int32",
        "document_starts: list<item: int32 not null>",
        "documents: list<item: uint64 not null>",
        "offsets: list<item: int64 not null>",
    ]


def test_nothing_in_a_shard_is_null():
    assert not any(field.nullable for field in schema(pa.uint16(), 8))
    assert not any(field.nullable for field in tokens_schema(pa.uint16()))


@pytest.mark.parametrize(
    ("split", "number", "count", "name"),
    [
        (Split.TRAIN, 3, 64, "train-00003-of-00064.arrow"),
        (Split.VALIDATION, 0, 1, "validation-00000-of-00001.arrow"),
    ],
)
def test_names_shards_by_split_and_number(split, number, count, name):
    assert file_name(split, number, count) == name
