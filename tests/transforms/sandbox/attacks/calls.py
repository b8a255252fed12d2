"""Calls that reach far into the kernel, or need rights over the machine.

Bare, each is done or finds fault with its arguments, so that the kernel was reached, and
changes nothing: the sandbox has to refuse it. Where the machine refuses a call anyway, to
this user or to all, there is nothing to prove.
"""

from __future__ import annotations

from tests.transforms.sandbox.attacks import needs
from tests.transforms.sandbox.attacks.attack import Attack, Need, call_was_done, kernel_answered
from tests.transforms.sandbox.attacks.syscalls import kernel


def does(name: str, program: str, *needed: Need) -> Attack:
    """An attack by a call that is done."""
    return Attack(name, kernel(program), succeeded=call_was_done, needs=needed)


def reaches(name: str, program: str, *needed: Need) -> Attack:
    """An attack by a call that the kernel finds fault with."""
    return Attack(name, kernel(program), succeeded=kernel_answered, needs=needed)


NAMESPACE_FLAGS = {
    "users": 0x10000000,
    "mounts": 0x20000,
    "processes": 0x20000000,
    "networks": 0x40000000,
    "messages": 0x8000000,
    "names": 0x4000000,
    "cgroups": 0x2000000,
}
"""CLONE_NEWUSER and so on."""

NAMESPACES = (
    *(
        does(f"makes_a_namespace_of_{kind}", f'report(call("unshare", {flag}))')
        for kind, flag in NAMESPACE_FLAGS.items()
    ),
    does(
        "starts_a_process_in_a_namespace_of_users",
        """
CLONE_NEWUSER, SIGCHLD = 0x10000000, 17
child = call("clone", CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)
if child == 0:
    os._exit(0)
report(child)
""",
    ),
    does(
        "starts_a_process_by_a_structure_of_flags",
        # Filters see the address of the structure and nothing in it.
        """
import struct
CLONE_NEWUSER, SIGCHLD = 0x10000000, 17
child = call("clone3", struct.pack("=11Q", CLONE_NEWUSER, 0, 0, 0, SIGCHLD, *[0] * 6), 88)
if child == 0:
    os._exit(0)
report(child)
""",
    ),
    *(
        does(
            f"joins_the_{kind}_namespace_of_its_parent",
            f"""
report(call("setns", os.open(f"/proc/{{HARNESS}}/ns/{kind}", os.O_RDONLY), 0))
""",
            needs.root,
        )
        for kind in ("net", "ipc", "uts", "pid")
    ),
)

MOUNTS = (
    does("opens_a_kind_of_file_system", 'report(call("fsopen", b"tmpfs", 0))', needs.root),
    does("opens_a_tree_of_files", 'report(call("open_tree", -100, b"/", 1))', needs.root),
    reaches("changes_a_mount", 'report(call("mount_setattr", -100, b"nowhere", 0, bytes(32), 32))'),
    reaches(
        "turns_to_a_missing_root", 'report(call("pivot_root", b"nowhere", b"nowhere"))', needs.root
    ),
    does("watches_all_files", 'report(call("fanotify_init", 0, 0))', needs.root),
)

