import numpy as np
import pyarrow as pa
from apache_beam.coders.typecoders import registry
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import brief
from transforms.coders import RecordBatchCoder

SCHEMA = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),
        pa.field("similarity", pa.float32()),
        pa.field("level", pa.string()),
        pa.field("hashes", pa.large_list(pa.uint64())),
    ]
)
_keys = st.integers(0, 2**64 - 1)
ROWS = st.lists(
    st.tuples(
        _keys, st.none() | st.floats(width=32), st.none() | st.text(), st.lists(_keys, max_size=3)
    ),
    max_size=10,
)
CODER = RecordBatchCoder()


def to_batch(rows):
    columns = zip(*rows, strict=True) if rows else [[] for _ in SCHEMA]
    arrays = [pa.array(list(c), f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


@brief
@given(before=ROWS, rows=ROWS, after=ROWS)
def test_decodes_what_it_encodes(before, rows, after):
    batch = to_batch(before + rows + after).slice(len(before), len(rows))
    decoded = CODER.decode(CODER.encode(batch))
    assert decoded.schema == SCHEMA
    assert repr(decoded.to_pylist()) == repr(batch.to_pylist())


def test_is_no_coder_of_keys():
    # A slice may bring its neighbors' values along as padding: equal keys would be told apart.
    whole = pa.record_batch({"key": pa.array(range(100), pa.int32())})
    fresh = pa.record_batch({"key": pa.array([5, 6, 7], pa.int32())})
    assert whole.slice(5, 3).equals(fresh)
    assert CODER.encode(whole.slice(5, 3)) != CODER.encode(fresh)
    assert not CODER.is_deterministic()


def test_a_slice_is_encoded_without_the_rest_of_its_batch():
    large = pa.record_batch(
        {
            "key": np.arange(100_000, dtype=np.uint64),
            "text": [f"text {number}" for number in range(100_000)],
        }
    )
    assert len(CODER.encode(large)) > 100_000
    assert len(CODER.encode(large.slice(50_000, 10))) < 1_000


def test_the_bytes_of_another_schema_bring_their_schema():
    batch = pa.record_batch({"other": [1, None]})
    assert CODER.decode(CODER.encode(batch)).equals(batch)


def test_beam_uses_it_for_record_batches():
    coder = registry.get_coder(pa.RecordBatch)
    assert isinstance(coder, RecordBatchCoder)
    assert coder.to_type_hint() is pa.RecordBatch
