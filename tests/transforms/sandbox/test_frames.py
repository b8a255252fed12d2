import json
import os
import threading
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.sandbox.frames import (
    FrameError,
    FrameReader,
    frame,
    frame_bytes,
    read_bytes,
    split_frames,
    whole_frames,
    write_frame,
)

MOST = 1 << 20

messages = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@contextmanager
def pipe():
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        for descriptor in (reader, writer):
            try:
                os.close(descriptor)
            except OSError:
                continue


def read(data, most=MOST):
    """What is read of data behind which a pipe is closed."""
    with pipe() as (reader, writer):
        os.write(writer, data)
        os.close(writer)
        return FrameReader(reader, most).read()


@given(st.lists(messages, max_size=4))
def test_messages_arrive_in_order(sent):
    data = b"".join(map(frame, sent))
    assert list(split_frames(data)) == sent
    assert whole_frames(data) == len(sent)
    with pipe() as (reader, writer):
        for message in sent:
            write_frame(writer, message)
        os.close(writer)
        frames = FrameReader(reader, MOST)
        assert [frames.read() for _ in sent] == sent
        assert frames.read() is None


@given(st.lists(messages, max_size=4), st.data())
def test_a_message_that_is_cut_short_is_left_out(sent, draw):
    data = b"".join(map(frame, sent))
    cut = draw.draw(st.integers(0, len(data)))
    whole, end = 0, 0
    for message in sent:
        end += len(frame(message))
        whole += end <= cut
    assert whole_frames(data[:cut]) == whole
    assert list(split_frames(bytearray(data[:cut]))) == sent[:whole]


@given(st.binary(max_size=30))
def test_any_bytes_are_counted_without_being_read(data):
    expected = start = 0
    while len(data) >= start + 4:
        start += 4 + int.from_bytes(data[start : start + 4], "big")
        expected += start <= len(data)
    assert whole_frames(data) == expected


@given(st.binary(max_size=40))
def test_any_bytes_are_messages_or_no_frames(data):
    try:
        list(split_frames(data))
    except FrameError:
        return


def test_messages_larger_than_a_pipe_are_written_and_read_whole():
    text = "x" * (3 << 20)
    with pipe() as (reader, writer):
        thread = threading.Thread(target=write_frame, args=(writer, text))
        thread.start()
        assert FrameReader(reader, 4 << 20).read() == text
        thread.join()


def test_half_a_surrogate_pair_arrives():
    assert list(split_frames(frame("\ud800"))) == ["\ud800"]


def test_what_is_no_json_is_bytes_as_they_are():
    with pipe() as (reader, writer):
        os.write(writer, frame_bytes(b"\xff\0") + frame_bytes(b""))
        os.close(writer)
        assert [read_bytes(reader, 2) for _ in range(3)] == [b"\xff\0", b"", None]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\0\0\0", "at most 10 bytes"),
        ((11).to_bytes(4, "big") + b"[1,2,3,4,5]", "at most 10 bytes was expected, got 11"),
        (b"\xff\xff\xff\xff", "at most 10 bytes was expected, got 4294967295"),
        (b"\0\0\0\x04[1", "4 bytes ended after 2"),
        (frame_bytes(b"[1"), "no JSON: JSONDecodeError"),
        (frame_bytes(b"\xff"), "no JSON: UnicodeDecodeError"),
        (frame_bytes(b""), "no JSON"),
    ],
)
def test_what_is_no_frame_says_why(data, message):
    with pytest.raises(FrameError, match=message):
        read(data, 10)


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5000])
def test_json_that_python_does_not_read_is_no_frame(data):
    with pytest.raises(FrameError, match="no JSON"):
        list(split_frames(frame_bytes(data)))


def test_nothing_but_json_is_sent():
    with pytest.raises(TypeError):
        frame(object())
    assert json.loads(frame({"a": (1,)})[4:]) == {"a": [1]}
