import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import large_binary, thorough
from transforms.annotate.signals.phrases import Phrase, count_phrases
from transforms.buffers import binary_buffers

_PIECES = st.sampled_from(
    [
        "assert",
        "ASSERT_EQ",
        "todo",
        "TODO:",
        "mastodon",
        "fixme",
        "your code here",
        "print(",
        "cout <<",
        "console.log",
        "Lorem ipsum",
        "# ",
        "// ",
        "-- ",
        "* ",
        "/",
        "-",
        "\n",
        "\r\n",
        " ",
        "x",
        "\u00e9",
        "ab" * 30,
        "_",
        "9",
        "the house",
        "<!-- ",
        "%",
        "; ",
    ]
)
TEXTS = st.lists(st.lists(_PIECES, max_size=40).map("".join), max_size=4)

_SIGN = r"(?:^[ \t]*[*;]|[#%]|//|/\*|--|<!).*?"
_SLOW = {
    Phrase.ASSERT: re.compile("assert", re.IGNORECASE),
    Phrase.TODO: re.compile(
        rf"{_SIGN}(?<![a-z0-9_\x80-\U0010ffff])(?:todo|fixme|your code here)"
        r"(?![a-z0-9_\x80-\U0010ffff])",
        re.DOTALL,
    ),
    Phrase.OUTPUT: re.compile(r"print|console\.|cout"),
    Phrase.LOREM_IPSUM: re.compile("lorem ipsum"),
}


def count(*texts):
    texts = large_binary([text.encode() for text in texts])
    return count_phrases(*binary_buffers(texts)).tolist()


def _lower(text):
    return re.sub("[A-Z]", lambda match: match[0].lower(), text)


def slow_count(text):
    lines = [_lower(line) for line in text.split("\n")]
    return [sum(bool(_SLOW[phrase].search(line)) for line in lines) for phrase in Phrase]


@thorough
@given(TEXTS)
def test_equals_a_slow_version(texts):
    assert count(*texts) == [slow_count(text) for text in texts]


@thorough
@given(TEXTS, st.integers(0, 4))
def test_counts_do_not_depend_on_the_batch(texts, cut):
    assert count(*texts) == count(*texts[:cut]) + count(*texts[cut:])


@pytest.mark.parametrize("before", range(140))
def test_finds_phrases_wherever_in_a_block_they_are(before):
    text = "x" * before + " your code here # your code here"
    assert count(text) == [[0, 1, 0, 0]]
    assert count("#" * before + "\nself.assertEqual(a, b)") == [[1, 0, 0, 0]]


@pytest.mark.parametrize(
    "text", ["# TODO", "//todo: x", "  * FIXME later", "/* your code here */", "x = 1  # fixme"]
)
def test_open_tasks_are_words_of_comments(text):
    assert count(text)[0][Phrase.TODO] == 1


@pytest.mark.parametrize("text", ["todo = []", "# mastodon", "# todos", "todo()  # later"])
def test_other_todos_are_no_open_tasks(text):
    assert count(text)[0][Phrase.TODO] == 0


def test_a_line_counts_once_however_long_it_is():
    assert count("todo " * 200_000) == [[0, 0, 0, 0]]
    assert count("# " + "todo print " * 200_000) == [[0, 1, 1, 0]]
