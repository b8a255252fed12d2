import json
import math
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.samples import SAMPLES
from tests.transforms.execute.builders import COMPRESS, json_lines
from transforms.execute.samples import (
    MAX_COMPLETION_BYTES,
    MalformedRow,
    Sample,
    iterate_samples,
    read_sample,
)
from transforms.problemsets.rows import EXCERPT_CHARACTERS, parse_line

ROW = {"task_id": "pets/0", "completion": "    return 4\n"}
FULL = {**ROW, "logprob": -12.5, "tokens": 5, "temperature": 0.8, "back_translation": -1.25}


def sample_of(row, number=3):
    line = row if isinstance(row, str) else json.dumps(row)
    return read_sample(parse_line(number, line.encode()))


def test_reads_what_is_known_of_a_sample():
    assert sample_of(FULL) == Sample(
        number=3, text=json.dumps(FULL), has_identifier=False, replaced=(), **FULL
    )


@pytest.mark.parametrize("rest", [{}, dict.fromkeys(SAMPLES.names[2:])])
def test_only_task_and_completion_must_be_known(rest):
    sample = sample_of({**ROW, **rest})
    assert (sample.task_id, sample.completion) == ("pets/0", "    return 4\n")
    assert (sample.logprob, sample.tokens, sample.temperature) == (None, None, None)
    assert sample.back_translation is None


def test_a_task_may_be_a_number():
    assert sample_of({**ROW, "task_id": 11}).task_id == "11"


def test_a_completion_may_be_empty():
    assert sample_of({**ROW, "completion": ""}).completion == ""


def test_integers_are_numbers_and_whole_numbers_counts():
    sample = sample_of({**ROW, "logprob": -3, "tokens": 4.0, "temperature": 0})
    assert (sample.logprob, sample.tokens, sample.temperature) == (-3.0, 4, 0.0)
    assert isinstance(sample.tokens, int)


def test_the_text_of_other_fields_is_kept():
    text = '{"z":1.10, "task_id" : "a","completion":"\\u0041","y":1e400,"x":[NaN,"\\ud800"]  }'
    sample = sample_of(f"  {text}\r")
    assert (sample.text, sample.completion) == (text, "A")


@pytest.mark.parametrize("name", ["id", "sample_id", "completion_id"])
def test_says_whether_a_field_names_the_sample(name):
    assert sample_of({**ROW, name: 0}).has_identifier
    assert not sample_of({**ROW, "model": "cat"}).has_identifier


def test_fields_of_a_result_are_replaced():
    sample = sample_of({"verdict": "passed", **ROW, "tier": "A", "note": "\ud800"})
    assert sample.replaced == ("verdict", "tier")
    assert json.loads(sample.text) == {**ROW, "note": "\ud800"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"task_id": None}, "'task_id' must be text, not null"),
        ({"task_id": 1.5}, "'task_id' must be text, not a number"),
        ({"task_id": True}, "'task_id' must be text, not a truth value"),
        ({"task_id": ""}, "'task_id' must not be empty nor have a NUL character"),
        ({"task_id": "a\0"}, "'task_id' must not be empty nor have a NUL character"),
        ({"task_id": "\udfff"}, "'task_id' has half of a surrogate pair"),
        ({"completion": None}, "'completion' must be text, not null"),
        ({"completion": ["x"]}, "'completion' must be text, not a list"),
        ({"completion": "\ud800"}, "'completion' has half of a surrogate pair"),
        ({"completion": "a\0b"}, "'completion' has a NUL character"),
        ({"logprob": "-1"}, "'logprob' must be a number, not text"),
        ({"logprob": math.nan}, "'logprob' must be a finite number, not nan"),
        ({"logprob": -math.inf}, "'logprob' must be a finite number, not -inf"),
        ({"logprob": 10**400}, "'logprob' must be a finite number, not inf"),
        ({"temperature": True}, "'temperature' must be a number, not a truth value"),
        ({"back_translation": {}}, "'back_translation' must be a number, not an object"),
        ({"tokens": 1.5}, "'tokens' must be a count, not 1.5"),
        ({"tokens": -1}, "'tokens' must be a count, not -1"),
        ({"tokens": 2**64}, "'tokens' must be a count, not 1.84467440737096e+19"),
    ],
)
def test_a_row_of_other_values_is_malformed(change, problem):
    row = {**FULL, **change}
    assert sample_of(row) == MalformedRow(3, problem, json.dumps(row)[:EXCERPT_CHARACTERS])


