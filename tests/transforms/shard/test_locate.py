import itertools
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.shards import schema
from tests.transforms.builders import brief
from transforms.shard.locate import count_pieces, find_document

DOCUMENTS = [[1, 2], [2], [3, 4, 2], [1 << 32], [5, 5]]


@pytest.fixture
def shard():
    kind = pa.list_(pa.uint64())
    batches = [pa.record_batch({"documents": pa.array(DOCUMENTS[:3], kind)})]
    batches.append(pa.record_batch({"documents": pa.array(DOCUMENTS[3:], kind)}))
    return pa.Table.from_batches(batches)


@pytest.mark.parametrize("document", [1, 2, 3, 4, 5, 1 << 32, 0, 6])
def test_finds_each_row_that_holds_a_piece_once(shard, document):
    expected = [row for row, documents in enumerate(DOCUMENTS) if document in documents]
    assert find_document(shard, document) == expected


@pytest.mark.parametrize("document", [1, 2, 4, 5])
def test_counts_the_rows_of_a_slice_from_its_beginning(shard, document):
    expected = [row for row, documents in enumerate(DOCUMENTS[1:3]) if document in documents]
    assert find_document(shard.slice(1, 2), document) == expected


def test_finds_nothing_in_a_shard_without_rows(shard):
    assert find_document(shard.schema.empty_table(), 1) == []


LENGTHS = st.lists(st.lists(st.integers(1, 9), max_size=4), max_size=8)


def packed(rows, documents):
    """A shard whose rows hold pieces of these lengths, of documents by turns."""
    kind = schema(pa.uint16(), 64)
    found = []
    numbers = itertools.cycle(documents)
    for lengths in rows:
        starts = np.cumsum([0, *lengths])
        found.append(
            {
                "input_ids": [0] * 64,
                "length": int(starts[-1]),
                "document_starts": starts[:-1].tolist(),
                "documents": [next(numbers) for _ in lengths],
                "offsets": [0] * len(lengths),
            }
        )
    return pa.Table.from_pylist(found, schema=kind)


@brief
@given(rows=LENGTHS, batch=st.integers(1, 3), skipped=st.integers(0, 2))
def test_counts_the_tokens_of_each_document(rows, batch, skipped):
    documents = [7, 3, 1 << 32, 3, (1 << 52) - 1]
    shard = packed(rows, documents)
    shard = pa.Table.from_batches(shard.to_batches(max_chunksize=batch), shard.schema)[skipped:]
    expected = Counter()
    for row in shard.to_pylist():
        ends = [*row["document_starts"][1:], row["length"]]
        for document, start, end in zip(
            row["documents"], row["document_starts"], ends, strict=False
        ):
            expected[document] += end - start
    found = count_pieces(shard, 0, 1 << 63)
    assert found.documents.tolist() == sorted(expected)
    assert found.tokens.tolist() == [count for _, count in sorted(expected.items())]
    assert found.tokens.sum() == sum(shard["length"].to_pylist())


def test_counts_those_of_a_range_of_documents():
    shard = packed([[1, 2, 3, 4]], [7, 8, 9, 10])
    found = count_pieces(shard, 8, 10)
    assert (found.documents.tolist(), found.tokens.tolist()) == ([8, 9], [2, 3])
