import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.problemsets.rows import EXCERPT_CHARACTERS, parse_line

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), values, max_size=5), st.integers(1, 3))
def test_an_object_is_read_as_json_does_and_keeps_its_text(body, number):
    text = json.dumps(body)
    row = parse_line(number, f" {text}\r\n".encode())
    assert (row.number, row.text, row.problem) == (number, text, "")
    assert repr(row.values) == repr(json.loads(text))


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:\\u d80e1-N', max_size=40).map(str.encode))
def test_any_bytes_are_a_row_or_say_why_not(line):
    row = parse_line(2, line)
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        body = None
    if row.problem:
        assert row.values == {}
    else:
        assert repr(row.values) == repr(body)
        assert row.text[0] + row.text[-1] == "{}"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"meow", "no JSON (Expecting value at character 1)"),
        (b'{"a": 1} {"a": 2}', "no JSON (Extra data at character 10)"),
        (b'{"a": "\xff"}', "no UTF-8 at byte 8"),
        (b"[1]", "no object but a list"),
        (b"null", "no object but null"),
        (b"true", "no object but a truth value"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "one object has the field 'c' twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"1" * 5000 + b"}", "a number of 5,000 digits is too long"),
    ],
)
def test_a_line_that_is_no_object_says_why(line, problem):
    row = parse_line(2, line)
    assert (row.problem, row.values) == (problem, {})
    assert row.text == line.decode("utf-8", "replace")[:EXCERPT_CHARACTERS]


def test_a_byte_order_mark_may_begin_the_file_only():
    line = '\ufeff{"a": 1}'.encode()
    assert parse_line(1, line).values == {"a": 1}
    assert parse_line(1, line).text == '{"a": 1}'
    assert parse_line(2, line).problem.startswith("no JSON")
