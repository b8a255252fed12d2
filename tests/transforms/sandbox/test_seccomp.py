import errno
import itertools
import os
import platform
import socket
import struct
from functools import cache

import pytest
import system_calls
from hypothesis import given
from hypothesis import strategies as st

from transforms.sandbox.seccomp import UnsupportedMachineError, build_filter, system_call
from transforms.sandbox.syscalls import (
    ALLOWED,
    CHANGES_OF_METADATA,
    CLONE_NAMESPACES,
    CLONE_THREAD,
    FCNTLS,
    IOCTLS,
    PRCTLS,
    REFUSED,
    SIGNALS,
    UNCOUNTED_WRITES,
    WATCHES,
)

ALLOW, KILL = "allow", "kill"
MACHINES = {"x86_64": ("x86_64", 0xC000003E), "aarch64": ("arm64", 0xC00000B7)}
MOST_STEPS = 4096
"""BPF_MAXINSNS of the kernel."""

FLAGS = [
    dict(zip(("own_files", "own_signals", "forks"), values, strict=True))
    for values in itertools.product((False, True), repeat=3)
]
GUARDED = {
    *("socketpair", "personality", "prlimit64", "prctl", "ioctl", "clone", "clone3"),
    *("open", "openat", "fcntl", "mmap", "sched_setaffinity"),
}
STARTS = {"fork", "vfork"}


@cache
def table(machine):
    return system_calls.syscalls().load_arch_table(MACHINES[machine][0])


@pytest.fixture(params=MACHINES)
def machine(request, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: request.param)
    return request.param


@pytest.fixture(params=FLAGS, ids=lambda flags: " ".join(key for key in flags if flags[key]) or "-")
def flags(request):
    return request.param


@cache
def steps_of(program):
    assert len(program) % 8 == 0
    return [
        struct.unpack("=HBBI", program[place : place + 8]) for place in range(0, len(program), 8)
    ]


def answer(program, number, arguments=(), architecture=0xC000003E):
    """What a filter answers to a system call, by a reading of classic BPF."""
    words = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, architecture, 0, *(word & (1 << 64) - 1 for word in words))
    steps, place, held = steps_of(program), 0, 0
    for _ in range(MOST_STEPS):
        code, if_true, if_false, value = steps[place]
        place += 1
        match code:
            case 0x20:
                (held,) = struct.unpack_from("=I", data, value)
            case 0x54:
                held &= value
            case 0x05:
                place += value
            case 0x15:
                place += if_true if held == value else if_false
            case 0x35:
                place += if_true if held >= value else if_false
            case 0x45:
                place += if_true if held & value else if_false
            case 0x06:
                return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(value) or errno_of(value)
            case _:
                raise AssertionError(f"no step of a filter: {code:#x}")
    raise AssertionError("no end")


def errno_of(value):
    assert value >> 16 == 0x0005, hex(value)
    return value & 0xFFFF


def answers(machine, flags):
    """A function that asks the filter of a machine about a call by its name."""
    program, numbers, architecture = build_filter(**flags), table(machine), MACHINES[machine][1]
    return lambda name, *arguments: answer(program, numbers[name], arguments, architecture)


def test_steps_are_known_and_jumps_stay_inside(machine, flags):
    steps = steps_of(build_filter(**flags))
    assert 0 < len(steps) <= MOST_STEPS
    for place, (code, if_true, if_false, value) in enumerate(steps):
        assert code in (0x20, 0x06, 0x05, 0x15, 0x35, 0x45, 0x54)
        if code == 0x20:
            assert value % 4 == 0
            assert value <= 60
        ahead = {0x05: [value], 0x06: []}.get(code, [if_true, if_false])
        assert all(place + 1 + jump < len(steps) for jump in ahead)


def test_every_call_has_the_answer_of_the_lists(machine, flags):
    ask, numbers = answers(machine, flags), table(machine)
    refused = set(REFUSED)
    refused |= set() if flags["own_files"] else CHANGES_OF_METADATA | UNCOUNTED_WRITES | WATCHES
    refused |= set() if flags["own_signals"] else SIGNALS
    allowed = (ALLOWED | CHANGES_OF_METADATA | SIGNALS) - refused
    for name in set(numbers) - GUARDED - STARTS:
        expected = ALLOW if name in allowed else errno.EPERM if name in refused else errno.ENOSYS
        assert ask(name) == expected, name
        assert ask(name, *[(1 << 64) - 1] * 6) == expected, name


def test_numbers_without_a_name_do_not_exist(machine, flags):
    program, architecture = build_filter(**flags), MACHINES[machine][1]
    known = set(table(machine).values())
    for number in {*range(1200), 0x3FFFFFFF, 0x20000000} - known:
        assert answer(program, number, (), architecture) == errno.ENOSYS


