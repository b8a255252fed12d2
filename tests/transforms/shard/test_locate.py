import pyarrow as pa
import pytest

from transforms.shard.locate import find_document

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
