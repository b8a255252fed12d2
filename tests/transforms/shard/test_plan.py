import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import shards, tables, tokens
from tests.transforms.builders import thorough
from transforms.parts import PartWriter, map_stream
from transforms.shard.packing import shuffle_sequences
from transforms.shard.plan import MEASURES, Packing, SplitReader, measure_tokens

END = 50256
LENGTHS = st.lists(st.integers(0, 9), max_size=8)
TOKENS = tokens.schema(pa.uint16())


def token_batch(part, first, lengths):
    """Documents of so many tokens, each token telling its document and place."""
    rows = [
        {"document": part << 32 | row, "input_ids": [1000 * row + n for n in range(length)]}
        for row, length in enumerate(lengths, first)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=TOKENS)


def write_tokens(folder, parts):
    """Token parts of several batches each, from the lengths of their documents."""
    paths, documents = {}, {}
    for part, batches in enumerate(parts):
        paths[part] = folder / tables.part_name(part, "arrow")
        with PartWriter(paths[part], TOKENS, row_group_bytes=1) as writer:
            first = 0
            for lengths in batches:
                batch = token_batch(part, first, lengths)
                writer.write(batch)
                first += len(lengths)
                documents |= {row["document"]: row["input_ids"] for row in batch.to_pylist()}
    return paths, documents


def plan_of(paths):
    batches = []
    for path in paths.values():
        table = map_stream(path)
        batches.append(measure_tokens(table, np.arange(len(table), dtype=np.uint64)))
    return pa.Table.from_batches(batches, MEASURES)


@thorough
@given(
    parts=st.lists(st.lists(LENGTHS, max_size=3), min_size=1, max_size=3),
    context_length=st.integers(1, 12),
    sequences_per_shard=st.integers(1, 4),
)
def test_rows_are_the_shuffled_sequences_of_the_concatenation(
    tmp_path_factory, parts, context_length, sequences_per_shard
):
    paths, documents = write_tokens(tmp_path_factory.mktemp("tokens"), parts)
    packing = Packing(context_length, sequences_per_shard, seed=3, end_of_text=END)
    reader = SplitReader(plan_of(paths), paths, packing)
    schema = shards.schema(pa.uint16(), context_length)
    stream = [token for ids in documents.values() for token in [*ids, END]]
    cut = [stream[i : i + context_length] for i in range(0, len(stream), context_length)]
    expected = [cut[number] for number in shuffle_sequences(len(cut), 3)]
    rows = []
    for shard in range(-(-len(cut) // sequences_per_shard)):
        batches = list(reader.read(shard, schema))
        assert all(batch.schema.equals(schema) for batch in batches)
        found = [row for batch in batches for row in batch.to_pylist()]
        wanted = min(sequences_per_shard, len(cut) - shard * sequences_per_shard)
        assert len(found) == wanted
        rows += found
    assert [row["input_ids"][: row["length"]] for row in rows] == expected
    assert all(set(row["input_ids"][row["length"] :]) <= {END} for row in rows)


def test_measures_say_where_the_tokens_of_each_document_are(tmp_path):
    paths, documents = write_tokens(tmp_path, [[[3, 0], [2]]])
    table = map_stream(paths[0])
    measures = measure_tokens(table, np.array([7, 8, 9], dtype=np.uint64))
    assert measures.schema.equals(MEASURES)
    assert measures["repository_hash"].to_pylist() == [7, 8, 9]
    batches = table.to_batches()
    for row in measures.to_pylist():
        values = batches[row["chunk"]]["input_ids"].values.to_pylist()
        assert values[row["start"] :][: row["length"]] == documents[row["document"]]


def test_measures_no_documents(tmp_path):
    paths, _ = write_tokens(tmp_path, [[]])
    assert measure_tokens(map_stream(paths[0]), np.zeros(0, np.uint64)).num_rows == 0


@pytest.mark.parametrize("rows_per_batch", [1, 2, 3])
def test_a_shard_is_read_in_batches_of_bounded_size(tmp_path, monkeypatch, rows_per_batch):
    monkeypatch.setattr("schemas.shards.ROWS_PER_BATCH", rows_per_batch)
    paths, _ = write_tokens(tmp_path, [[[9, 9, 9]]])
    reader = SplitReader(plan_of(paths), paths, Packing(5, 5, seed=0, end_of_text=END))
    sizes = [len(batch) for batch in reader.read(0, shards.schema(pa.uint16(), 5))]
    assert sum(sizes) == 5
    assert max(sizes) == rows_per_batch
