import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import large_binary, thorough
from transforms.annotate.signals.counts import Count, count_texts
from transforms.buffers import binary_buffers

_PIECES = st.sampled_from(
    [
        "a",
        "Z9",
        "_",
        "\n",
        "\r\n",
        "\r",
        "\u00e9",
        "\u4f60",
        "\ufffd",
        " ",
        "\t",
        "#if",
        "'a': 1,",
        "[1, 2],",
        "}",
        "x" * 300,
        "word word\n" * 40,
        "\n    return x\n",
    ]
)
TEXTS = st.lists(st.text(max_size=30) | st.lists(_PIECES).map("".join), max_size=5)

_SPACE = " \t\n\v\f\r"
_OPENING = "\"'0123456789-[]{}()"
_CLOSING = "\"',0123456789[]{}()"


def count(*texts):
    rows = count_texts(*binary_buffers(large_binary([text.encode() for text in texts])))
    return [{kind.name: int(row[kind]) for kind in Count} for row in rows]


def _is_letter(character):
    return character > "\x7f" or character.isalpha()


def slow_count(text):
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    written = [line.strip(_SPACE) for line in lines if line.strip(_SPACE)]
    seen = Counter(line for line in written if len(line.encode()) >= 3)
    return {
        "CHARACTERS": len(text),
        "LETTERS": sum(map(_is_letter, text)),
        "DIGITS": sum(c in "0123456789" for c in text),
        "SPACES": sum(c in _SPACE for c in text),
        "RETURNS": text.count("\r"),
        "REPLACEMENTS": text.count("\ufffd"),
        "WORDS": len(re.findall("[A-Za-z0-9\x80-\U0010ffff]+", text)),
        "LINES": len(lines),
        "LINE_FEEDS": text.count("\n"),
        "BLANK_LINES": len(lines) - len(written),
        "LONGEST_LINE": max((len(line.replace("\r", "")) for line in lines), default=0),
        "REPEATED_LINES": sum(times for times in seen.values() if times > 1),
        "LITERAL_LINES": sum(line[0] in _OPENING and line[-1] in _CLOSING for line in written),
        "DIRECTIVE_LINES": sum(line[0] == "#" for line in written),
    }


@thorough
@given(TEXTS)
def test_equals_a_slow_version(texts):
    assert count(*texts) == [slow_count(text) for text in texts]


@thorough
@given(TEXTS, st.integers(0, 5))
def test_counts_do_not_depend_on_the_batch(texts, cut):
    assert count(*texts) == count(*texts[:cut]) + count(*texts[cut:])


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 66, 127, 128, 129, 64 * 255, 64 * 256 + 1])
def test_counts_characters_around_the_size_of_a_block(length):
    [row] = count("a1" * length)
    assert (row["LETTERS"], row["DIGITS"], row["WORDS"]) == (length, length, min(length, 1))


def test_lines_that_collide_cost_no_more_than_others():
    # More distinct lines than are compared with each other in the worst case.
    [row] = count("".join(f"line {number}\n" for number in range(5_000)) * 2)
    assert row["REPEATED_LINES"] == 10_000


def test_counts_nothing_in_a_batch_of_nothing():
    assert count() == []
    assert count_texts(*binary_buffers(pa.array([], pa.large_binary()))).shape == (0, len(Count))


def test_refuses_an_offsets_array_of_nothing():
    with pytest.raises(ValueError, match="offsets need at least one entry"):
        count_texts(np.zeros(0, np.uint8), np.zeros(0, np.int64))


def test_lines_of_a_table_that_differ_in_a_digit_or_a_space_are_not_repeated():
    # Of a hash that mixed less, some of these were equal.
    lines = {f"{digit}{' ' * width}NaN" for digit in range(10) for width in range(2, 40)}
    lines |= {f"{first:04},{second:04}" for first in range(60) for second in range(60)}
    (found,) = count("\n".join(sorted(lines)))
    assert found["LINES"] == len(lines)
    assert found["REPEATED_LINES"] == 0
