import datetime
import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.digest import TableDigest

SCHEMA = pa.schema(
    [
        pa.field("count", pa.int64()),
        pa.field("share", pa.float32()),
        pa.field("flag", pa.bool_()),
        pa.field("time", pa.timestamp("us", tz="UTC")),
        pa.field("text", pa.string()),
        pa.field("content", pa.large_binary()),
        pa.field("hash", pa.binary(2)),
        pa.field("names", pa.list_(pa.string())),
        pa.field("tokens", pa.large_list(pa.field("item", pa.uint16(), nullable=False))),
        pa.field("pair", pa.list_(pa.uint32(), 2)),
    ]
)

_EPOCH = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_small = st.integers(0, 3)
_text = st.text("ab\u00e9", max_size=3)
ROWS = st.lists(
    st.tuples(
        *(
            st.none() | values
            for values in (
                _small,
                _small.map(float),
                st.booleans(),
                _small.map(lambda days: _EPOCH + datetime.timedelta(days)),
                _text,
                _text.map(str.encode),
                st.sampled_from([b"ab", b"ba"]),
                st.lists(st.none() | _text, max_size=2),
                st.lists(_small, max_size=2),
                st.lists(st.none() | _small, min_size=2, max_size=2),
            )
        )
    ),
    max_size=8,
)


def to_batch(rows):
    columns = zip(*rows, strict=True) if rows else [[] for _ in SCHEMA]
    arrays = [pa.array(list(c), f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def digest(*batches):
    total = TableDigest(batches[0].schema)
    for batch in batches:
        total.update(batch)
    return total.hexdigest()


def digest_array(array):
    return digest(pa.record_batch({"column": array}))


@settings(max_examples=100)
@given(before=ROWS, rows=ROWS, after=ROWS, data=st.data())
def test_does_not_see_how_rows_are_divided_into_batches(before, rows, after, data):
    cuts = data.draw(st.lists(st.integers(0, len(rows)), max_size=4).map(sorted))
    surrounded = to_batch(before + rows + after).slice(len(before), len(rows))
    bounds = [0, *cuts, len(rows)]
    pieces = [surrounded[a:b] for a, b in itertools.pairwise(bounds)]
    assert digest(*pieces) == digest(to_batch(rows))


@settings(max_examples=100)
@given(rows=ROWS, other=ROWS)
def test_differs_where_rows_differ(rows, other):
    assert (digest(to_batch(rows)) == digest(to_batch(other))) == (rows == other)


@settings(max_examples=100)
@given(rows=ROWS.filter(bool), data=st.data())
def test_sees_a_change_of_one_value(rows, data):
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(SCHEMA) - 1))
    value = data.draw(ROWS.filter(bool))[0][column]
    changed = [list(values) for values in rows]
    changed[row][column] = value
    assert (digest(to_batch(rows)) == digest(to_batch(changed))) == (rows[row][column] == value)


SPAN = pa.struct([pa.field("start", pa.int64()), pa.field("kind", pa.string())])
SPANS = st.lists(
    st.none()
    | st.lists(
        st.none() | st.fixed_dictionaries({"start": st.none() | _small, "kind": _text}), max_size=2
    ),
    max_size=6,
)


@settings(max_examples=100)
@given(before=SPANS, rows=SPANS, other=SPANS)
def test_sees_all_of_lists_of_structs_and_nothing_around_them(before, rows, other):
    listed = pa.list_(SPAN)
    mine, theirs, around = (pa.array(r, listed) for r in (rows, other, before + rows + before))
    assert digest_array(around[len(before) : len(before) + len(rows)]) == digest_array(mine)
    assert (digest_array(mine) == digest_array(theirs)) == (rows == other)


def test_does_not_see_what_is_under_a_null_struct():
    starts, kinds = pa.array([1, 2]), pa.array(["a", "b"])
    mask = pa.array([False, True])
    arrays = [pa.StructArray.from_arrays([starts, kinds], fields=list(SPAN), mask=mask)]
    arrays.append(pa.array([{"start": 1, "kind": "a"}, None], SPAN))
    assert digest_array(arrays[0]) == digest_array(arrays[1])


