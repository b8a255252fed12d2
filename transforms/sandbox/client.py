"""The sandbox as the trusted side sees it: runs programs one after another, and says how."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from transforms.sandbox import server
from transforms.sandbox.exchange import Exchange
from transforms.sandbox.frames import (
    FrameError,
    frame,
    frame_bytes,
    split_frames,
    whole_frames,
)
from transforms.sandbox.limits import Limits, Tier
from transforms.sandbox.outcomes import (
    Ending,
    Outcome,
    describe_exception,
    ending_of_breach,
    ending_of_exception,
    ending_of_status,
)
from transforms.sandbox.process import SandboxError, SandboxProcess, Surroundings
from transforms.sandbox.values import encode

Call = tuple[str, Sequence[object], Mapping[str, object]]
"""Name of a function, arguments, keyword arguments."""

_SPARE_SECONDS = 10.0
_MOST_TRIES = 3


class Sandbox:
    """Runs untrusted programs, each in a fresh process of its own.

    A context: its fork server lives as long as it is open, and is started anew where it dies.
    One run at a time; several sandboxes are independent of each other. The programs see the
    standard library, and no packages.

    Args:
      tier: what keeps programs in.
      limits: of each run.
      preload: modules of the standard library to import once, before any program.
      surroundings: what programs see and should not depend on.
    """

    def __init__(
        self,
        tier: Tier,
        limits: Limits | None = None,
        preload: Iterable[str] = (),
        surroundings: Surroundings | None = None,
    ) -> None:
        self.tier = tier
        self.limits = limits or Limits()
        self._preload = tuple(sorted(set(preload) & sys.stdlib_module_names))
        self._surroundings = surroundings or Surroundings()
        self._server: SandboxProcess | None = None
        self._tester: SandboxProcess | None = None
        self._used_up_memory = False

    def __enter__(self) -> Self:
        """Starts the fork server.

        Raises:
          SandboxError: this machine does not offer the tier.
        """
        self._server = self._start("server")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def run_script(self, source: str, stdin: bytes = b"", *, with_errors: bool = True) -> Outcome:
        """Runs a program as a script; its output is with what it writes to standard error, or not.

        The one message is the exception that there was, or nothing.
        """
        kind = server.SCRIPT if with_errors else server.STREAM
        return self._run(kind, _program(source) + stdin, b"")

    def call_functions(self, source: str, calls: Iterable[Call]) -> Outcome:
        """Loads a program, and calls its functions one after another.

        The messages are one for the program and one for each call: the exception that there
        was, or nothing for the program, ``value`` and ``arguments`` for a call, as
        `values.encode` writes them.

        Raises:
          ValueRefusedError: an argument is no plain value.
        """
        asked = b"".join(
            frame([name, encode(list(given)), encode(dict(named))]) for name, given, named in calls
        )
        return self._run(server.CALLS, _program(source), asked)

    def run_test(self, source: str, test: Mapping[str, Any]) -> Outcome:
        """Runs the code of a test in one process against a program in another.

        Args:
          source: the program.
          test: ``entry_point``, the function that is called; ``setup``, code that the test
            needs; ``code``, its own; ``check``, whether it defines a function of this name
            that is to be called with the entry point.

        The one message is ``passed``, or an exception and whether it is ``of`` the test or of
        the program, or ``ended`` where the program is gone too early.
        """
        for _ in range(_MOST_TRIES):
            inner, given = socket.socketpair()
            with inner, given:
                channel = self._reach_tester(inner)
                asked = frame(dict(test))
                exchange = self._converse(server.CALLS, _program(source), channel, asked, given)
            if not whole_frames(exchange.answers):
                # It is gone, or still at it, and would take the next test for an answer.
                self._stop_tester()
            if not self._has_lost_server(exchange):
                break
        return self._outcome(exchange, is_test=True)

    def _reach_tester(self, inner: socket.socket) -> socket.socket:
        """The socket of a tester that has got its end of a pair, which is closed here."""
        for _ in range(_MOST_TRIES):
            tester = self._tester = self._tester or self._start("tester")
            try:
                socket.send_fds(tester.control, [b"t"], [inner.fileno()])
            except OSError:
                # It died since its last test.
                self._stop_tester()
                continue
            inner.close()
            return tester.control
        raise SandboxError("testers end as soon as they have started")

    def _run(self, kind: bytes, source: bytes, request: bytes) -> Outcome:
        for _ in range(_MOST_TRIES):
            channel, given = socket.socketpair()
            with channel, given:
                exchange = self._converse(kind, source, channel, request, given)
            if not self._has_lost_server(exchange):
                break
        return self._outcome(exchange)

    def _has_lost_server(self, exchange: Exchange) -> bool:
        """Whether a run ended with its server, which no program is known to be able to do."""
        return exchange.said == b"" and not self._used_up_memory

    def _converse(
        self,
        kind: bytes,
        source: bytes,
        channel: socket.socket,
        request: bytes,
        given: socket.socket,
    ) -> Exchange:
        self._server = self._server or self._start("server")
        control = self._server.control
        exchange = Exchange(control, channel, source, request, self.limits.output_bytes)
        try:
            try:
                socket.send_fds(control, [kind], [*exchange.given, given.fileno()])
            finally:
                given.close()
                for descriptor in exchange.given:
                    os.close(descriptor)
            seconds = self.limits.wall_seconds + _SPARE_SECONDS
            with_tester = self._tester is not None and channel is self._tester.control
            exchange.converse(seconds, with_tester=with_tester)
        except OSError:
            exchange.said = b""
        finally:
            exchange.close()
        self._used_up_memory = self._server.used_up_memory()
        if not exchange.said:
            self._server.stop()
            self._server = None
        return exchange

    def _outcome(self, exchange: Exchange, *, is_test: bool = False) -> Outcome:
        if not exchange.said:
            gone = "the fork server ended or does not answer"
            ended = Ending.MEMORY if self._used_up_memory else Ending.ERROR
            return Outcome(self.tier, ended, gone, b"", 0.0, 0)
        report = next(split_frames(exchange.said))
        status, seconds, memory_bytes = report["usage"]
        messages = _messages(exchange.answers)
        late = is_test and (not messages or "late" in messages[-1])
        flooded = max(len(exchange.output), len(exchange.answers)) > self.limits.output_bytes
        ending: Ending
        reason: str | None
        if self._used_up_memory:
            ending, reason = ending_of_breach("memory", self.limits)
        elif report["breach"] or flooded:
            ending, reason = ending_of_breach(report["breach"] or "output", self.limits)
        elif is_test and exchange.is_cut and not messages:
            ending, reason = Ending.ERROR, "the process of the test ended"
        elif late:
            ending, reason = Ending.TIMEOUT, "the code of the test did not end"
        elif error := _exception(messages):
            ending, reason = ending_of_exception(error), describe_exception(error)
        elif is_test and "ended" not in messages[-1]:
            # The tester said so, and no program had a hand in that.
            ending, reason = Ending.RETURNED, None
        else:
            ending, reason = ending_of_status(status, seconds, self.limits)
        output = bytes(exchange.output[: self.limits.output_bytes])
        return Outcome(self.tier, ending, reason, output, seconds, memory_bytes, messages)

    def _start(self, role: str) -> SandboxProcess:
        return SandboxProcess(role, self.tier, self.limits, self._preload, self._surroundings)

    def _stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._stop_tester()

    def _stop_tester(self) -> None:
        if self._tester is not None:
            self._tester.stop()
            self._tester = None


def _program(source: str) -> bytes:
    # Text that no encoding has is for the compiler to refuse.
    return frame_bytes(source.encode("utf-8", "surrogatepass"))


def _messages(answers: bytearray) -> tuple[Any, ...]:
    try:
        return tuple(split_frames(answers))
    except FrameError:
        return ()


def _exception(messages: Sequence[Any]) -> Mapping[str, Any] | None:
    """What ended a run; exceptions of calls end nothing."""
    message = messages[0] if messages else None
    return message if isinstance(message, dict) and "exception" in message else None
