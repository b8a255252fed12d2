"""Attacks that outlive their run, or leave the folders and namespaces they are in."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.transforms.sandbox.attacks import needs
from tests.transforms.sandbox.attacks.attack import (
    Attack,
    Run,
    Scene,
    eventually,
    secret_in_output,
)
from tests.transforms.sandbox.attacks.syscalls import kernel
from tests.transforms.sandbox.attacks.targets import file_appeared, secret_file

MNT_DETACH = 2

DETACH = kernel(
    """
import time


def live_on():
    PR_SET_NAME = 15
    LIBC.prctl(PR_SET_NAME, NAME.encode(), 0, 0, 0)
    # Else whoever waits for the end of the output waits for this process too.
    os.closerange(0, 256)
    time.sleep(20)
    os._exit(0)


"""
)


def process_name(scene: Scene) -> Mapping[str, object]:
    """A NAME for a process; the kernel keeps 15 bytes of names."""
    scene.kept["name"] = scene.token[-15:]
    return {"NAME": scene.kept["name"]}


def _named(name: str) -> bool:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                return True
    return False


def lives_on(scene: Scene, run: Run) -> bool:
    """Whether a process of the name is still there when its run is over."""
    # A process that was ended can take a moment to go.
    return not eventually(lambda: not _named(scene.kept["name"]), 0.3)


def mount_point(scene: Scene) -> Mapping[str, object]:
    """An empty folder at PATH, on which nothing is mounted in the end."""
    folder = scene.folder / "mounted"
    folder.mkdir()
    libc = ctypes.CDLL(None)
    scene.exits.callback(libc.umount2, str(folder).encode(), MNT_DETACH)
    return {"PATH": str(folder)}


def mounted(scene: Scene) -> Mapping[str, object]:
    """A folder at PATH on which something is mounted."""
    names = mount_point(scene)
    done = ctypes.CDLL(None, use_errno=True).mount(
        b"none", str(names["PATH"]).encode(), b"tmpfs", 0, None
    )
    assert done == 0, os.strerror(ctypes.get_errno())
    return names


def is_mounted(scene: Scene, run: Run) -> bool:
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return str(scene.folder / "mounted") in (line.split()[1] for line in mounts)


def is_not_mounted(scene: Scene, run: Run) -> bool:
    return not is_mounted(scene, run)


def daemon(name: str, program: str) -> Attack:
    """An attack that leaves a process which lives for 20 seconds."""
    return Attack(name, DETACH + program, prepare=process_name, succeeded=lives_on)


DAEMONS = (
    daemon("leaves_a_child", "if os.fork() == 0:\n    live_on()"),
    daemon(
        "leaves_a_child_in_a_session_of_its_own",
        "if os.fork() == 0:\n    os.setsid()\n    live_on()",
    ),
    daemon(
        "leaves_a_daemon",
        """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        live_on()
    os._exit(0)
os.wait()
""",
    ),
    daemon(
        "leaves_a_daemon_that_ignores_signals",
        """
import signal
if os.fork() == 0:
    os.setsid()
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN)
        except OSError:
            pass
    LIBC.prctl(1, 0, 0, 0, 0)  # PR_SET_PDEATHSIG
    live_on()
""",
    ),
    daemon(
        "leaves_a_daemon_below_one_that_adopts",
        """
PR_SET_CHILD_SUBREAPER = 36
if os.fork() == 0:
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.fork() == 0:
        if os.fork() == 0:
            live_on()
        os._exit(0)
    live_on()
""",
    ),
    daemon(
        "leaves_a_sibling",
        # CLONE_PARENT: the new process is a child of the harness.
        """
CLONE_PARENT, SIGCHLD = 0x8000, 17
if call("clone", CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0:
    live_on()
""",
    ),
    daemon(
        "leaves_another_program",
        """
import sys
if os.fork() == 0:
    os.setsid()
    os.closerange(0, 256)
    text = f"open('/proc/self/comm', 'w').write({NAME!r}); import time; time.sleep(20)"
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", text])
time.sleep(0.3)
""",
    ),
    daemon(
        "leaves_processes_that_replace_each_other",
        # Whoever lists processes and then ends them finds the listed ones gone.
        """
if os.fork() == 0:
    os.setsid()
    PR_SET_NAME = 15
    LIBC.prctl(PR_SET_NAME, NAME.encode(), 0, 0, 0)
    os.closerange(0, 256)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if os.fork():
            os._exit(0)
        time.sleep(0.001)
""",
    ),
    Attack(
        "writes_when_its_run_is_over",
        """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 256)
        time.sleep(0.5)
        open(FOLDER + "/late", "w").write(TOKEN)
    os._exit(0)
os.wait()
""",
        succeeded=file_appeared,
    ),
)

FOLDERS = (
    Attack(
        "climbs_out_of_a_changed_root",
        """
import os
os.mkdir("inner")
os.chroot("inner")
for _ in range(40):
    os.chdir("..")
os.chroot(".")
print(open(PATH).read())
""",
        prepare=secret_file,
        succeeded=secret_in_output,
        needs=(needs.root,),
    ),
    Attack(
        "climbs_out_by_an_open_folder",
        """
import os
outside = os.open(".", os.O_RDONLY)
os.mkdir("inner")
os.chroot("inner")
os.fchdir(outside)
for _ in range(40):
    os.chdir("..")
print(open("." + PATH).read())
""",
        prepare=secret_file,
        succeeded=secret_in_output,
        needs=(needs.root,),
    ),
    Attack(
        "turns_the_root_around",
        # The mounts are those of a namespace of its own; the old root is below the new one.
        kernel(
            """
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18
call("unshare", CLONE_NEWNS)
LIBC.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
os.mkdir("new")
LIBC.mount(b"none", b"new", b"tmpfs", 0, None)
os.mkdir("new/old")
call("pivot_root", b"new", b"new/old")
print(open("/old" + PATH).read())
"""
        ),
        prepare=secret_file,
        succeeded=secret_in_output,
        needs=(needs.root,),
    ),
    Attack(
        "joins_the_mounts_of_its_parents",
        kernel(
            """
CLONE_NEWNS = 0x20000
for pid in {HARNESS, os.getppid(), 1} - {0}:
    try:
        call("setns", os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY), CLONE_NEWNS)
        os.chdir("/")
        print(open(PATH).read(), flush=True)
    except OSError:
        pass
"""
        ),
        prepare=secret_file,
        succeeded=secret_in_output,
    ),
    Attack(
        "mounts_over_a_folder",
        kernel('LIBC.mount(b"none", PATH.encode(), b"tmpfs", 0, None)'),
        prepare=mount_point,
        succeeded=is_mounted,
        needs=(needs.root,),
    ),
    Attack(
        "binds_its_folder_to_another",
        kernel('MS_BIND = 0x1000\nLIBC.mount(b".", PATH.encode(), None, MS_BIND, None)'),
        prepare=mount_point,
        succeeded=is_mounted,
        needs=(needs.root,),
    ),
    Attack(
        "unmounts_a_folder",
        kernel("LIBC.umount2(PATH.encode(), 0)"),
        prepare=mounted,
        succeeded=is_not_mounted,
        needs=(needs.root,),
    ),
)

ATTACKS = (*DAEMONS, *FOLDERS)
