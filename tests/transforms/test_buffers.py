import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import brief
from transforms.buffers import binary_buffers, utf8_contents

VALUES = st.lists(st.binary(max_size=5), max_size=6)


def values_of(array):
    data, offsets = binary_buffers(array)
    assert (data.dtype, offsets.dtype) == (np.uint8, np.int64)
    assert offsets.size == len(array) + 1
    return [data[a:b].tobytes() for a, b in itertools.pairwise(offsets)]


@brief
@given(before=VALUES, values=VALUES, after=VALUES)
def test_gives_the_values_of_a_slice(before, values, after):
    array = pa.array(before + values + after, pa.large_binary())
    assert values_of(array.slice(len(before), len(values))) == values


def test_gives_views_and_no_copies():
    array = pa.array([b"abc", b"def"], pa.large_binary())
    data, offsets = binary_buffers(array)
    assert data.ctypes.data == array.buffers()[2].address
    assert offsets.ctypes.data == array.buffers()[1].address


def test_an_array_of_no_values_has_one_offset():
    assert values_of(pa.array([], pa.large_binary())) == []
    # Arrow lets an empty array have an empty buffer of offsets.
    nothing = pa.py_buffer(b"")
    array = pa.LargeBinaryArray.from_buffers(pa.large_binary(), 0, [None, nothing, nothing])
    assert values_of(array) == []


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (pa.array([b"a"], pa.binary()), "expected large_binary, got binary"),
        (pa.array(["a"]), "expected large_binary, got string"),
        (pa.array([b"a", None, None], pa.large_binary()), "expected no nulls, got 2"),
    ],
)
def test_refuses_other_types_and_nulls(array, message):
    with pytest.raises(ValueError, match=message):
        binary_buffers(array)


def test_utf8_contents_come_back_as_they_are():
    contents = pa.array([b"a", "\u00e9".encode()], pa.large_binary())
    assert utf8_contents(contents, pa.array(["utf-8", "utf-8"])) is contents


def test_decodes_each_text_by_its_encoding():
    text = "caf\u00e9\r\n"
    encodings = ["latin-1", "utf-8-sig", "utf-8", "utf-8-sig", "cp1252"]
    stored = [
        text.encode("latin-1"),
        text.encode("utf-8-sig"),
        b"\xef\xbb\xbf",
        text.encode(),
        "\u20ac".encode("cp1252"),
    ]
    array = pa.array([b"\xff", *stored], pa.large_binary())[1:]
    decoded = utf8_contents(array, pa.array(["-", *encodings])[1:]).to_pylist()
    plain = text.encode()
    assert decoded == [plain, plain, b"\xef\xbb\xbf", plain, "\u20ac".encode()]


def test_a_text_that_does_not_decode_is_corrupt_data():
    with pytest.raises(UnicodeDecodeError):
        utf8_contents(pa.array([b"\xff"], pa.large_binary()), pa.array(["ascii"]))
