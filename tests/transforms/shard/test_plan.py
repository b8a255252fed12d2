import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.shard.packing import shuffle_within
from transforms.shard.plan import (
    MEASURES,
    PIECES,
    Packing,
    in_reading_order,
    pack_split,
    shard_plans,
)

END = 50256
METHODS = st.sampled_from(["concatenate", "best_fit"])
LENGTHS = st.lists(st.integers(0, 20), max_size=12)


def measures_of(lengths, starts=0, chunk=0):
    """Measures of documents whose tokens follow each other in one chunk from a place on."""
    lengths = np.array(lengths, np.int64)
    columns = {name: np.zeros(lengths.size, np.int64) for name in MEASURES.names}
    columns["document"] = np.arange(lengths.size) + 100
    columns["length"] = lengths
    columns["chunk"] += chunk
    columns["start"] = starts + np.cumsum(lengths) - lengths
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in MEASURES]
    return pa.Table.from_arrays(arrays, schema=MEASURES)


def places(packed):
    """Document and place of every token of every sequence."""
    found = []
    for begin, end in zip(packed.first[:-1], packed.first[1:], strict=True):
        columns = (packed.document[begin:end], packed.offset[begin:end], packed.length[begin:end])
        found.append([(d, o + n) for d, o, size in zip(*columns, strict=True) for n in range(size)])
    return found


@thorough
@given(lengths=LENGTHS, method=METHODS, data=st.data())
def test_each_epoch_has_each_copy_of_each_document_whole(lengths, method, data):
    epochs = data.draw(st.integers(1, 3))
    row = st.lists(st.integers(0, 3), min_size=len(lengths), max_size=len(lengths))
    copies = np.array([data.draw(row) for _ in range(epochs)], np.int64).reshape(epochs, -1)
    packing = Packing(8, 3, seed=5, end_of_text=END, method=method)
    sequences = places(pack_split(np.array(lengths, np.int64), copies, packing))
    for once in copies:
        tokens = sum(int(count) * (length + 1) for count, length in zip(once, lengths, strict=True))
        own, sequences = take_tokens(sequences, tokens)
        seen = [place for sequence in own for place in sequence]
        assert sorted(seen) == sorted(
            (document, place)
            for document, (count, length) in enumerate(zip(once, lengths, strict=True))
            for place in range(length + 1)
            for _ in range(count)
        )
    assert sequences == []


def take_tokens(sequences, tokens):
    """The first sequences that hold so many tokens, and the others."""
    held = 0
    for number, sequence in enumerate(sequences):
        if held == tokens:
            return sequences[:number], sequences[number:]
        held += len(sequence)
    assert held == tokens
    return sequences, []


def test_epochs_have_orders_of_their_own():
    packing = Packing(4, 100, seed=1, end_of_text=END)
    lengths = np.full(50, 3)
    packed = pack_split(lengths, np.ones((2, 50), np.int64), packing)
    first, second = packed.document[:50], packed.document[50:]
    assert sorted(first) == sorted(second) == list(range(50))
    assert first.tolist() != second.tolist() != list(range(50))
    order = shuffle_within(np.repeat([0, 1], 50), 1)
    assert packed.document.tolist() == (order % 50).tolist()


def test_a_second_copy_comes_behind_all_first_ones():
    # Of one sequence, in which nothing is shuffled.
    packing = Packing(100, 1, seed=1, end_of_text=END)
    packed = pack_split(np.array([1, 2, 3]), np.array([[2, 1, 2]]), packing)
    assert packed.document.tolist() == [0, 1, 2, 0, 2]


@thorough
@given(lengths=LENGTHS, method=METHODS, per_shard=st.integers(1, 4))
def test_the_plans_of_all_shards_are_the_pieces_of_all_sequences(lengths, method, per_shard):
    packing = Packing(8, per_shard, seed=5, end_of_text=END, method=method)
    measures = measures_of(lengths, starts=7, chunk=2)
    packed = pack_split(np.array(lengths, np.int64), np.ones((1, len(lengths)), np.int64), packing)
    plans = list(shard_plans(packed, measures, packing))
    rows = [row for plan in plans for row in plan.to_pylist()]
    assert all(plan.schema.equals(PIECES) for plan in plans)
    assert [row["document"] - 100 for row in rows] == packed.document.tolist()
    assert [row["offset"] for row in rows] == packed.offset.tolist()
    assert [row["length"] for row in rows] == packed.length.tolist()
    counts = [len({row["row"] for row in plan.to_pylist()}) for plan in plans]
    assert sum(counts) == packed.first.size - 1
    assert set(counts[:-1]) <= {per_shard}
    begins = np.cumsum(lengths) - lengths + 7
    for row in rows:
        assert row["chunk"] == 2
        assert row["start"] == begins[row["document"] - 100] + row["offset"]
        end = lengths[row["document"] - 100]
        assert row["tokens"] == min(row["length"], end - row["offset"])
    for plan in plans:
        place = {}
        for row in plan.to_pylist():
            assert row["position"] == place.get(row["row"], 0)
            place[row["row"]] = row["position"] + row["length"]
        assert all(end <= 8 for end in place.values())


def test_documents_of_a_part_are_read_by_rank():
    measures = measures_of([1, 2, 3, 4])
    measures = measures.set_column(1, MEASURES.field(1), pa.array([2, 0, 3, 1], pa.int64()))
    [batch] = measures.combine_chunks().to_batches()
    assert in_reading_order(batch)["length"].to_pylist() == [2, 4, 1, 3]