def test_sees_the_order_of_rows():
    assert digest_array(pa.array([1, 2])) != digest_array(pa.array([2, 1]))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (["ab", "c"], ["a", "bc"]),
        ([None, "a"], ["a", None]),
        ([None], [""]),
        ([["a"], ["b", "c"]], [["a", "b"], ["c"]]),
        ([["ab", "c"]], [["a", "bc"]]),
        ([[1], []], [[1], None]),
        ([[None]], [[""]]),
        ([None], [0]),
        ([True, None], [True, False]),
        ([0.0], [-0.0]),
    ],
)
def test_sees_boundaries_and_nulls(left, right):
    kind = pa.array(left + right).type
    assert digest_array(pa.array(left, kind)) != digest_array(pa.array(right, kind))


def test_sees_names_and_types_of_columns():
    values = pa.array([1, 2])
    tables = [
        {"a": values},
        {"b": values},
        {"a": values.cast(pa.int32())},
        {"a": values, "b": values},
        {"a": values.cast(pa.string())},
        {"a": values.cast(pa.string()).cast(pa.binary())},
    ]
    digests = {digest(pa.record_batch(table)) for table in tables}
    assert len(digests) == len(tables)


def test_sees_which_column_has_which_values():
    one, other = pa.array([1]), pa.array([2])
    swapped = pa.record_batch({"a": other, "b": one})
    assert digest(pa.record_batch({"a": one, "b": other})) != digest(swapped)


def test_sees_the_number_of_rows_of_a_table_without_columns():
    empty = pa.schema([])
    three = pa.RecordBatch.from_struct_array(pa.array([{}] * 3, pa.struct([])))
    assert digest(three) != TableDigest(empty).hexdigest()


def test_a_column_whose_name_extends_that_of_a_list_column_is_apart_from_its_items():
    batch = pa.record_batch({"a": [[1], [2]], "a.item": [3, 4]})
    assert digest(batch[:1], batch[1:]) == digest(batch)


def _strings(data, offsets, validity):
    buffers = [pa.py_buffer(validity), pa.py_buffer(np.array(offsets, np.int32)), data]
    return pa.StringArray.from_buffers(len(offsets) - 1, buffers[1], pa.py_buffer(data), buffers[0])


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        (pa.array(np.array([1, 7, 3]), mask=np.array([0, 1, 0], bool)), pa.array([1, None, 3])),
        (
            pa.array(np.array([1, 7, 3], np.float32), mask=np.array([0, 1, 0], bool)),
            pa.array([1, None, 3], pa.float32()),
        ),
        (
            pa.array(np.array([True, True, False]), mask=np.array([0, 1, 0], bool)),
            pa.array([True, None, False]),
        ),
        (_strings(b"abc", [0, 1, 2, 3], b"\x05"), pa.array(["a", None, "c"])),
        (
            pa.ListArray.from_arrays(
                [0, 1, 2, 3], pa.array([1, 2, 3]), mask=pa.array([False, True, False])
            ),
            pa.array([[1], None, [3]]),
        ),
        (
            pa.FixedSizeListArray.from_arrays(
                pa.array([1, 2, 3, 4]), 2, mask=pa.array([False, True])
            ),
            pa.array([[1, 2], None], pa.list_(pa.int64(), 2)),
        ),
    ],
    ids=["integers", "floats", "booleans", "strings", "lists", "fixed-size lists"],
)
def test_does_not_see_what_is_under_a_null(dirty, clean):
    assert dirty.null_count == 1
    assert digest_array(dirty) == digest_array(clean)
    assert digest_array(dirty[1:]) == digest_array(clean[1:])


def test_a_table_without_batches_equals_one_with_an_empty_batch():
    assert TableDigest(SCHEMA).hexdigest() == digest(to_batch([]))


def test_refuses_a_batch_of_another_schema():
    total = TableDigest(pa.schema([("a", pa.int64())]))
    with pytest.raises(ValueError, match=r"batch has schema a: int32, the table has a: int64"):
        total.update(pa.record_batch({"a": pa.array([1], pa.int32())}))


def test_the_digest_of_a_table_never_changes():
    # Manifests of finished runs hold digests: another rule would make all of them wrong.
    rows = [
        (1, 0.5, True, _EPOCH, "a", b"b", b"ab", ["c", None], [1, 2], [3, None]),
        (None,) * len(SCHEMA),
        (2, 1.0, False, _EPOCH, "", b"", b"ba", [], [], [4, 5]),
    ]
    assert digest(to_batch(rows)) == (
        "7a7c6f99330ad81cd43b642540840a0b6ba29fe75317daa1158d93f9403880ec"
    )
