"""Attacks on devices, on the terminal and by core dumps, and to take back rights."""

from __future__ import annotations

import contextlib
import os
import pty
import select
from collections.abc import Mapping

from tests.transforms.sandbox.attacks import needs, watches
from tests.transforms.sandbox.attacks.attack import (
    Attack,
    Harness,
    Run,
    Scene,
    exceeded,
    secret_in_output,
)
from tests.transforms.sandbox.attacks.syscalls import kernel
from tests.transforms.sandbox.attacks.targets import secret_file

BLOCK = 4096


def kernel_log(scene: Scene) -> Mapping[str, object]:
    """The kernel's log, from here on."""
    scene.kept["log"] = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    scene.exits.callback(os.close, scene.kept["log"])
    os.lseek(scene.kept["log"], 0, os.SEEK_END)
    return {}


def token_in_log(scene: Scene, run: Run) -> bool:
    # Reading ends when there is no more.
    with contextlib.suppress(BlockingIOError):
        while True:
            with contextlib.suppress(BrokenPipeError):
                if scene.token.encode() in os.read(scene.kept["log"], 8192):
                    return True
    return False


def file_on_disk(scene: Scene) -> Mapping[str, object]:
    """A file with the secret, and the MAJOR and MINOR number of the disk that it is on."""
    about = os.stat(str(secret_file(scene)["PATH"]))
    return {"MAJOR": os.major(about.st_dev), "MINOR": os.minor(about.st_dev)}


def device_was_read(scene: Scene, run: Run) -> bool:
    return f"{scene.token}:{BLOCK}".encode() in run.output


def kernel_address_in_output(scene: Scene, run: Run) -> bool:
    """Whether the address is there that this process reads as well."""
    with open("/proc/kallsyms", "rb") as file:
        return b"address " + file.readline().split()[0] in run.output


def terminal(scene: Scene) -> Mapping[str, object]:
    """A terminal that the harness was started in."""
    scene.kept["user"], scene.terminal = pty.openpty()
    for descriptor in (scene.kept["user"], scene.terminal):
        scene.exits.callback(os.close, descriptor)
    return {}


def token_on_terminal(scene: Scene, run: Run) -> bool:
    """Whether the token was shown to the user, which input is as well."""
    if not select.select([scene.kept["user"]], [], [], 0.2)[0]:
        return False
    return scene.token.encode() in os.read(scene.kept["user"], 8192)


def foreign_file(scene: Scene) -> Mapping[str, object]:
    """A private file of another user."""
    names = secret_file(scene)
    os.chown(str(names["PATH"]), 12345, 12345)
    return names


ATTACKS = (
    Attack(
        "writes_to_the_log_of_the_kernel",
        # The log shows lines when they are complete.
        'open("/dev/kmsg", "w").write(TOKEN + "\\n")',
        prepare=kernel_log,
        succeeded=token_in_log,
        needs=(needs.root, needs.exists("/dev/kmsg")),
    ),
    Attack(
        "reads_the_disk",
        f"""
import os, stat
os.mknod("disk", stat.S_IFBLK | 0o600, os.makedev(MAJOR, MINOR))
print(f"{{TOKEN}}:{{len(os.read(os.open('disk', os.O_RDONLY), {BLOCK}))}}")
""",
        prepare=file_on_disk,
        succeeded=device_was_read,
        needs=(needs.root, needs.disk),
    ),
    Attack(
        "reads_a_device_that_it_made",
        # /dev/zero, which groups of processes that may use no disks may use.
        f"""
import os, stat
os.mknod("zero", stat.S_IFCHR | 0o600, os.makedev(1, 5))
print(f"{{TOKEN}}:{{len(os.read(os.open('zero', os.O_RDONLY), {BLOCK}))}}")
""",
        succeeded=device_was_read,
        needs=(needs.root,),
    ),
    Attack(
        "reads_addresses_of_the_kernel",
        'print("address " + open("/proc/kallsyms").readline().split()[0])',
        succeeded=kernel_address_in_output,
        needs=(needs.addresses_of_kernel,),
    ),
    Attack(
        "types_into_the_terminal",
        """
import fcntl, os, termios
for path in ("/dev/tty", *(f"/proc/self/fd/{number}" for number in range(3, 256))):
    try:
        terminal = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        for letter in TOKEN:
            fcntl.ioctl(terminal, termios.TIOCSTI, letter.encode())
        break
    except OSError:
        pass
""",
        prepare=terminal,
        succeeded=token_on_terminal,
        needs=(needs.injection_into_terminals,),
    ),
    Attack(
        "writes_to_the_terminal",
        """
with open("/dev/tty", "w") as terminal:
    terminal.write(TOKEN)
""",
        prepare=terminal,
        succeeded=token_on_terminal,
    ),
    Attack(
        "dumps_its_memory_into_a_file",
        """
import os, resource, signal, time
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
if os.fork() == 0:
    held = os.urandom(1 << 20) * 40
    os.kill(os.getpid(), signal.SIGSEGV)
os.wait()
time.sleep(0.4)
""",
        succeeded=exceeded(1 << 20),
        watch=watches.bytes_of_folder,
        needs=(needs.core_files,),
    ),
    Attack(
        "becomes_root_again",
        "import os\nos.setresuid(0, 0, 0)\nprint(open(PATH).read())",
        prepare=secret_file,
        succeeded=secret_in_output,
        needs=(needs.root,),
        harness=Harness(drops="user"),
    ),
    Attack(
        "takes_capabilities_back",
        kernel(
            """
import struct
VERSION_3 = 0x20080522
header, rights = struct.pack("=Ii", VERSION_3, 0), (ctypes.c_uint32 * 6)()
LIBC.capget(header, rights)
rights[0], rights[3] = rights[1], rights[4]
LIBC.capset(header, rights)
print(open(PATH).read())
"""
        ),
        prepare=foreign_file,
        succeeded=secret_in_output,
        needs=(needs.root,),
        harness=Harness(drops="capabilities"),
    ),
)
