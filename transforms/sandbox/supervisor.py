"""The supervisor of one command: builds a world of its own for it, and leaves no process of it.

It is the first process of the command's namespaces, so that whatever the command starts ends
with it, and it ends with whoever started it.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from transforms.sandbox import kernel
from transforms.sandbox.family import Family
from transforms.sandbox.folders import TooDeepError, count_files
from transforms.sandbox.frames import FrameReader, frame
from transforms.sandbox.limits import CommandLimits
from transforms.sandbox.settings import DEVICES
from transforms.sandbox.worlds import (
    Outsider,
    below,
    go_on_as_first_process,
    map_user_alone,
    open_tables,
    show,
)

INSIDE = Path("/place")
INDEX_PORT = 3141

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/mime.types")
_ETC = {
    "passwd": "user:x:1000:1000:user:/place/home:/bin/sh\n",
    "group": "user:x:1000:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "resolv.conf": "",
}
_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}
_LOOK_SECONDS = 0.1
_FILES_SECONDS = 5.0
"""Between two counts of all files, each of which takes a while."""

_MOST_DESCRIPTORS = 1 << 20
_MOST_ORDER_BYTES = 16 << 20


@dataclass(frozen=True)
class Order:
    """One command; plain values, so that they travel as JSON."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    directory: str
    """Inside of the world."""

    place: str
    """The folder of the machine that is `INSIDE`."""

    readable: tuple[str, ...]
    """Files and folders of the machine that are shown at their own places."""

    root: str
    """An empty folder, for the root of the world."""

    limits: CommandLimits
    calls: str
    """The seccomp filter in hexadecimal."""

    pivot_root: int
    """The number of that system call."""

    user: int
    """Who the command runs as on the machine, where the supervisor may choose."""

    serves: bool
    """Whether to make a socket at `INDEX_PORT`, for the trusted side to answer at."""

    def to_values(self) -> dict[str, Any]:
        """For a frame, as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Order:
        """What `to_values` gave."""
        values = dict(values)
        values["limits"] = CommandLimits(**values["limits"])
        values["arguments"] = tuple(values["arguments"])
        values["readable"] = tuple(values["readable"])
        return cls(**values)


def main(arguments: list[str]) -> None:
    """Runs the order that comes by the control socket, the first; the output is the second."""
    # What the first process of a namespace has a handler for, its processes can send it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    control = socket.socket(fileno=int(arguments[0]))
    output = int(arguments[1])
    try:
        order = Order.from_values(FrameReader(control.fileno(), _MOST_ORDER_BYTES).read())
        family = _enter(order)
        kernel.hide_memory()
        _say_ready(control, order)
        command = os.fork()
        if command == 0:
            _become(order, output)
    except Exception as error:
        control.send(frame({"refused": f"{type(error).__name__}: {error}"}))
        return
    os.close(output)
    _say(control, _watch(order, control, family, command))


def _say(control: socket.socket, message: Mapping[str, Any]) -> None:
    # Nobody may be there any more.
    with suppress(OSError):
        control.send(frame(dict(message)))


def _enter(order: Order) -> Family:
    """Builds the world; this process then is the first one in it."""
    tables = open_tables()
    is_root = os.geteuid() == 0
    if not is_root:
        users = (os.geteuid(), os.getegid())
        kernel.unshare(kernel.NEW_USERS | kernel.NEW_MOUNTS)
        map_user_alone(*users)
    number = go_on_as_first_process()
    outsider = Outsider(order.user, number) if is_root else None
    kernel.unshare(kernel.NEW_MOUNTS)
    _build_root(order)
    if outsider is not None:
        kernel.unshare(kernel.NEW_USERS | kernel.NEW_MOUNTS)
        outsider.map_user()
        # A change of the user has undone this.
        kernel.die_with_parent().make()
    kernel.unshare(kernel.NEW_IPC | kernel.NEW_NETWORK | kernel.NEW_HOST_NAME)
    socket.sethostname("sandbox")
    kernel.raise_loopback()
    return Family(tables, number, forked=False)


def _build_root(order: Order) -> None:
    kernel.keep_mounts_private()
    root = Path(order.root)
    kernel.mount_memory(root, "size=1m,mode=0755")
    for path in map(Path, (*_SYSTEM, *_SYSTEM_FILES, *DEVICES, *order.readable)):
        if path.is_symlink() and str(path) in _SYSTEM:
            below(root, path).symlink_to(path.readlink())
        elif path.exists():
            show(path, root)
    for name, text in _ETC.items():
        file = root / "etc" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    for place in (root / "tmp", root / "var" / "tmp"):
        # What is shown may lie there, and then commands have their own place for files alone.
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            place.symlink_to(INSIDE / "tmp")
    for name, target in _LINKS.items():
        (root / "dev" / name).symlink_to(target)
    writable, shared, terminals = below(root, INSIDE), root / "dev" / "shm", root / "dev" / "pts"
    for folder in (writable, shared, terminals, root / "proc"):
        folder.mkdir()
    kernel.protect_mount(root, kernel.READ_ONLY | kernel.NO_SETUID)
    kernel.bind(Path(order.place), writable)
    kernel.protect_mount(writable, kernel.NO_SETUID | kernel.NO_DEVICES)
    options = f"size={order.limits.shared_bytes},nr_inodes=4096,mode=1777"
    kernel.mount_memory(shared, options)
    # A machine may have no terminals to give, or hide parts of its own tables and then show none.
    with suppress(OSError):
        kernel.mount_terminals(terminals)
    with suppress(OSError):
        kernel.mount_processes(root / "proc")
    kernel.change_root(root, order.pivot_root)


def _say_ready(control: socket.socket, order: Order) -> None:
    """Tells the trusted side, with a socket that listens here if it is to serve.

    Nothing of others ran yet.
    """
    if not order.serves:
        control.send(frame({"ready": True}))
        return
    with socket.create_server(("127.0.0.1", INDEX_PORT)) as listener:
        socket.send_fds(control, [frame({"ready": True})], [listener.fileno()])


def _become(order: Order, output: int) -> None:
    """Gives up what the command may not have, and becomes it."""
    status = 126
    try:
        os.setsid()
        os.chdir(order.directory)
        nothing = os.open("/dev/null", os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, _MOST_DESCRIPTORS)
        os.umask(0o022)
        # What Python ignores, or whoever started this, would stay ignored.
        for number in signal.valid_signals():
            if signal.getsignal(number) is signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        with suppress(OSError):
            # If the machine runs out of memory, this goes first.
            Path("/proc/self/oom_score_adj").write_text("1000")
        _limit(order.limits)
        kernel.refuse_new_privileges()
        kernel.drop_capabilities().make()
        kernel.filter_calls(bytes.fromhex(order.calls)).make()
        os.execve(  # noqa: S606 - no shell is wanted
            order.arguments[0], list(order.arguments), dict(order.environment)
        )
    except OSError as error:
        os.write(2, f"{order.arguments[0]}: {error.strerror}\n".encode())
        status = 127
    finally:
        os._exit(status)


def _limit(limits: CommandLimits) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, limits.address_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_RTPRIO, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _watch(order: Order, control: socket.socket, family: Family, command: int) -> dict[str, Any]:
    """Waits for the end of a command or the limit that it breaks, and ends all its processes."""
    watch = _Watch(order, family)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    status: int | None = None
    while status is None and watch.breach is None:
        if poll.poll(watch.look_seconds * 1000):
            # The trusted side is gone, or wants no more of it.
            watch.breach = "stopped"
        status = _reap(command)
        watch.look()
    ended = time.monotonic()
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    last = _reap_all(command)
    return {
        "breach": watch.breach if status is None else watch.last_breach(),
        "status": last if status is None else status,
        "seconds": ended - watch.began,
        "cpu_seconds": _cpu_of_ended(),
        "memory_bytes": watch.memory_bytes,
    }


def _cpu_of_ended() -> float:
    """CPU time of the processes that this one has waited for, and of what they waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class _Watch:
    """What a command uses, looked at now and then."""

    def __init__(self, order: Order, family: Family) -> None:
        self._limits = order.limits
        self._family = family
        self.began = time.monotonic()
        self._counted = self.began
        self._device = INSIDE.stat().st_dev
        self._nameless_bytes = 0
        self.memory_bytes = 0
        self.breach: str | None = None
        self.look_seconds = 0.01

    def look(self) -> None:
        """Finds out which limit is broken."""
        # What is short is seen to end at once; what is long is not looked at all the time.
        self.look_seconds = min(self.look_seconds * 1.5, _LOOK_SECONDS)
        now, limits = time.monotonic(), self._limits
        if self.breach is not None:
            return
        if now - self.began > limits.wall_seconds:
            self.breach = "wall_seconds"
            return
        if self._family.cpu_seconds() + _cpu_of_ended() > limits.cpu_seconds:
            self.breach = "cpu_seconds"
            return
        self._nameless_bytes, in_memory = self._family.nameless_bytes(self._device)
        used = self._family.usage().memory_bytes + in_memory
        self.memory_bytes = max(self.memory_bytes, used)
        if self.memory_bytes > limits.memory_bytes:
            self.breach = "memory"
        elif self._nameless_bytes > limits.folder_bytes:
            self.breach = "files"
        elif now - self._counted > _FILES_SECONDS:
            self._counted = now
            self.breach = self.last_breach()

    def last_breach(self) -> str | None:
        """Whether its files are too many."""
        try:
            count, size = count_files(str(INSIDE), self._limits.files)
        except TooDeepError:
            return "files"
        size += self._nameless_bytes
        many = count > self._limits.files or size > self._limits.folder_bytes
        return "files" if many else None


def _reap(command: int) -> int | None:
    """Takes note of processes that have ended; the status of the command if it is one of them."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == command:
                return os.waitstatus_to_exitcode(status)
            if pid == 0:
                return None
    return None


def _reap_all(command: int) -> int | None:
    found: int | None = None
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == command:
                found = os.waitstatus_to_exitcode(status)
    return found
