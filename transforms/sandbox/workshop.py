"""Workshops: whole commands of hostile projects, one after another, around one folder.

A program of the fork server is a function that is called; here builds and test suites run,
with all the programs that they start. Each command gets namespaces of its own, thus a network
in which nobody else is; what it leaves in the folder, the next one finds.
"""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transforms.sandbox.frames import FrameError, frame, split_frames
from transforms.sandbox.limits import CommandLimits, Tier
from transforms.sandbox.process import (
    OWN_ENVIRONMENT,
    PATHS,
    START_CODE,
    START_SECONDS,
    SandboxError,
    choose_user,
)
from transforms.sandbox.seccomp import build_filter, system_call
from transforms.sandbox.supervisor import INSIDE, Order

_PORTION = 1 << 16
_MOST_MESSAGE_BYTES = 1 << 16
_SPARE_SECONDS = 30.0
_END_SECONDS = 5.0

CURE = (
    "Builds and test suites need user, mount, PID and network namespaces: allow them (sysctl "
    "user.max_user_namespaces; in containers, a seccomp profile that allows unshare and mount)"
)

_LOST: dict[str, Any] = {
    "breach": "supervisor",
    "status": None,
    "seconds": 0.0,
    "cpu_seconds": 0.0,
    "memory_bytes": 0,
}
"""Of a command whose supervisor is gone: the machine had no memory left, or somebody ended it."""

Serve = Callable[[socket.socket], AbstractContextManager[object]]
"""Answers, for as long as its context lasts, on a socket that listens in the sandbox."""


@dataclass(frozen=True)
class CommandOutcome:
    """How a command ended.

    ``status`` is that of its exit, negative for a signal, None where a limit ended it, which
    ``breach`` names: ``wall_seconds``, ``cpu_seconds``, ``memory`` or ``files``, or
    ``supervisor`` where who watched it was lost, and it with them. ``output`` is the end of what
    it wrote to its standard streams.
    """

    status: int | None
    breach: str | None
    output: bytes
    seconds: float
    cpu_seconds: float
    memory_bytes: int


class Workshop:
    """Runs commands around a folder of the machine, which they see as `INSIDE`.

    Args:
      folder: what commands may write to, owned by this process; `prepare` it once it is filled.
      readable: files and folders that are shown at their own places.

    Tier A alone: without namespaces a command would share the network of the machine.
    """

    inside = INSIDE

    def __init__(self, folder: Path, readable: Sequence[Path]) -> None:
        self.folder = folder
        self._readable = tuple(sorted({str(path) for path in readable}))
        self._user = choose_user()

    def prepare(self) -> None:
        """Gives the folder and all in it to the user that commands run as.

        Before the first command: nothing hostile has been there yet.
        """
        if os.geteuid() != 0:
            return
        for place, folders, files in os.walk(self.folder):
            for name in (".", *folders, *files):
                os.chown(Path(place, name), self._user, self._user, follow_symlinks=False)

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        directory: str,
        limits: CommandLimits,
        serve: Serve | None = None,
    ) -> CommandOutcome:
        """Runs a command to its end.

        Args:
          arguments: the path of a program, and its arguments.
          environment: all of its variables.
          directory: where it runs, inside of the sandbox.
          limits: of it and all that it starts.
          serve: answers at `supervisor.INDEX_PORT` of its loopback.

        Raises:
          SandboxError: this machine does not offer what the sandbox is made of.
        """
        with tempfile.TemporaryDirectory(prefix="repomill-root-") as root:
            order = Order(
                arguments=tuple(arguments),
                environment=dict(environment),
                directory=directory,
                place=str(self.folder),
                readable=self._readable,
                root=root,
                limits=limits,
                calls=build_filter(
                    own_files=True, own_signals=True, forks=True, commands=True
                ).hex(),
                pivot_root=system_call("pivot_root"),
                user=self._user,
                serves=serve is not None,
            )
            return _run(order, serve)


