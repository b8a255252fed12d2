"""Exchange: the trusted side of one run's pipes, written and read side by side."""

from __future__ import annotations

import os
import selectors
import socket
import time
from contextlib import suppress

from transforms.sandbox.frames import whole_frames
from transforms.sandbox.server import MOST_MESSAGE_BYTES, STOP

_PORTION = 1 << 16


class Exchange:
    """What goes to the processes of a run, and what comes from them until it is over.

    Args:
      control: the socket of the server.
      channel: that of whoever is asked, the program or a tester.
      source: for standard input: the program, and what it reads.
      request: for the channel.
      most_bytes: of ``output`` and of ``answers`` each.
    """

    def __init__(
        self,
        control: socket.socket,
        channel: socket.socket,
        source: bytes,
        request: bytes,
        most_bytes: int,
    ) -> None:
        self.said: bytes | None = None
        """What the server said of the run, empty where it is gone."""
        self.output = bytearray()
        self.answers = bytearray()
        self.is_cut = False
        """Whether the other end of the channel has closed."""
        self._control = control
        self._channel = channel
        self._most_bytes = most_bytes
        given, self._source = os.pipe()
        self._output, output = os.pipe()
        self.given = [given, output]
        """The ends of the run, which the caller closes once it has them."""
        for descriptor in (self._source, self._output):
            os.set_blocking(descriptor, False)
        channel.setblocking(False)
        self._left = {self._source: memoryview(source), channel.fileno(): memoryview(request)}
        self._came = {self._output: self.output, channel.fileno(): self.answers}

    def converse(self, seconds: float, *, with_tester: bool) -> None:
        """Writes and reads until the run is over, or so many seconds have passed.

        With a tester it is over when both it and the server have said so; otherwise the program
        is told that no more requests follow.
        """
        deadline = time.monotonic() + seconds
        self._shuts = not with_tester
        with selectors.PollSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._output, selectors.EVENT_READ)
            selector.register(self._source, selectors.EVENT_WRITE)
            selector.register(self._channel, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while (left := deadline - time.monotonic()) > 0:
                if self.said is not None and not (with_tester and self._awaits_answer()):
                    break
                for key, events in selector.select(left):
                    if key.fileobj is not self._control:
                        self._serve(selector, key.fd, events)
                        continue
                    self.said = self._control.recv(MOST_MESSAGE_BYTES)
                    selector.unregister(self._control)
                    if not self.said:
                        return
        self._drain()

    def _awaits_answer(self) -> bool:
        return not self.is_cut and not whole_frames(self.answers)

    def _serve(self, selector: selectors.BaseSelector, place: int, events: int) -> None:
        wanted = selector.get_key(place).events
        if events & selectors.EVENT_WRITE and not self._write(place):
            wanted &= ~selectors.EVENT_WRITE
        if events & selectors.EVENT_READ and not self._read(place):
            wanted &= ~selectors.EVENT_READ
            if len(self._came[place]) > self._most_bytes and self.said is None:
                with suppress(OSError):
                    self._control.send(STOP)
        if not wanted:
            selector.unregister(place)
        elif wanted != selector.get_key(place).events:
            selector.modify(place, wanted)
        if place == self._source and not wanted:
            self._close_source()

    def _write(self, place: int) -> bool:
        """Writes what can be written; whether there is more."""
        left = self._left[place]
        try:
            left = left[os.write(place, left[:_PORTION]) :]
        except BlockingIOError:
            return True
        except OSError:
            # Nobody reads any more.
            left = left[:0]
        self._left[place] = left
        if not left and self._shuts and place == self._channel.fileno():
            with suppress(OSError):
                self._channel.shutdown(socket.SHUT_WR)
        return bool(left)

    def _read(self, place: int) -> bool:
        """Reads what has come; whether more may come."""
        try:
            data = os.read(place, _PORTION)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        self.is_cut |= not data and place == self._channel.fileno()
        self._came[place] += data
        return bool(data) and len(self._came[place]) <= self._most_bytes

    def _drain(self) -> None:
        """Reads what the run left in its pipes."""
        for place, came in self._came.items():
            while len(came) <= self._most_bytes:
                before = len(came)
                if not self._read(place) or len(came) == before:
                    break

    def _close_source(self) -> None:
        if self._source >= 0:
            os.close(self._source)
            self._source = -1

    def close(self) -> None:
        """Closes the ends of the trusted side, but for its sockets."""
        self._close_source()
        os.close(self._output)
