import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from tests.transforms.shard.formats.shard_rows import record_batches, rows_of_pieces
from transforms.shard.formats.megatron import bin_chunks, index_bytes, sequence_lengths


def read_index(data):
    """Type code, and for each sequence its length and pointer, and the document indices.

    After the notes on the format: nine bytes of magic, a version of eight, a type code of
    one, two counts of eight, then 32-bit lengths, 64-bit pointers and 64-bit indices.
    """
    assert data[:9] == b"MMIDIDX\0\0"
    version, code, sequences, documents = struct.unpack_from("<QBQQ", data, 9)
    assert version == 1
    rest = data[34:]
    lengths = struct.unpack_from(f"<{sequences}i", rest)
    pointers = struct.unpack_from(f"<{sequences}q", rest, 4 * sequences)
    indices = struct.unpack_from(f"<{documents}q", rest, 12 * sequences)
    assert len(rest) == 12 * sequences + 8 * documents
    return code, list(zip(lengths, pointers, strict=True)), list(indices)


@pytest.mark.parametrize(
    ("token", "code", "form", "largest"),
    [(pa.uint16(), 8, "H", 2**16 - 1), (pa.uint32(), 4, "i", 2**31 - 1)],
)
@thorough
@given(data=st.data(), size=st.integers(1, 4))
def test_sequences_are_the_pieces_of_documents_in_order(data, size, token, code, form, largest):
    rows = data.draw(rows_of_pieces(largest))
    batches = record_batches(rows, token, size)
    tokens = b"".join(bin_chunks(batches))
    found, sequences, documents = read_index(index_bytes(sequence_lengths(batches), token))
    assert found == code
    pieces = [piece for row in rows for piece in row]
    assert [
        list(struct.unpack_from(f"<{length}{form}", tokens, pointer))
        for length, pointer in sequences
    ] == pieces
    assert documents == list(range(len(pieces) + 1))
    assert len(tokens) == struct.calcsize(form) * sum(map(len, pieces))


def test_tokens_of_full_rows_are_not_copied():
    (batch,) = record_batches([[[1, 2, 3, 4, 5, 6]], [[7, 8], [9, 1, 2, 3]]], pa.uint16(), 2)
    (chunk,) = bin_chunks([batch])
    source = batch["input_ids"].values.to_numpy()
    assert np.shares_memory(np.frombuffer(chunk, np.uint16), source)
    assert np.frombuffer(chunk, np.uint16).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3]


def test_pointers_reach_beyond_what_32_bits_hold():
    lengths = np.full(3, 2**30, dtype=np.int32)
    _, sequences, _ = read_index(index_bytes(lengths, pa.uint32()))
    assert [pointer for _, pointer in sequences] == [0, 2**32, 2**33]


def test_refuses_ids_of_a_type_that_shards_do_not_have():
    with pytest.raises(ValueError, match="ids must be of uint16 or uint32, got int64"):
        index_bytes(np.ones(1, np.int32), pa.int64())
