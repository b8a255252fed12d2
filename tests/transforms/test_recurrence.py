import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.recurrence import KEY_COLUMNS, RecurringContents

SCHEMA = pa.schema([pa.field("text", pa.string()), pa.field("list", pa.list_(pa.int64()))])


def keys(contents, languages=None):
    languages = languages or ["python"] * len(contents)
    columns = [contents, ["utf-8"] * len(contents), languages]
    arrays = [pa.array(column, pa.string()) for column in columns]
    return pa.table(dict(zip(KEY_COLUMNS, arrays, strict=True)))


def learn(contents):
    rows = [{"text": content, "list": [len(content)]} for content in contents]
    return {"table": pa.RecordBatch.from_pylist(rows, schema=SCHEMA)}


def go_through(contents, sizes, max_kept=100):
    """All rows, and for each group the contents that were worked on."""
    memory = RecurringContents(keys(contents), max_kept)
    rows, worked, first = [], [], 0
    for size in sizes:
        group = contents[first : first + size]
        fresh = memory.fresh(len(group))
        work = [group[place] for place in fresh]
        rows += memory.complete(len(group), fresh, learn(work))["table"].to_pylist()
        worked.append(work)
        first += size
    return rows, worked


def test_each_content_is_worked_on_once():
    rows, worked = go_through(["a", "b", "a", "c", "b", "a", "d"], [3, 2, 2])
    assert worked == [["a", "b"], ["c"], ["d"]]
    assert rows == learn(["a", "b", "a", "c", "b", "a", "d"])["table"].to_pylist()


def test_the_same_bytes_in_another_language_are_another_content():
    memory = RecurringContents(keys(["a", "a", "a"], ["python", "c", "python"]))
    assert memory.fresh(3).tolist() == [0, 1]


def test_beyond_the_bound_contents_are_worked_on_again():
    contents = ["a", "b", "c", "a", "b", "c"]
    rows, worked = go_through(contents, [3, 3], max_kept=1)
    assert worked == [["a", "b", "c"], ["a", "b"]]
    assert rows == learn(contents)["table"].to_pylist()


def test_a_group_without_rows_is_nothing():
    rows, worked = go_through(["a"], [0, 1])
    assert (rows, worked) == (learn(["a"])["table"].to_pylist(), [[], ["a"]])


@given(
    st.lists(st.sampled_from("abcdefgh"), max_size=40),
    st.integers(min_value=1, max_value=7),
    st.integers(min_value=1, max_value=9),
)
def test_the_rows_are_those_of_working_on_everything(contents, size, max_kept):
    groups = [size] * (len(contents) // size + 1)
    rows, _ = go_through(contents, groups, max_kept)
    assert rows == learn(contents)["table"].to_pylist()


@pytest.mark.parametrize("max_kept", [1, 5])
def test_what_is_kept_is_bounded(max_kept):
    contents = [*map(str, range(50)), *map(str, range(50))]
    memory = RecurringContents(keys(contents), max_kept)
    fresh = memory.fresh(50)
    memory.complete(50, fresh, learn([contents[place] for place in fresh]))
    assert memory._kept["table"].num_rows == max_kept
