import html.parser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import large_binary, thorough
from transforms.annotate.signals.html import count_visible_characters
from transforms.buffers import binary_buffers

_PIECES = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<a href='x'>",
        "text ",
        "\u00e9",
        "a < b",
        "\n",
        "<!-- no -->",
        "<br/>",
        "<div\n>",
        "<script>if (a < b) x();</script>",
        "<STYLE type='a'>p > a {}</STYLE>",
        "<!DOCTYPE html>",
        "1 > 0",
    ]
)
TEXTS = st.lists(st.lists(_PIECES, max_size=20).map("".join), max_size=4)


def count(*texts):
    data, offsets = binary_buffers(large_binary([text.encode() for text in texts]))
    return count_visible_characters(data, offsets, np.ones(len(texts), dtype=np.bool_)).tolist()


class _Text(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=False)
        self.hidden = ""
        self.characters = 0

    def handle_starttag(self, tag, attributes):
        if tag in ("script", "style"):
            self.hidden = tag

    def handle_endtag(self, tag):
        if tag == self.hidden:
            self.hidden = ""

    def handle_data(self, data):
        if not self.hidden:
            self.characters += len(data)


def slow_count(text):
    parser = _Text()
    parser.feed(text)
    parser.close()
    return parser.characters


@thorough
@given(TEXTS)
def test_equals_a_parser(texts):
    assert count(*texts) == [slow_count(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("", 0),
        ("plain", 5),
        ("<p>Hi</p>", 2),
        ("a < b", 5),
        ("<scripty>seen</scripty>", 4),
        ("<script src=x></script>ab", 2),
        ("<script>never closed", 0),
        ("<!-- <p>hidden</p> -->ab", 2),
        ("ab<p", 2),
        ("<", 1),
        ("<script>var s = '</s';</script >z", 1),
    ],
)
def test_counts_what_a_reader_sees(text, visible):
    assert count(text) == [visible]


def test_counts_chosen_texts_only():
    data, offsets = binary_buffers(large_binary([b"<p>one</p>", b"three"]))
    chosen = np.array([False, True])
    assert count_visible_characters(data, offsets, chosen).tolist() == [0, 5]
    with pytest.raises(ValueError, match="got 1 choices and 2 texts"):
        count_visible_characters(data, offsets, chosen[:1])