ENTRANCES = (
    does(
        "loads_a_program_into_the_kernel",
        # BPF_MAP_CREATE of an array with one element.
        """
import struct
report(call("bpf", 0, struct.pack("=4I", 2, 4, 8, 1) + bytes(112), 128))
""",
        needs.root,
    ),
    does(
        "counts_events_of_processors",
        # PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, of this process alone, not of the kernel.
        """
import struct
attributes = struct.pack("=IIQQQQQ", 1, 112, 0, 0, 0, 0, 1 << 5) + bytes(64)
report(call("perf_event_open", attributes, 0, -1, -1, 0))
""",
    ),
    does("handles_page_faults", 'USER_MODE_ONLY = 1\nreport(call("userfaultfd", USER_MODE_ONLY))'),
    does(
        "queues_calls_in_a_ring",
        'report(call("io_uring_setup", 4, ctypes.create_string_buffer(120)))',
    ),
    does(
        "keeps_a_key",
        """
PROCESS_KEYRING, REVOKE = -2, 3
key = call("add_key", b"user", TOKEN.encode(), b"here", 4, PROCESS_KEYRING)
report(key)
call("keyctl", REVOKE, key, 0, 0, 0)
""",
    ),
    does("asks_for_its_keyring", 'report(call("keyctl", 0, -4, 1, 0, 0))'),
    does("hides_memory_from_the_kernel", 'report(call("memfd_secret", 0))'),
    does("compares_processes", 'report(call("kcmp", os.getpid(), HARNESS, 2, 0, 0))'),
    does("asks_for_pages_of_its_parent", 'report(call("move_pages", HARNESS, 0, 0, 0, 0, 0))'),
    does("makes_itself_another_machine", 'report(call("personality", 0x0040000))'),
    does("asks_its_parent_to_trace_it", 'report(call("ptrace", 0, 0, 0, 0))'),
    reaches(
        "changes_the_table_of_segments",
        'report(call("modify_ldt", 0, ctypes.create_string_buffer(64), 64))',
        needs.x86_64,
    ),
    does("asks_for_ports_of_devices", 'report(call("iopl", 0))', needs.x86_64, needs.root),
)

RIGHTS = (
    reaches("loads_a_module", 'report(call("init_module", b"", 0, b""))', needs.root),
    reaches("loads_a_module_from_a_file", 'report(call("finit_module", -1, b"", 0))', needs.root),
    reaches("removes_a_module", 'report(call("delete_module", b"no_such_module", 0))', needs.root),
    reaches("loads_another_kernel", 'report(call("kexec_load", 0, 0, 0, -1))', needs.root),
    reaches(
        "restarts_the_machine",
        # With a word that is none of those which it takes.
        'report(call("reboot", 0, 0, 0, 0))',
        needs.root,
    ),
    reaches("keeps_accounts_in_a_file", 'report(call("acct", b"nowhere"))', needs.root),
    reaches("swaps_to_a_file", 'report(call("swapon", b"nowhere", 0))', needs.root),
    does(
        "reads_the_log_of_the_kernel",
        'READ_ALL = 3\nreport(call("syslog", READ_ALL, ctypes.create_string_buffer(9), 9))',
        needs.root,
    ),
    does(
        "sets_the_clock_of_the_machine",
        # ADJ_FREQUENCY, to what it is: needs the right and changes nothing.
        """
frequency = ctypes.create_string_buffer(208)
call("clock_adjtime", 0, frequency)
frequency[0:4] = (2).to_bytes(4, "little")
report(call("clock_adjtime", 0, frequency))
""",
        needs.root,
    ),
    does(
        "names_the_machine",
        # What its name is already.
        """
import socket
name = socket.gethostname().encode()
report(LIBC.sethostname(name, len(name)))
""",
        needs.root,
    ),
    does("becomes_another_user", "report(LIBC.setuid(12345))", needs.root),
    does("leaves_all_groups", "report(LIBC.setgroups(0, None))", needs.root),
    does("is_run_before_all_others", "report(LIBC.nice(-5))", needs.root),
    does(
        "is_run_in_real_time",
        "report(LIBC.sched_setscheduler(0, 2, (ctypes.c_int * 1)(1)))",
        needs.root,
    ),
    *(
        does(
            f"opens{path.replace('/', '_')}", f'report(LIBC.open(b"{path}", os.O_RDONLY))', *needed
        )
        for path, *needed in (
            ("/dev/mem", needs.root, needs.exists("/dev/mem")),
            ("/dev/kmsg", needs.root, needs.exists("/dev/kmsg")),
            ("/dev/fuse", needs.root, needs.exists("/dev/fuse")),
            ("/dev/kvm", needs.root, needs.exists("/dev/kvm")),
            ("/dev/net/tun", needs.root, needs.exists("/dev/net/tun")),
            ("/proc/kcore", needs.root, needs.exists("/proc/kcore")),
            ("/proc/sysrq-trigger", needs.root, needs.exists("/proc/sysrq-trigger")),
        )
    ),
)

ATTACKS = (*NAMESPACES, *MOUNTS, *ENTRANCES, *RIGHTS)
