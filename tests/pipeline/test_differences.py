from hypothesis import given
from hypothesis import strategies as st

from pipeline.differences import MAX_LINES, MAX_SHOWN, unified_diff

NAMES = ("kept", "dropped")


def test_shows_lines_that_were_taken_away_and_added():
    assert unified_diff(b"a\nb\nc\n", b"a\nx\nc\n", NAMES) == [
        "--- kept",
        "+++ dropped",
        "@@ -1,4 +1,4 @@",
        " a",
        "-b",
        "+x",
        " c",
        " ",
    ]


def test_other_line_ends_are_a_difference():
    assert "+a\r" in unified_diff(b"a\nb\n", b"a\r\nb\n", NAMES)


@given(st.binary(max_size=200))
def test_equal_texts_have_none(text):
    assert unified_diff(text, text, NAMES) == []


def test_a_long_one_says_how_much_is_left_out():
    lines = unified_diff(b"", b"x\n" * 1000, NAMES)
    assert len(lines) == MAX_SHOWN + 1
    assert lines[-1].startswith("... 80")


def test_texts_that_would_take_long_are_not_compared():
    assert unified_diff(b"", b"\n" * MAX_LINES, NAMES)[0].startswith("more than 20,000 lines")
