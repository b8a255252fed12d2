import itertools
import json
import struct

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from tests.transforms.shard.formats.shard_rows import (
    CONTEXT,
    PADDING,
    record_batches,
    rows_of_pieces,
)
from transforms.shard.formats.mds import Samples, file_name

FORMS = {pa.uint16(): "H", pa.uint32(): "I"}
TYPES = st.sampled_from([*FORMS])


def read_file(data, form):
    """The description of columns in a file of MDS, and its samples.

    After the notes on the format: the number of samples and where each begins and the last
    one ends, as 32-bit numbers; JSON; samples, whose columns of fixed size stand in order.
    """
    (count,) = struct.unpack_from("<I", data)
    offsets = struct.unpack_from(f"<{count + 1}I", data, 4)
    description = json.loads(data[4 * (count + 2) : offsets[0]])
    assert offsets[-1] == len(data)
    samples = []
    for begin, end in itertools.pairwise(offsets):
        *ids, length = struct.unpack(f"<{CONTEXT}{form}i", data[begin:end])
        samples.append((ids, length))
    return description, samples


@thorough
@given(TYPES, rows_of_pieces(2**16 - 1), st.integers(1, 4))
def test_samples_are_the_rows_with_their_lengths(token, rows, size):
    encoded = Samples(token, CONTEXT)
    data = b"".join(encoded.chunks(record_batches(rows, token, size), len(rows)))
    _, samples = read_file(data, FORMS[token])
    ids = [[token for piece in row for token in piece] for row in rows]
    assert samples == [(row + [PADDING] * (CONTEXT - len(row)), len(row)) for row in ids]


@thorough
@given(TYPES, st.lists(rows_of_pieces(9), max_size=3))
def test_the_index_follows_from_the_numbers_of_rows_alone(token, shards):
    encoded = Samples(token, CONTEXT)
    index = json.loads(encoded.index([len(rows) for rows in shards]))
    assert index.pop("version") == 2
    for number, (rows, entry) in enumerate(zip(shards, index["shards"], strict=True)):
        data = b"".join(encoded.chunks(record_batches(rows, token, 2), len(rows)))
        description, samples = read_file(data, FORMS[token])
        raw = {"basename": file_name(number), "bytes": len(data), "hashes": {}}
        assert entry.pop("raw_data") == raw
        assert entry.pop("samples") == len(samples)
        assert entry.pop("zip_data") is None
        assert entry == description


def test_columns_are_described_as_fixed_in_size():
    assert Samples(pa.uint16(), 2048).columns == {
        "version": 2,
        "format": "mds",
        "compression": None,
        "hashes": [],
        "size_limit": None,
        "column_names": ["input_ids", "length"],
        "column_encodings": ["ndarray:uint16:2048", "int32"],
        "column_sizes": [4096, 4],
    }


def test_names_files_by_their_number():
    assert [file_name(3), file_name(100_000)] == ["shard.00003.mds", "shard.100000.mds"]


@pytest.mark.parametrize("rows", [1, 3])
def test_refuses_another_number_of_rows_than_was_announced(rows):
    batches = record_batches([[[1]], [[2]]], pa.uint16(), 1)
    with pytest.raises(ValueError, match=f"expected {rows} rows, got 2"):
        list(Samples(pa.uint16(), CONTEXT).chunks(batches, rows))


def test_refuses_a_file_whose_offsets_would_not_fit():
    samples = Samples(pa.uint32(), 8192)
    assert samples.header(131_000)
    with pytest.raises(ValueError, match="less than 4 GiB, got 131,072 rows of 32,772 bytes"):
        samples.header(131_072)
