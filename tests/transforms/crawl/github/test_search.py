import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.crawl.github.search import EVER, Span, parse_query

SECONDS = int((EVER.last - EVER.first).total_seconds())


def moment(seconds):
    return EVER.first + datetime.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("given_time", "expected"),
    [
        ("2024-05-06", "2024-05-06T00:00:00Z..2024-05-06T23:59:59Z"),
        (">=2024-05-06", "2024-05-06T00:00:00Z..2039-12-31T23:59:59Z"),
        (">2024-05-06", "2024-05-07T00:00:00Z..2039-12-31T23:59:59Z"),
        ("<=2024-05-06", "2007-10-01T00:00:00Z..2024-05-06T23:59:59Z"),
        ("<2024-05-06", "2007-10-01T00:00:00Z..2024-05-05T23:59:59Z"),
        ("2024-05-06..2024-05-08", "2024-05-06T00:00:00Z..2024-05-08T23:59:59Z"),
        ("*..2024-05-06", "2007-10-01T00:00:00Z..2024-05-06T23:59:59Z"),
        ("2024-05-06..*", "2024-05-06T00:00:00Z..2039-12-31T23:59:59Z"),
        (">2024-05-06T07:08:09Z", "2024-05-06T07:08:10Z..2039-12-31T23:59:59Z"),
        ("2024-05-06T07:08:09+02:00", "2024-05-06T05:08:09Z..2024-05-06T05:08:09Z"),
    ],
)
def test_takes_the_time_of_creation_out_of_a_query(given_time, expected):
    rest, span = parse_query(f"language:python created:{given_time} stars:>5")
    assert rest == "language:python stars:>5"
    assert str(span) == expected


def test_leaves_a_query_without_a_time_as_it_is():
    assert parse_query("a -created:2020-01-01 b") == ("a -created:2020-01-01 b", EVER)


@pytest.mark.parametrize(
    "text", ["soon", "..", "2024-13-01", "2024-05-06..2024-05-01", ">", "0001"]
)
def test_refuses_what_is_no_time(text):
    with pytest.raises(ValueError, match="created:"):
        parse_query(f"created:{text}")


@given(st.integers(0, SECONDS), st.integers(1, SECONDS))
def test_halves_are_the_whole_and_share_nothing(first, seconds):
    span = Span(moment(first), moment(min(first + seconds, SECONDS + 1)))
    earlier, later = span.halves()
    assert (earlier.first, later.last) == span
    assert later.first - earlier.last == datetime.timedelta(seconds=1)
    assert earlier.first <= earlier.last
    assert later.first <= later.last