@pytest.mark.parametrize("number", [0x40000000, 0x40000001, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_calls_of_x32_kill(machine, flags, number):
    assert answer(build_filter(**flags), number, (), MACHINES[machine][1]) == KILL


@pytest.mark.parametrize("architecture", [0, 0x40000003, 0x40000028, 0xC000003F, 0xFFFFFFFF])
def test_calls_of_other_architectures_kill(machine, flags, architecture):
    program = build_filter(**flags)
    for number in (0, 1, 59, 0x40000000):
        assert answer(program, number, (), architecture) == KILL
    for other, (_, own) in MACHINES.items():
        if other != machine:
            assert answer(program, 0, (), own) == KILL


def test_processes_start_only_where_they_may(machine, flags):
    ask = answers(machine, flags)
    expected = ALLOW if flags["forks"] else errno.EAGAIN
    for name in STARTS & set(table(machine)):
        assert ask(name) == expected
    assert ask("clone", 17) == expected
    assert ask("clone", 0x4111) == expected
    assert ask("clone", 0x3D0F00) == ALLOW
    assert ask("clone", CLONE_THREAD) == ALLOW
    assert ask("clone3", CLONE_THREAD) == errno.ENOSYS


@given(st.integers(0, (1 << 64) - 1), st.sampled_from(FLAGS))
def test_no_flags_start_a_namespace_or_a_process_that_is_not_allowed(number, flags):
    found = answer(build_filter(**flags), table("x86_64")["clone"], (number,))
    if number & CLONE_NAMESPACES:
        assert found == errno.EPERM
    else:
        is_thread = bool(number & CLONE_THREAD)
        assert found == (ALLOW if flags["forks"] or is_thread else errno.EAGAIN)


def test_namespaces_are_those_of_the_kernel():
    names = ("NEWNS", "NEWCGROUP", "NEWUTS", "NEWIPC", "NEWUSER", "NEWPID", "NEWNET")
    values = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
    for _, value in zip(names, values, strict=True):
        assert CLONE_NAMESPACES & value
    assert sum(values) == CLONE_NAMESPACES


def test_pairs_of_sockets_are_connected_ones_of_unix(machine, flags):
    ask = answers(machine, flags)
    modes = (
        0,
        socket.SOCK_NONBLOCK,
        socket.SOCK_CLOEXEC,
        socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC,
    )
    families = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, 0, 40, 45)
    for family, kind, mode in itertools.product(families, range(8), modes):
        fine = family == socket.AF_UNIX and kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET)
        assert ask("socketpair", family, kind | mode) == (ALLOW if fine else errno.EPERM)


@pytest.mark.parametrize(
    ("name", "place", "allowed"),
    [
        ("personality", 0, {0xFFFFFFFF}),
        ("prlimit64", 0, {0}),
        ("prctl", 0, PRCTLS),
        ("ioctl", 1, IOCTLS),
        ("fcntl", 1, FCNTLS),
        ("sched_setaffinity", 0, {0}),
    ],
)
def test_some_calls_are_allowed_for_some_arguments(machine, flags, name, place, allowed):
    ask = answers(machine, flags)
    near = {value + add for value in allowed for add in (-1, 0, 1)}
    for value in {each & 0xFFFFFFFF for each in near} | set(range(80)) | {0x5412, 0x541C, 1 << 31}:
        arguments = [7] * place + [value]
        assert ask(name, *arguments) == (ALLOW if value in allowed else errno.EPERM), value
        # The kernel does not look at the upper half either.
        arguments[place] |= 0xABCD << 32
        assert ask(name, *arguments) == (ALLOW if value in allowed else errno.EPERM), value


def test_files_are_opened_for_something(machine, flags):
    ask = answers(machine, flags)
    ways = (os.O_RDONLY, os.O_WRONLY, os.O_RDWR, 3)
    more = (0, os.O_CREAT, os.O_APPEND, os.O_CLOEXEC, os.O_DIRECTORY, os.O_NONBLOCK)
    for way, truncates, other, nameless in itertools.product(
        ways, (0, os.O_TRUNC), more, (0, 0x400000)
    ):
        refused = way == 3 or (way == os.O_RDONLY and truncates)
        refused = refused or (nameless and not flags["own_files"])
        expected = errno.EPERM if refused else ALLOW
        bits = way | truncates | other | nameless
        assert ask("openat", 7, 7, bits) == expected, bits
        if "open" in table(machine):
            assert ask("open", 7, bits) == expected, bits


def test_shared_files_are_mapped_where_they_are_the_own_ones(machine, flags):
    ask = answers(machine, flags)
    for kind, anonymous, other in itertools.product((1, 2, 3), (0, 0x20), (0, 0x10, 0x4000)):
        to_a_file = kind != 2 and not anonymous
        expected = errno.EPERM if to_a_file and not flags["own_files"] else ALLOW
        assert ask("mmap", 0, 4096, 3, kind | anonymous | other) == expected


def test_dangerous_arguments_are_not_on_the_lists():
    pr_set = {1, 4, 8, 22, 23, 24, 28, 30, 36, 38, 47, 53, 59, 0x59616D61}
    tiocsti, tiocsctty, tiocsetd, tioclinux = 0x5412, 0x540E, 0x5423, 0x541C
    assert not PRCTLS & pr_set
    assert not IOCTLS & {tiocsti, tiocsctty, tiocsetd, tioclinux}
    set_owner, set_signal, set_lease, notify = 8, 10, 1024, 1026
    assert not FCNTLS & {set_owner, set_signal, set_lease, notify, 15}


def test_lists_name_calls_that_there_are_and_each_once():
    lists = [ALLOWED, REFUSED, SIGNALS, CHANGES_OF_METADATA, frozenset(GUARDED | STARTS)]
    names = [name for each in lists for name in each]
    assert sorted(names) == sorted(set(names))
    assert set(names) <= set(system_calls.syscalls().names())
    assert UNCOUNTED_WRITES | WATCHES <= ALLOWED


def test_python_has_what_it_needs(machine):
    ask = answers(machine, {"own_files": False, "own_signals": False, "forks": False})
    wanted = (
        "read",
        "write",
        "openat",
        "mmap",
        "munmap",
        "futex",
        "getrandom",
        "exit_group",
        "brk",
    )
    assert {ask(name) for name in wanted} == {ALLOW}


def test_numbers_are_those_of_the_machine(machine):
    assert system_call("pivot_root") == {"x86_64": 155, "aarch64": 41}[machine]


def test_a_machine_without_a_table_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(UnsupportedMachineError, match="of x86_64 and aarch64, not of riscv64"):
        build_filter(own_files=True, own_signals=True, forks=False)
