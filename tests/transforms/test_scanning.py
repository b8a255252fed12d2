import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.scanning import BLOCK, WIDE, find_edges, next_of, word_bits

_PIECES = st.sampled_from([b"a", b"_9", b"\xc3\xa9", b" ", b"#", b"'", b"x" * 40, b" " * 70])
DATA = st.lists(_PIECES, max_size=12).map(b"".join)
_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")


@st.composite
def ranges(draw):
    """Data, and a range of it."""
    data = draw(DATA)
    first = draw(st.integers(0, len(data)))
    return data, first, draw(st.integers(first, len(data)))


def array(data):
    return np.frombuffer(data, np.uint8)


@thorough
@given(ranges(), st.sampled_from([b"#", b"#'", b"\xa9#'", b"##''#'##"]))
def test_finds_the_next_place_of_any_of_some_bytes(chosen, needles):
    data, first, end = chosen
    places = [place for place in range(first, end) if data[place] in needles]
    found = next_of(array(data), first, end, tuple(np.uint8(byte) for byte in needles))
    assert found == (places[0] if places else end)


@pytest.mark.parametrize("behind", [0, 1, BLOCK])
def test_a_place_behind_the_end_gives_the_end(behind):
    needles = (np.uint8(ord("#")),)
    assert next_of(array(b"#" * 3 * BLOCK), BLOCK + behind, BLOCK, needles) == BLOCK


@thorough
@given(ranges())
def test_says_of_each_byte_whether_words_consist_of_such(chosen):
    data, first, end = chosen
    bits = int(word_bits(array(data), first, min(end, first + WIDE)))
    wanted = [bool(_WORD.match(data, place, place + 1)) for place in range(first, end)][:WIDE]
    assert [bool(bits >> place & 1) for place in range(WIDE)] == wanted + [False] * (
        WIDE - len(wanted)
    )


def test_every_byte_is_of_a_word_or_not_as_its_table_says():
    data = array(bytes(range(256)))
    found = [int(word_bits(data, first, first + WIDE)) for first in range(0, 256, WIDE)]
    wanted = [bool(_WORD.match(bytes([byte]))) for byte in range(256)]
    assert [bool(found[byte // WIDE] >> byte % WIDE & 1) for byte in range(256)] == wanted


@thorough
@given(ranges())
def test_finds_where_words_begin_and_end(chosen):
    data, first, end = chosen
    edges = np.full(end - first + WIDE + 1, -1, np.int64)
    found = find_edges(array(data), first, end, edges)
    wanted = [place for word in _WORD.finditer(data, first, end) for place in word.span()]
    # An end at the end of the range is written but may not be counted.
    assert edges[: len(wanted)].tolist() == wanted
    assert found in (len(wanted), len(wanted) - (wanted[-1:] == [end]))