@pytest.mark.parametrize("name", ROW)
def test_a_row_without_task_or_completion_is_malformed(name):
    row = {key: value for key, value in ROW.items() if key != name}
    assert sample_of(row).problem == f"no {name!r}"


@pytest.mark.parametrize("character", ["x", "\u00e4", "\U0001f408"])
def test_a_completion_may_have_so_many_bytes_and_no_more(character):
    fits = character * (MAX_COMPLETION_BYTES // len(character.encode()))
    assert sample_of({**ROW, "completion": fits}).completion == fits
    malformed = sample_of({**ROW, "completion": fits + "x"})
    assert malformed.problem == "'completion' is longer than 1,048,576 bytes"
    assert len(malformed.excerpt) == EXCERPT_CHARACTERS


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
names = st.sampled_from([*FULL, "verdict", "reason", "seconds", "id"]) | st.text(max_size=3)


@given(values | st.dictionaries(names, values) | st.dictionaries(names, values).map(ROW.__or__))
def test_any_json_is_a_sample_or_a_malformed_row_that_says_why(body):
    row = sample_of(body)
    if isinstance(row, MalformedRow):
        assert row.problem
        assert len(row.excerpt) <= EXCERPT_CHARACTERS
    else:
        assert row.completion == body["completion"]


@given(st.binary(max_size=80))
def test_any_bytes_are_malformed_or_a_sample(line):
    assert read_sample(parse_line(1, line)).number == 1


@pytest.mark.parametrize("suffix", COMPRESS)
def test_rows_come_in_their_order_with_the_numbers_of_their_lines(tmp_path, suffix):
    path = json_lines(tmp_path / "s", ROW, "", "meow", FULL, compress=COMPRESS[suffix])
    found = list(iterate_samples(path))
    assert [row.number for row in found] == [1, 3, 4]
    assert [type(row) for row in found] == [Sample, MalformedRow, Sample]
    assert found == list(iterate_samples(path))


def test_reads_tables_of_samples(tmp_path):
    table = pa.Table.from_pylist([FULL, {**ROW, "tokens": None}], SAMPLES)
    pq.write_table(table, tmp_path / "part-00000.parquet")
    first, second = iterate_samples(tmp_path)
    assert first == sample_of(FULL, number=1)
    assert json.loads(second.text) == {**dict.fromkeys(SAMPLES.names), **ROW}


def test_values_of_tables_that_json_lacks_become_text(tmp_path):
    table = pa.table(
        {
            **{name: [value] for name, value in ROW.items()},
            "hash": [b"\x00\xff"],
            "day": pa.array([0], pa.date32()),
            "verdict": [b"\xff"],
        }
    )
    pq.write_table(table, tmp_path / "s")
    (sample,) = iterate_samples(tmp_path / "s")
    assert json.loads(sample.text) == {**ROW, "hash": "00ff", "day": "1970-01-01"}


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_few_rows_are_in_memory_however_many_there_are(tmp_path, kind):
    rows = [{**ROW, "completion": "#" * 2_000} for _ in range(5_000)]
    path = tmp_path / "s"
    if kind == "jsonl":
        json_lines(path, *rows)
    else:
        pq.write_table(pa.Table.from_pylist(rows), path, use_dictionary=False)
    del rows
    tracemalloc.start()
    assert sum(1 for _ in iterate_samples(path)) == 5_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20
