"""Calls of Linux that Python has no names for.

Used by the fork server and by its children before they run anything of others: the standard
library alone.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

NEW_MOUNTS = 0x00020000
NEW_HOST_NAME = 0x04000000
NEW_IPC = 0x08000000
NEW_USERS = 0x10000000
NEW_PROCESSES = 0x20000000
NEW_NETWORK = 0x40000000

READ_ONLY, NO_SETUID, NO_DEVICES = 1, 2, 4
_NO_EXECUTION = 8
_SET_INTERFACE_FLAGS, _INTERFACE_UP = 0x8914, 1
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
_DETACH = 2
_MOUNT_SETATTR = 442
_LANDLOCK_RESTRICT_SELF = 446
_AT_RECURSIVE = 0x8000

_SET_DEATH_SIGNAL = 1
_SET_DUMPABLE = 4
_SET_SECCOMP = 22
_SET_SECURE_BITS = 28
_SET_SUBREAPER = 36
_SET_NO_NEW_PRIVILEGES = 38
_NO_CAPABILITIES_BY_USER = 1 << 2
_SECCOMP_FILTER = 2
_ANY_EVENT, _ONCE = 0xFFF, 1 << 31
_CAPABILITIES_VERSION = 0x20080522

_CAPABILITIES_HEADER = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
_NO_CAPABILITIES = (ctypes.c_uint32 * 6)()

_libc = ctypes.CDLL(None, use_errno=True)
_NAMES = (
    *("unshare", "mount", "umount2", "syscall", "capset", "setfsuid", "prctl"),
    *("inotify_init1", "inotify_add_watch"),
)
_functions = {name: getattr(_libc, name) for name in _NAMES}
"""Looked up once, and not by each child."""


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "users")]


class _FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


class Call:
    """A call that is ready to be made: a child then touches little else."""

    def __init__(self, function: str, *arguments: object) -> None:
        self._name = function
        self._function = _functions[function]
        self._arguments = arguments

    def make(self) -> int:
        """Makes it; raises OSError."""
        result: int = self._function(*self._arguments)
        if result == -1:
            number = ctypes.get_errno()
            raise OSError(number, f"{self._name}: {os.strerror(number)}")
        return result


def _call(function: str, *arguments: object) -> int:
    return Call(function, *arguments).make()


def unshare(kinds: int) -> None:
    """Moves this process, or of processes its next children, into new namespaces."""
    _call("unshare", kinds)


def keep_mounts_private() -> None:
    """No mount from here on shows in another namespace."""
    _call("mount", None, b"/", None, ctypes.c_ulong(_RECURSIVE | _PRIVATE), None)


def bind(source: Path, target: Path) -> None:
    """Shows a file or folder, with what is mounted below it, at another place."""
    _call("mount", bytes(source), bytes(target), None, ctypes.c_ulong(_BIND | _RECURSIVE), None)


def protect_mount(target: Path, attributes: int) -> None:
    """Sets attributes of a mount and of all below it."""
    settings = _MountAttributes(set=attributes)
    size = ctypes.c_size_t(ctypes.sizeof(settings))
    flags = ctypes.c_uint(_AT_RECURSIVE)
    number = ctypes.c_long(_MOUNT_SETATTR)
    _call("syscall", number, -100, bytes(target), flags, ctypes.byref(settings), size)


def mount_memory(target: Path, options: str) -> None:
    """Mounts a tmpfs, without devices and setuid programs."""
    flags = ctypes.c_ulong(NO_SETUID | NO_DEVICES)
    _call("mount", b"tmpfs", bytes(target), b"tmpfs", flags, options.encode())


def mount_processes(target: Path) -> None:
    """Shows processes of this namespace, to each those that it may look into.

    Without devices and setuid programs.
    """
    flags = ctypes.c_ulong(NO_SETUID | NO_DEVICES | _NO_EXECUTION)
    _call("mount", b"proc", bytes(target), b"proc", flags, b"hidepid=2")


def mount_terminals(target: Path) -> None:
    """Shows pseudoterminals that are nobody else's."""
    flags = ctypes.c_ulong(NO_SETUID | _NO_EXECUTION)
    _call("mount", b"devpts", bytes(target), b"devpts", flags, b"newinstance,ptmxmode=0666")


def raise_loopback() -> None:
    """Lets processes of this network namespace reach each other at 127.0.0.1 and ::1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as place:
        # struct ifreq: a name of 16 bytes, flags, and the rest of the union.
        request = struct.pack("16sH22x", b"lo", _INTERFACE_UP)
        fcntl.ioctl(place, _SET_INTERFACE_FLAGS, request)


def unmount(target: Path) -> None:
    """Takes a mount away, in use or not."""
    _call("umount2", bytes(target), _DETACH)


def change_root(root: Path, pivot_root: int) -> None:
    """Makes a mount the root, and leaves nothing of the one before; takes its call's number."""
    os.chdir(root)
    _call("syscall", ctypes.c_long(pivot_root), b".", b".")
    _call("umount2", b".", _DETACH)
    os.chdir("/")


def drop_capabilities() -> Call:
    """Gives up all that a process may do beyond its user."""
    return Call("capset", _CAPABILITIES_HEADER, _NO_CAPABILITIES)


def become_user(user: int, file_user: int) -> None:
    """Another user, and who opens files; capabilities stay, to be dropped next."""
    _prctl(_SET_SECURE_BITS, _NO_CAPABILITIES_BY_USER).make()
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    # It reports the user before, and no failure: asking again shows what there is.
    set_file_user = _functions["setfsuid"]
    set_file_user(ctypes.c_uint(file_user))
    if set_file_user(ctypes.c_uint(file_user)) != file_user:
        raise PermissionError(f"files cannot be opened as user {file_user}")


def refuse_new_privileges() -> None:
    """No program that is started from here on has more rights than this process."""
    _prctl(_SET_NO_NEW_PRIVILEGES, 1).make()


def hide_memory() -> None:
    """No process of the same user can look into this one, or change it."""
    _prctl(_SET_DUMPABLE, 0).make()


def die_with_parent() -> Call:
    """The process is killed when the one that forked it ends."""
    return _prctl(_SET_DEATH_SIGNAL, 9)


def adopt_orphans() -> None:
    """Descendants whose parents end become children of this process."""
    _prctl(_SET_SUBREAPER, 1).make()


def restrict_files(rules: int) -> Call:
    """Confines the process to a ruleset of Landlock, given its descriptor."""
    number = ctypes.c_long(_LANDLOCK_RESTRICT_SELF)
    return Call("syscall", number, ctypes.c_int(rules), ctypes.c_int(0))


def filter_calls(steps: bytes) -> Call:
    """Installs a seccomp filter, an array of struct sock_filter."""
    program = _FilterProgram(len(steps) // 8, steps)
    return _prctl(_SET_SECCOMP, _SECCOMP_FILTER, ctypes.pointer(program))


def open_watches() -> int:
    """A descriptor that tells of what happens to folders."""
    return _call("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)


def watch_once(watches: int, folder: Path) -> None:
    """Has the first thing told that happens to a folder or in it, reading included."""
    _call("inotify_add_watch", watches, bytes(folder), ctypes.c_uint32(_ANY_EVENT | _ONCE))


def _prctl(option: int, first: int, second: object = None) -> Call:
    rest = (second, ctypes.c_ulong(0), ctypes.c_ulong(0))
    return Call("prctl", ctypes.c_int(option), ctypes.c_ulong(first), *rest)
