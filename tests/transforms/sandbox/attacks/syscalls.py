"""The start of programs that call the kernel itself: the number of every call they use."""

from __future__ import annotations

NUMBERS = {
    "x86_64": {
        "personality": 135,
        "acct": 163,
        "swapon": 167,
        "reboot": 169,
        "iopl": 172,
        "init_module": 175,
        "delete_module": 176,
        "kexec_load": 246,
        "add_key": 248,
        "keyctl": 250,
        "unshare": 272,
        "move_pages": 279,
        "perf_event_open": 298,
        "fanotify_init": 300,
        "syslog": 103,
        "ptrace": 101,
        "pivot_root": 155,
        "clock_adjtime": 305,
        "setns": 308,
        "process_vm_readv": 310,
        "process_vm_writev": 311,
        "kcmp": 312,
        "finit_module": 313,
        "bpf": 321,
        "userfaultfd": 323,
        "tkill": 200,
        "rt_sigqueueinfo": 129,
        "quotactl": 179,
        "modify_ldt": 154,
        "clone": 56,
    },
    "aarch64": {
        "personality": 92,
        "acct": 89,
        "swapon": 224,
        "reboot": 142,
        "init_module": 105,
        "delete_module": 106,
        "kexec_load": 104,
        "add_key": 217,
        "keyctl": 219,
        "unshare": 97,
        "move_pages": 239,
        "perf_event_open": 241,
        "fanotify_init": 262,
        "syslog": 116,
        "ptrace": 117,
        "pivot_root": 41,
        "clock_adjtime": 266,
        "setns": 268,
        "process_vm_readv": 270,
        "process_vm_writev": 271,
        "kcmp": 272,
        "finit_module": 273,
        "bpf": 280,
        "userfaultfd": 282,
        "tkill": 130,
        "rt_sigqueueinfo": 138,
        "quotactl": 60,
        "clone": 220,
    },
}
"""From the kernel's tables: arch/x86/entry/syscalls/syscall_64.tbl, scripts/syscall.tbl."""

COMMON = {
    "pidfd_send_signal": 424,
    "io_uring_setup": 425,
    "open_tree": 428,
    "fsopen": 430,
    "clone3": 435,
    "pidfd_getfd": 438,
    "mount_setattr": 442,
    "memfd_secret": 447,
}
"""The same everywhere."""

KERNEL = f"""
import ctypes, os, platform

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
NUMBERS = {NUMBERS!r}[platform.machine()] | {COMMON!r}


def call(name, *arguments):
    wide = (ctypes.c_long(each) if isinstance(each, int) else each for each in arguments)
    ctypes.set_errno(0)
    return LIBC.syscall(ctypes.c_long(NUMBERS[name]), *wide)


def report(result):
    os.write(1, f"{{TOKEN}}:{{ctypes.get_errno() if result < 0 else 0}};".encode())
"""


def kernel(text: str) -> str:
    """A program that may `call` the kernel by the names above, and `report` the answer."""
    return KERNEL + text