def choose_workshop_tier() -> Tier:
    """The tier that commands run in; raises `SandboxError` where there is none."""
    with tempfile.TemporaryDirectory(prefix="repomill-workshop-") as folder:
        workshop = Workshop(Path(folder), ())
        workshop.prepare()
        outcome = workshop.run(["/bin/true"], {}, str(INSIDE), CommandLimits(wall_seconds=60))
    if outcome.status != 0:
        said = outcome.output.decode(errors="replace").strip()
        raise SandboxError(f"commands do not run in the sandbox of this machine: {said}")
    return Tier.NAMESPACES


def _run(order: Order, serve: Serve | None) -> CommandOutcome:
    control, theirs = socket.socketpair()
    output, given = os.pipe()
    with control, theirs, ExitStack() as stack:
        stack.callback(os.close, output)
        command = [sys.executable, "-S", "-P", "-c", START_CODE.format(role="supervisor"), PATHS]
        process = subprocess.Popen(
            [*command, str(theirs.fileno()), str(given)],
            pass_fds=[theirs.fileno(), given],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=given,
            env={**OWN_ENVIRONMENT, "PYTHONHASHSEED": "0"},
            cwd=order.root,
            start_new_session=True,
        )
        theirs.close()
        os.close(given)
        stack.callback(_end, process, control)
        tail = _Tail(order.limits.output_bytes)
        answer = _start(control, order, stack, serve)
        if "ready" not in answer:
            tail.drain(output)
            said = answer.get("refused") or tail.text() or "it ended at once"
            raise SandboxError(f"no sandbox for commands: {said}")
        message = tail.follow(control, output, order.limits.wall_seconds + _SPARE_SECONDS)
        message = message or _LOST
        tail.drain(output)
    ended_itself = message["breach"] is None
    return CommandOutcome(
        status=message["status"] if ended_itself else None,
        breach=message["breach"],
        output=bytes(tail.kept),
        seconds=message["seconds"],
        cpu_seconds=message["cpu_seconds"],
        memory_bytes=message["memory_bytes"],
    )


def _start(
    control: socket.socket, order: Order, stack: ExitStack, serve: Serve | None
) -> dict[str, Any]:
    """Gives the order, and has the socket answered at that comes back; what was said."""
    control.settimeout(START_SECONDS)
    try:
        control.sendall(frame(order.to_values()))
        data, descriptors, _, _ = socket.recv_fds(control, _MOST_MESSAGE_BYTES, 1)
    except TimeoutError:
        return {"refused": f"it has not started after {START_SECONDS:g} s"}
    except ConnectionError:
        return {}
    finally:
        control.settimeout(None)
    if descriptors:
        listener = socket.socket(fileno=descriptors[0])
        stack.callback(listener.close)
        if serve is not None:
            stack.enter_context(serve(listener))
    found: dict[str, Any] = next(split_frames(data), {})
    return found


def _end(process: subprocess.Popen[bytes], control: socket.socket) -> None:
    # Whoever hears this ends, and with it all processes of the command.
    control.close()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Tail:
    """The end of what a command writes."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self.kept = bytearray()

    def text(self) -> str:
        """The last line."""
        lines = self.kept.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def follow(self, control: socket.socket, output: int, seconds: float) -> dict[str, Any]:
        """Reads what is written until the supervisor says how the command ended."""
        os.set_blocking(output, False)
        with selectors.DefaultSelector() as selector:
            selector.register(control, selectors.EVENT_READ)
            selector.register(output, selectors.EVENT_READ)
            while events := selector.select(seconds):
                for key, _ in events:
                    if key.fileobj is control:
                        found: dict[str, Any]
                        with suppress(ConnectionError, FrameError):
                            found = next(split_frames(control.recv(_MOST_MESSAGE_BYTES)), {})
                            return found
                        return {}
                    if not self._read(output):
                        selector.unregister(output)
        return {}

    def drain(self, output: int) -> None:
        """Reads what is left, now that nobody writes."""
        os.set_blocking(output, False)
        while self._read(output):
            pass

    def _read(self, output: int) -> bool:
        """Whether there may be more."""
        data = b""
        with suppress(BlockingIOError):
            data = os.read(output, _PORTION)
        self.kept += data
        del self.kept[: -self._most]
        return bool(data)
