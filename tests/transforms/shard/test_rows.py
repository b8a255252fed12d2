import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import shards, tables, tokens
from tests.transforms.builders import thorough
from tests.transforms.shard.sections import FilesInMemory, documents_of, measures_of
from transforms.parts import PartWriter, map_stream
from transforms.shard.buckets import plan_bucket, write_pieces
from transforms.shard.layout import lay_out
from transforms.shard.passes import pack_copies
from transforms.shard.plan import Packing
from transforms.shard.rows import RowGatherer

END = 50256
TOKENS = tokens.schema(pa.uint16())
LENGTHS = st.lists(st.integers(0, 9), max_size=8)


def write_tokens(folder, parts):
    """Token parts of several batches each, whose tokens tell their document and place."""
    paths, documents, places = {}, {}, []
    for part, batches in enumerate(parts):
        paths[part] = folder / tables.part_name(part, "arrow")
        row = 0
        chunks = [lengths for lengths in batches if lengths]
        with PartWriter(paths[part], TOKENS, row_group_bytes=1) as writer:
            for chunk, lengths in enumerate(chunks):
                start, rows = 0, []
                for length in lengths:
                    document = part << 32 | row
                    ids = [1000 * row + place for place in range(length)]
                    rows.append({"document": document, "key": 0, "input_ids": ids})
                    documents[document] = ids
                    places.append((document, chunk, start, length))
                    row, start = row + 1, start + length
                writer.write(pa.RecordBatch.from_pylist(rows, schema=TOKENS))
    names = ("document", "chunk", "start", "length")
    kinds = (pa.uint64(), pa.int64(), pa.int64(), pa.int64())
    columns = list(zip(*places, strict=True)) or [()] * 4
    measures = pa.table(
        {
            name: pa.array(column, kind)
            for name, column, kind in zip(names, columns, kinds, strict=True)
        }
    )
    return paths, documents, measures


def gather(paths, measures, packing, schema):
    columns = {name: measures[name].to_pylist() for name in measures.column_names}
    documents, files = documents_of(measures_of(**columns)), FilesInMemory()
    packed = pack_copies(documents.lengths, np.ones(documents.count, np.int64), packing)
    counts = [[packed.first.size - 1], [0]]
    layout = lay_out(counts, 1, packing.sequences_per_shard, 1 << 60, [packing.seed] * 2)
    write_pieces(files, layout, (0, 0), packed, documents, packing.seed)
    gatherer = RowGatherer(paths, packing)
    for _, plan in plan_bucket(files, layout, 0):
        yield list(gatherer.gather(pa.Table.from_batches([plan]), schema))


@thorough
@given(
    parts=st.lists(st.lists(LENGTHS, max_size=3), min_size=1, max_size=3),
    context_length=st.integers(1, 12),
    sequences_per_shard=st.integers(1, 4),
    method=st.sampled_from(["concatenate", "best_fit"]),
)
def test_rows_hold_the_tokens_that_their_pieces_name(
    tmp_path_factory, parts, context_length, sequences_per_shard, method
):
    paths, documents, measures = write_tokens(tmp_path_factory.mktemp("tokens"), parts)
    packing = Packing(context_length, sequences_per_shard, 3, END, method)
    schema = shards.schema(pa.uint16(), context_length)
    found = {document: {} for document in documents}
    for batches in gather(paths, measures, packing, schema):
        assert all(batch.schema.equals(schema) for batch in batches)
        for row in (row for batch in batches for row in batch.to_pylist()):
            ends = [*row["document_starts"][1:], row["length"]]
            pieces = zip(
                row["document_starts"], ends, row["documents"], row["offsets"], strict=True
            )
            for start, end, document, offset in pieces:
                found[document] |= dict(enumerate(row["input_ids"][start:end], offset))
            assert row["document_starts"][0] == 0
            assert set(row["input_ids"][row["length"] :]) <= {END}
    assert {
        document: [held[place] for place in sorted(held)] for document, held in found.items()
    } == {document: [*ids, END] for document, ids in documents.items()}


@pytest.mark.parametrize("rows_per_batch", [1, 2, 3])
def test_a_shard_is_gathered_in_batches_of_bounded_size(tmp_path, monkeypatch, rows_per_batch):
    schema, packing = shards.schema(pa.uint16(), 5), Packing(5, 6, seed=0, end_of_text=END)
    paths, _, measures = write_tokens(tmp_path, [[[9, 9, 9]]])
    [whole] = gather(paths, measures, packing, schema)
    monkeypatch.setattr("schemas.shards.ROWS_PER_BATCH", rows_per_batch)
    [batches] = gather(paths, measures, packing, schema)
    assert sum(map(len, batches)) == 6
    assert max(map(len, batches)) == rows_per_batch
    assert pa.Table.from_batches(batches).equals(pa.Table.from_batches(whole))


def test_an_empty_plan_has_no_rows(tmp_path):
    paths, _, measures = write_tokens(tmp_path, [[]])
    packing = Packing(5, 5, seed=0, end_of_text=END)
    assert list(gather(paths, measures, packing, shards.schema(pa.uint16(), 5))) == []
    assert map_stream(paths[0]).num_rows == 0
