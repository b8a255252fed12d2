"""Seccomp: which system calls a program may make, as a filter for the kernel.

The filter is a list: what it does not name does not exist for the program, so that calls of
kernels to come are not there until somebody has thought about them. Calls that programs
try are refused as not permitted, which they can tell their users.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable

import system_calls

from transforms.sandbox.syscalls import (
    ACCESS_TO_NOTHING,
    ALLOWED,
    CHANGES_OF_METADATA,
    CLONE_NAMESPACES,
    CLONE_THREAD,
    COMMAND_IOCTLS,
    COMMAND_PRCTLS,
    COMMANDS,
    FCNTLS,
    IOCTLS,
    MAP_ANONYMOUS,
    MAP_SHARED,
    NAMELESS,
    OWN_FAMILIES,
    PRCTLS,
    REFUSED,
    SIGNALS,
    TRUNCATE,
    UNCOUNTED_WRITES,
    WATCHES,
)

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000
_ARCHITECTURES = {"x86_64": ("x86_64", 0xC000003E), "aarch64": ("arm64", 0xC00000B7)}
_X32_BIT = 0x40000000

# Offsets in struct seccomp_data; arguments are 64 bits wide, low half first on both machines.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_LOAD, _RETURN, _JUMP = 0x20, 0x06, 0x05
_EQUAL, _AT_LEAST, _ANY_BIT, _AND = 0x15, 0x35, 0x45, 0x54
_FARTHEST = 255
"""How many steps a comparison can skip."""

_REFUSE = struct.pack("HBBI", _RETURN, 0, 0, _ERRNO | errno.EPERM)

_AF_UNIX, _STREAM, _SEQUENCED_PACKETS = 1, 1, 5
_SOCKET_KINDS = 0xF
_ASK_PERSONALITY = 0xFFFFFFFF


class UnsupportedMachineError(RuntimeError):
    """There is no table of system calls for this machine."""


def build_filter(
    *, own_files: bool, own_signals: bool, forks: bool, commands: bool = False
) -> bytes:
    """The filter of this machine, as an array of struct sock_filter.

    Args:
      own_files: whether all files that can be reached are the run's own or read-only. Where
        they are not, Landlock guards what is in files but not their modes, owners and times,
        and only what is written in a way that the kernel counts is limited.
      own_signals: whether signals reach processes of the run alone. Where they might not,
        none can be sent.
      forks: whether processes may be started, and not only threads.
      commands: whether other programs may be, which may listen and connect; only for those
        that have a network of their own.

    Raises:
      UnsupportedMachineError: see there.
    """
    numbers, architecture = _table()
    refused = set(REFUSED)
    if not own_files:
        refused |= CHANGES_OF_METADATA | UNCOUNTED_WRITES | WATCHES
    if not own_signals:
        refused |= SIGNALS
    if commands:
        refused -= COMMANDS
    allowed = (
        ALLOWED | CHANGES_OF_METADATA | SIGNALS | (COMMANDS if commands else set())
    ) - refused
    answers = {
        **{number: [_step(_RETURN, _ALLOW)] for number in _numbers(allowed, numbers)},
        **{number: [_REFUSE] for number in _numbers(refused, numbers)},
        **_guarded(numbers, forks=forks, own_files=own_files, commands=commands),
    }
    program = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        _step(_AT_LEAST, _X32_BIT, 0, 1),
        _step(_RETURN, _KILL),
        *_choose(_divide(answers)),
    ]
    return b"".join(program)


def system_call(name: str) -> int:
    """The number of a system call on this machine.

    Raises:
      UnsupportedMachineError: see there.
    """
    return _table()[0][name]


def _table() -> tuple[dict[str, int], int]:
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        known = " and ".join(_ARCHITECTURES)
        raise UnsupportedMachineError(
            f"the sandbox knows the system calls of {known}, not of {machine}"
        )
    table, architecture = _ARCHITECTURES[machine]
    return system_calls.syscalls().load_arch_table(table), architecture


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _numbers(names: Iterable[str], numbers: dict[str, int]) -> list[int]:
    return sorted(numbers[name] for name in names if name in numbers)


def _divide(answers: dict[int, list[bytes]]) -> list[tuple[int, list[bytes]]]:
    """The ranges of numbers with one answer: where each begins, and its answer."""
    unknown = [_step(_RETURN, _ERRNO | errno.ENOSYS)]
    ranges: list[tuple[int, list[bytes]]] = [(0, answers.get(0, unknown))]
    for number in sorted({each + add for each in answers for add in (0, 1)}):
        answer = answers.get(number, unknown)
        if answer != ranges[-1][1]:
            ranges.append((number, answer))
    return ranges


def _choose(ranges: list[tuple[int, list[bytes]]]) -> list[bytes]:
    """A binary search: the kernel tries each number when it takes the filter."""
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    below, above = _choose(ranges[:middle]), _choose(ranges[middle:])
    first = ranges[middle][0]
    if len(below) <= _FARTHEST:
        return [_step(_AT_LEAST, first, len(below), 0), *below, *above]
    return [_step(_AT_LEAST, first, 0, 1), _step(_JUMP, len(below)), *below, *above]


def _guarded(
    numbers: dict[str, int], *, forks: bool, own_files: bool, commands: bool
) -> dict[int, list[bytes]]:
    """Decisions on calls that are allowed for some arguments."""
    no_more = _step(_RETURN, _ERRNO | errno.EAGAIN)
    namespaces = [_step(_ANY_BIT, CLONE_NAMESPACES, 0, 1), _REFUSE]
    threads = [_step(_ANY_BIT, CLONE_THREAD, 1, 0), no_more]
    start = _step(_RETURN, _ALLOW) if forks else no_more
    decisions = {
        "fork": [start],
        "vfork": [start],
        "clone": [
            *(_load_argument(0), *namespaces, *([] if forks else threads)),
            _step(_RETURN, _ALLOW),
        ],
        # Its flags are in memory, which no filter reads; libraries fall back to clone.
        "clone3": [_step(_RETURN, _ERRNO | errno.ENOSYS)],
        "socketpair": _connected_pairs(),
        "open": _openings(1, own_files=own_files),
        "openat": _openings(2, own_files=own_files),
        "fcntl": [_load_argument(1), *_only(FCNTLS)],
        "mmap": [_step(_RETURN, _ALLOW)] if own_files else _mappings(),
        "sched_setaffinity": [_load_argument(0), *_only([0])],
        "personality": [_load_argument(0), *_only([_ASK_PERSONALITY])],
        "prlimit64": [_load_argument(0), *_only([0])],
        "prctl": [_load_argument(0), *_only(PRCTLS)],
        "ioctl": [_load_argument(1), *_only(IOCTLS)],
    }
    if commands:
        decisions["socket"] = [_load_argument(0), *_only(OWN_FAMILIES)]
        decisions["socketpair"] = [_load_argument(0), *_only(OWN_FAMILIES)]
        decisions["prctl"] = [_load_argument(0), *_only(PRCTLS | COMMAND_PRCTLS)]
        decisions["ioctl"] = [_load_argument(1), *_only(IOCTLS | COMMAND_IOCTLS)]
    return {numbers[name]: steps for name, steps in decisions.items() if name in numbers}


def _connected_pairs() -> list[bytes]:
    """Pairs of Unix sockets which can only reach each other: datagrams could go elsewhere."""
    kinds = [_load_argument(1), _step(_AND, _SOCKET_KINDS), *_only([_STREAM, _SEQUENCED_PACKETS])]
    is_unix = [_load_argument(0), _step(_EQUAL, _AF_UNIX, 1, 0), _REFUSE]
    return [*is_unix, *kinds]


def _openings(flags: int, *, own_files: bool) -> list[bytes]:
    """Opening of files, given the place of its flags, as far as others can check it.

    Landlock sees no access in a mode that has none, before Linux 6.2 no truncation either, and
    where files are counted by their names all must have one.
    """
    nameless = [] if own_files else [_step(_ANY_BIT, NAMELESS, 0, 1), _REFUSE]
    return [
        *(_load_argument(flags), *nameless),
        *(_step(_AND, TRUNCATE | ACCESS_TO_NOTHING), _step(_EQUAL, TRUNCATE, 0, 1), _REFUSE),
        *(_step(_AND, ACCESS_TO_NOTHING), _step(_EQUAL, ACCESS_TO_NOTHING, 0, 1), _REFUSE),
        _step(_RETURN, _ALLOW),
    ]


def _mappings() -> list[bytes]:
    """Mappings but for those that write to files, which no count of what is written sees."""
    return [
        *(_load_argument(3), _step(_ANY_BIT, MAP_ANONYMOUS, 2, 0)),
        *(_step(_ANY_BIT, MAP_SHARED, 0, 1), _REFUSE),
        _step(_RETURN, _ALLOW),
    ]


def _load_argument(place: int) -> bytes:
    """The low half of an argument: the kernel takes these as numbers of 32 bits, too."""
    return _step(_LOAD, _ARGUMENTS + 8 * place)


def _only(values: Iterable[int]) -> list[bytes]:
    allowed = ((_step(_EQUAL, each, 0, 1), _step(_RETURN, _ALLOW)) for each in sorted(values))
    return [*(step for pair in allowed for step in pair), _REFUSE]
