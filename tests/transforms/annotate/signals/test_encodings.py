import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import large_binary, thorough
from transforms.annotate.signals.encodings import MIN_RUN, measure_encodings
from transforms.buffers import binary_buffers

_PIECES = st.sampled_from(
    [
        "\\x41",
        "\\u0041",
        "0x41, ",
        "41 ",
        "41,",
        "123, ",
        "1.5e-3,\n",
        "[",
        "]",
        " ",
        "x",
        "u",
        "\\",
        "aGVsbG8=",
        "YWJj" * 20,
        "def f():\n",
        "0X1f",
        "4",
        "g",
        "\n",
        "-7;",
        "\u00e9",
        "\\x41" * 20,
    ]
)
TEXTS = st.lists(st.lists(_PIECES, max_size=60).map("".join), max_size=4)

_CODE = rb"(?:\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|(?:0[xX])?[0-9a-fA-F]{2}(?=[, \t\n\v\f\r]|\Z))"


def measure(*texts):
    texts = large_binary([text.encode() for text in texts])
    return measure_encodings(*binary_buffers(texts)).tolist()


def _codes(run):
    """The lists of codes of a run, each from its first code to its last."""
    at, codes, first, last = 0, 0, 0, 0
    while at < len(run):
        if match := re.compile(_CODE).match(run, at):
            first = first if codes else at
            codes += 1
            last = match.end()
            at = re.compile(rb"[, \t\n\v\f\r]*").match(run, last).end()
            continue
        if codes >= 8:
            yield last - first
        codes = 0
        at = re.compile(rb"[0-9a-fA-F]+|.", re.DOTALL).match(run, at).end()
    if codes >= 8:
        yield last - first


def slow_measure(text):
    data = text.encode()
    encoded = [len(run) for run in re.findall(rb"[A-Za-z0-9+/=\n]{64,}", data)]
    numbers = hexadecimal = 0
    for run in re.findall(rb"[0-9a-fA-FxXuUlL\\.+\-_;()\[\]{}, \t\r\n]{64,}", data):
        encoded += _codes(run)
        found = re.search(rb"[, \t\r\n;()\[\]{}].*\d", run, re.DOTALL)
        listed = found and re.search(rb"\d.*", found[0], re.DOTALL)
        digits = len(re.findall(rb"\d", listed[0])) if listed else 0
        if listed and len(listed[0]) >= 64 and 5 * digits >= len(listed[0]):
            numbers += len(listed[0])
            hexadecimal += sum(map(len, re.findall(rb"0[xX][0-9a-fA-F]*", listed[0])))
    return [sum(encoded), max(encoded, default=0), numbers, hexadecimal]


@thorough
@given(TEXTS)
def test_equals_a_slow_version(texts):
    assert measure(*texts) == [slow_measure(text) for text in texts]


@thorough
@given(TEXTS, st.integers(0, 4))
def test_measures_do_not_depend_on_the_batch(texts, cut):
    assert measure(*texts) == measure(*texts[:cut]) + measure(*texts[cut:])


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("key = '" + "aB3+" * 20 + "'", 80),
        ("key = '" + "aB3+" * 15 + "'", 0),
        ('b"' + "\\x7f" * 300 + '"', 1200),
        ("s = '" + "\\u00e9" * 300 + "'", 1800),
        ("{" + "0x41, " * 100 + "};", 598),
        ("{" + "0x41,\n" * 100 + "};", 598),
        ("de ad be ef " * 20, 239),
        ("values = [" + "123, " * 100 + "]", 0),
        ("def plain(x):\n    return x + 1\n" * 20, 0),
    ],
)
def test_finds_runs_of_encoded_data(text, encoded):
    assert measure(text)[0][:2] == [encoded, encoded]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("values = [" + "123, " * 100 + "]", 498),
        ("values = [" + "[1.5, -2e3],\n" * 50 + "]", 646),
        ("x = 1\n" * 50, 0),
        (" " * 200, 0),
    ],
)
def test_finds_lists_of_numbers(text, numbers):
    assert measure(text)[0][2] == numbers


def test_a_run_of_the_shortest_length_counts():
    assert measure("x " + "a" * MIN_RUN + " y")[0][0] == MIN_RUN
    assert measure("x " + "a" * (MIN_RUN - 1) + " y")[0][0] == 0
