"""Messages come back as they were sent, however they are cut on the way."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.sandbox.frames import FrameError, FrameReader, frame, frame_bytes, split_frames

MESSAGES = st.lists(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
    max_size=5,
)


def read_all(data: bytes, most_bytes: int = 1 << 20) -> list[object]:
    """Everything that comes through a pipe, up to its end."""
    ours, theirs = os.pipe()
    try:
        os.write(theirs, data)
        os.close(theirs)
        reader = FrameReader(ours, most_bytes)
        return list(iter(reader.read, None))
    finally:
        os.close(ours)


@given(MESSAGES)
def test_both_readers_give_what_was_sent(messages: list[object]) -> None:
    data = b"".join(frame([message]) for message in messages)
    assert read_all(data) == list(split_frames(data)) == [[message] for message in messages]


def test_a_message_longer_than_a_portion_is_whole() -> None:
    assert read_all(frame("a" * 50_000) + frame(1)) == ["a" * 50_000, 1]


@pytest.mark.parametrize("text", [b"", b"{", b"1 2", b" 1", b"\xff", b"[" * 100_000, b"[1]]"])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(FrameError):
        list(split_frames(frame_bytes(text)))


def test_refuses_what_is_cut_short_or_too_long() -> None:
    with pytest.raises(FrameError, match="ended after"):
        read_all(frame("abc")[:-1])
    with pytest.raises(FrameError, match="at most 10 bytes"):
        read_all(frame("a" * 20), most_bytes=10)
