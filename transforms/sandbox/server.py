"""The fork server: forks a child for each run, watches its limits, and leaves nothing of it.

It holds no program, no test and no result: those go from the trusted side to the children
and back without passing here, so that no child finds those of others in what it inherits.
It listens to one socket, whose other end the trusted side has.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import os
import random
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transforms.sandbox import candidate
from transforms.sandbox.confinement import Confinement
from transforms.sandbox.folders import empty_folder
from transforms.sandbox.frames import frame
from transforms.sandbox.hooks import give_hooks_back, let_hooks_register
from transforms.sandbox.settings import Settings
from transforms.sandbox.worlds import World, enter_world

SCRIPT, STREAM, CALLS = b"s", b"o", b"c"
"""What a run does: a script, one whose standard error nobody reads, or calls of functions."""

STOP = b"x"
"""Ends the run; one that comes too late is for none."""

MOST_MESSAGE_BYTES = 1 << 12
_LOOK_SECONDS = 0.02
_MOST_DESCRIPTORS = 1 << 20
_NOWHERE = 3
"""Where the server has /dev/null."""

_MOST_ROUNDS = 1000


@dataclass
class _Child:
    """A process of a run."""

    pid: int
    handle: int
    status: int | None = None
    seconds: float = 0.0
    memory_bytes: int = 0

    @classmethod
    def fork(cls, body: Callable[[], None]) -> _Child:
        """A child that does something and ends, whatever happens in it."""
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                body()
                status = 0
            finally:
                os._exit(status)
        return cls(pid, os.pidfd_open(pid))

    def cpu_seconds(self) -> float:
        """CPU time of the process until here."""
        if self.status is not None:
            return self.seconds
        try:
            # The number of a process's CPU clock, by the man page of clock_getcpuclockid.
            return time.clock_gettime((~self.pid << 3) | 2)
        except OSError:
            return 0.0

    def kill(self) -> None:
        """Ends it, if it has not ended."""
        if self.status is None:
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)

    def wait(self) -> None:
        """Waits for its end, and learns what it used."""
        if self.status is None:
            _, self.status, usage = os.wait4(self.pid, 0)
            self.seconds = usage.ru_utime + usage.ru_stime
            self.memory_bytes = usage.ru_maxrss * 1024
            os.close(self.handle)


class Server:
    """Serves runs until the other end of its socket closes."""

    def __init__(self, settings: Settings, control: socket.socket) -> None:
        self._settings = settings
        self._control = control
        own_bytes = address_space()
        self._world: World = enter_world(settings)
        self._confinement = Confinement(settings, self._world)
        self._confinement.prepare(own_bytes)
        trial = _Child.fork(self._confinement.enter)
        trial.wait()
        if trial.status:
            raise OSError("this process may not confine its children")

    def serve(self) -> None:
        """Takes requests: a kind, and the descriptors that the children get."""
        self._send({"ready": True})
        while True:
            message, descriptors, _, _ = socket.recv_fds(self._control, 1, 3)
            if not message:
                return
            if message != STOP:
                self._send(self._run(message, descriptors))

    def _send(self, message: dict[str, Any]) -> None:
        self._control.send(frame(message))

    def _run(self, kind: bytes, descriptors: list[int]) -> dict[str, Any]:
        self._world.begin()
        breach: str | None = None
        child: _Child | None = None
        try:
            child = _Child.fork(lambda: self._child(kind, *descriptors))
            for descriptor in descriptors:
                os.close(descriptor)
            breach = self._watch(child)
        finally:
            self._clear(child)
        breach_of_files = self._world.end(self._settings.limits)
        breach = breach or breach_of_files
        usage = [child.status, child.seconds, child.memory_bytes]
        return {"breach": breach, "usage": usage}

    def _child(self, kind: bytes, source: int, output: int, channel: int) -> None:
        """What a child does: keeps some descriptors, is confined, and goes to work.

        Few pages of memory are written to here, each of which costs a copy.
        """
        try:
            self._confinement.enter()
            self._confinement.limit_cpu()
            os.dup2(source, 0)
            os.dup2(output, 1)
            os.dup2(_NOWHERE if kind == STREAM else output, 2)
            os.dup2(channel, 3)
            os.closerange(4, _MOST_DESCRIPTORS)
        except BaseException:
            traceback.print_exc()
            raise
        gc.enable()
        if self._settings.limits.forks:
            give_hooks_back()
        if kind == CALLS:
            candidate.serve_calls()
        else:
            candidate.run_script()

    def _watch(self, child: _Child) -> str | None:
        """Waits for the end of a run, or for the limit that it breaks."""
        limits = self._settings.limits
        deadline = time.monotonic() + limits.wall_seconds
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(child.handle, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll(_LOOK_SECONDS * 1000)]
            if child.handle in ready:
                # It is still known what it has written, into files that may have no name.
                return self._world.last_breach(limits)
            if ready:
                return "output" if self._control.recv(1) else "gone"
            if child.cpu_seconds() > limits.cpu_seconds:
                return "timeout"
            if time.monotonic() > deadline:
                return "wall"
            if breach := self._world.breach(limits):
                return breach

    def _clear(self, child: _Child | None) -> None:
        """Ends all processes of a run, those that have left their parents as well."""
        if child is not None:
            child.kill()
            child.wait()
        for _ in range(_MOST_ROUNDS):
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                # Whoever's parents have ended is a child of this process.
                return
            if pid == 0:
                self._world.kill_all()
                time.sleep(0.001)
        raise RuntimeError("processes of a run cannot be ended")


def address_space() -> int:
    """Bytes of address space that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def preload(names: Sequence[str]) -> None:
    """Imports modules before the first program does, which then has them already."""
    for name in names:
        importlib.import_module(name)


def main(arguments: list[str]) -> None:
    """Serves on the socket whose number comes first, by the settings that come second."""
    # Children have other things at the first four places.
    control = socket.socket(fileno=fcntl.fcntl(int(arguments[0]), fcntl.F_DUPFD_CLOEXEC, 10))
    os.dup2(0, _NOWHERE)
    settings = Settings.from_json(arguments[1])
    # Programs need not see what they are confined by.
    sys.argv[:], sys.orig_argv[:] = [""], [""]
    preload(settings.preload)
    try:
        _serve(settings, control)
    finally:
        # Whom it belongs to may have been killed.
        with suppress(OSError):
            empty_folder(settings.folder)
            Path(settings.folder).rmdir()


def _serve(settings: Settings, control: socket.socket) -> None:
    try:
        server = Server(settings, control)
    except Exception as error:
        control.send(frame({"refused": f"{type(error).__name__}: {error}"}))
        return
    let_hooks_register()
    # The same program has the same luck in every run.
    random.seed(0)
    # Else a child could interrupt the server.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    candidate.open_streams()
    candidate.rehearse()
    gc.collect()
    gc.freeze()
    gc.disable()
    server.serve()
