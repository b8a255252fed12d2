"""Frames: what the processes of the sandbox say to each other, each JSON behind its length.

Runs inside the sandbox as well: the standard library alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from json.scanner import make_scanner
from typing import Any

_LENGTH_BYTES = 4
_PORTION = 1 << 12
_write = json.JSONEncoder(separators=(",", ":")).encode
_scan = make_scanner(json.JSONDecoder())  # type: ignore[arg-type]
"""Of text without white space around it, as all messages are."""


class FrameError(ValueError):
    """What came is no frame."""


def frame(message: Any) -> bytes:
    """A message of plain JSON values as bytes."""
    return frame_bytes(_write(message).encode())


def frame_bytes(data: bytes) -> bytes:
    """A message that is no JSON."""
    return len(data).to_bytes(_LENGTH_BYTES, "big") + data


def write_frame(descriptor: int, message: Any) -> None:
    """Writes a message whole; blocks where it must."""
    data = frame(message)
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


class FrameReader:
    """Reads the messages that come through a descriptor, most of them in one call."""

    def __init__(self, descriptor: int, most_bytes: int) -> None:
        self._descriptor = descriptor
        self._most_bytes = most_bytes
        self._came = bytearray()

    def read(self) -> Any:
        """The next message; None where the other side has closed.

        Raises:
          FrameError: it is longer than ``most_bytes``, cut short, or no JSON.
        """
        came = self._came
        while (end := self._end()) > len(came):
            piece = os.read(self._descriptor, max(_PORTION, min(end - len(came), 1 << 16)))
            if not piece and not came:
                return None
            if not piece:
                raise FrameError(f"a message ended after {len(came)} bytes")
            came += piece
        data = came[_LENGTH_BYTES:end]
        del came[:end]
        return _parse(data)

    def _end(self) -> int:
        """How many bytes the next message has with its length, as far as that is known."""
        if len(self._came) < _LENGTH_BYTES:
            return _LENGTH_BYTES
        size = int.from_bytes(self._came[:_LENGTH_BYTES], "big")
        if size > self._most_bytes:
            raise FrameError(f"at most {self._most_bytes} bytes were expected, got {size}")
        return _LENGTH_BYTES + size


def read_bytes(descriptor: int, most_bytes: int) -> bytes | None:
    """The next message as it came; None where the other side has closed.

    Raises:
      FrameError: it is longer than ``most_bytes``, or cut short.
    """
    head = _read(descriptor, _LENGTH_BYTES)
    if not head:
        return None
    size = int.from_bytes(head, "big")
    if len(head) < _LENGTH_BYTES or size > most_bytes:
        raise FrameError(f"a message of at most {most_bytes} bytes was expected, got {size}")
    data = _read(descriptor, size)
    if len(data) < size:
        raise FrameError(f"a message of {size} bytes ended after {len(data)}")
    return data


def split_frames(data: bytes | bytearray) -> Iterator[Any]:
    """The messages of a whole conversation; a last one that is cut short is left out.

    Raises:
      FrameError: one of them is no JSON.
    """
    for start, end in _spans(data):
        yield _parse(data[start:end])


def whole_frames(data: bytes | bytearray) -> int:
    """How many whole messages there are."""
    return sum(1 for _ in _spans(data))


def _spans(data: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Where the bytes of each whole message begin and end."""
    start = _LENGTH_BYTES
    while start <= len(data):
        end = start + int.from_bytes(data[start - _LENGTH_BYTES : start], "big")
        if end > len(data):
            return
        yield start, end
        start = end + _LENGTH_BYTES


def _read(descriptor: int, size: int) -> bytes:
    piece = os.read(descriptor, min(size, 1 << 16))
    if len(piece) == size:
        return piece
    pieces = bytearray(piece)
    while piece and len(pieces) < size:
        piece = os.read(descriptor, min(size - len(pieces), 1 << 16))
        pieces += piece
    return bytes(pieces)


def _parse(data: bytes | bytearray) -> Any:
    try:
        text = data.decode()
        message, end = _scan(text, 0)
    except (ValueError, RecursionError, StopIteration) as error:
        raise FrameError(f"a message is no JSON: {type(error).__name__}") from None
    if end < len(text):
        raise FrameError("a message is more than JSON")
    return message
