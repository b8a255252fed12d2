"""What some attacks need of the machine to succeed bare."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

IPPROTO_MPTCP = 262


def root() -> str | None:
    return None if os.geteuid() == 0 else "succeeds bare for root alone"


def x86_64() -> str | None:
    return None if platform.machine() == "x86_64" else "is written in code of x86_64"


def ipv6() -> str | None:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        return f"there is no IPv6 on loopback: {error}"
    return None


def mptcp() -> str | None:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP).close()
    except OSError as error:
        return f"this kernel speaks no MPTCP: {error}"
    return None


def tcp_fast_open() -> str | None:
    setting = _setting("net/ipv4/tcp_fastopen")
    return None if setting & 1 else "net.ipv4.tcp_fastopen is off for clients"


def reads_of_parents() -> str | None:
    if os.geteuid() == 0 or _setting("kernel/yama/ptrace_scope") == 0:
        return None
    return "kernel.yama.ptrace_scope keeps processes of other users than root from it"


def injection_into_terminals() -> str | None:
    if os.geteuid() == 0 or _setting("dev/tty/legacy_tiocsti"):
        return None
    return "dev.tty.legacy_tiocsti is off"


def core_files() -> str | None:
    if Path("/proc/sys/kernel/core_pattern").read_text().startswith(("|", "/", "@")):
        return "kernel.core_pattern sends cores elsewhere than into the folder"
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
        return "the hard limit of core files is not unlimited"
    return None


def shared_memory_folder() -> str | None:
    try:
        free = shutil.disk_usage("/dev/shm").free
    except FileNotFoundError:
        free = 0
    return None if free > 2 << 30 else "/dev/shm has less than 2 GiB free"


def writable_home() -> str | None:
    return None if os.access(Path.home(), os.W_OK) else "the home folder is missing or not writable"


def writable_library() -> str | None:
    folder = Path(os.__file__).parent
    return None if os.access(folder, os.W_OK) else f"{folder} is not writable anyway"


@cache
def disk() -> str | None:
    """Whether the disk of the temporary folder can be read past its files."""
    with tempfile.TemporaryDirectory() as folder:
        device = os.stat(folder).st_dev
        if not os.major(device):
            return "the temporary folder is on no disk"
        try:
            os.mknod(f"{folder}/disk", stat.S_IFBLK | 0o600, device)
            os.close(os.open(f"{folder}/disk", os.O_RDONLY))
        except OSError as error:
            return f"the disk cannot be opened anyway: {error.strerror}"
    return None


def addresses_of_kernel() -> str | None:
    try:
        with open("/proc/kallsyms") as file:
            hidden = int(file.readline().split()[0], 16) == 0
    except OSError as error:
        return f"/proc/kallsyms cannot be read: {error.strerror}"
    return "kernel.kptr_restrict hides addresses from this user" if hidden else None


@cache
def private_pids() -> str | None:
    if shutil.which("unshare") is None:
        return "unshare of util-linux is missing"
    tried = subprocess.run([*in_private_pids(), "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else f"no PID namespace: {tried.stderr.decode()[:200]}"


def in_private_pids() -> list[str]:
    """The command that runs another as process 1 of a PID namespace."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--pid", "--fork", "--kill-child", "--mount-proc"]


def _setting(name: str) -> int:
    try:
        return int(Path("/proc/sys", name).read_text())
    except FileNotFoundError:
        return 0


def exists(path: str) -> Callable[[], str | None]:
    return lambda: None if Path(path).exists() else f"there is no {path}"
