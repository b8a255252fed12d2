"""Attacks by many processes, files and descriptors, large files and much output.

More than the sandbox allows, and little for the machine: they stop by themselves.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.transforms.sandbox.attacks import needs, watches
from tests.transforms.sandbox.attacks.attack import (
    LIMITS,
    Attack,
    Harness,
    Run,
    Scene,
    exceeded,
)

LINGER = "\nimport time\ntime.sleep(0.4)\n"
"""Long enough to be seen from outside."""


def flood(
    name: str,
    program: str,
    limit: str,
    watch: Callable[[int], int],
    **more: object,
) -> Attack:
    """An attack that holds more of something than a limit allows."""
    return Attack(
        name,
        program + LINGER,
        succeeded=exceeded(LIMITS[limit]),
        watch=watch,
        **more,  # type: ignore[arg-type]
    )


def output(name: str, program: str) -> Attack:
    """An attack that writes more than is allowed, 8 MiB."""
    return Attack(name, program, succeeded=output_exceeded)


def output_exceeded(scene: Scene, run: Run) -> bool:
    return len(run.output) > 1.5 * LIMITS["output_bytes"]


PROCESSES = (
    flood(
        "forks_many_processes",
        """
import os, time
for _ in range(200):
    if os.fork() == 0:
        time.sleep(0.8)
        os._exit(0)
""",
        "processes",
        watches.processes,
    ),
    flood(
        "forks_processes_that_fork",
        # Each generation doubles their number, 128 in the end.
        """
import os, time
for _ in range(7):
    os.fork()
time.sleep(0.5)
""",
        "processes",
        watches.processes,
    ),
    flood(
        "forks_processes_in_sessions_of_their_own",
        """
import os, time
for _ in range(150):
    if os.fork() == 0:
        os.setsid()
        time.sleep(0.8)
        os._exit(0)
""",
        "processes",
        watches.processes,
    ),
    flood(
        "starts_many_threads",
        """
import threading, time
threading.stack_size(64 << 10)
for _ in range(300):
    threading.Thread(target=time.sleep, args=(0.6,)).start()
""",
        "processes",
        watches.threads,
    ),
)

FILES = (
    flood(
        "writes_a_large_file",
        """
file = open("large", "wb", buffering=0)
for _ in range(40):
    file.write(bytes(1 << 20))
""",
        "file_bytes",
        watches.bytes_of_folder,
    ),
    flood(
        "writes_many_large_files",
        # Each is below the limit of file sizes.
        """
for number in range(14):
    open(f"large{number}", "wb").write(bytes(10 << 20))
""",
        "folder_bytes",
        watches.bytes_of_folder,
    ),
    flood(
        "writes_large_files_without_names",
        """
import os
held = []
for number in range(14):
    held.append(open("large", "wb", buffering=0))
    held[-1].write(bytes(10 << 20))
    os.unlink("large")
""",
        "folder_bytes",
        watches.open_file_bytes,
    ),
    flood(
        "writes_a_sparse_file",
        """
import os
with open("sparse", "wb") as file:
    os.truncate(file.fileno(), 1 << 40)
""",
        "file_bytes",
        watches.largest_file,
    ),
    flood(
        "reserves_a_large_file",
        """
import os
with open("reserved", "wb") as file:
    os.posix_fallocate(file.fileno(), 0, 100 << 20)
""",
        "file_bytes",
        watches.bytes_of_folder,
    ),
    *(
        flood(
            f"makes_many_{kind}",
            f"""
import os
for number in range(1800):
    {make}
""",
            "files",
            watches.entries_of_folder,
        )
        for kind, make in (
            ("files", 'open(f"file{number}", "w").close()'),
            ("folders", "os.mkdir(str(number))"),
            ("symlinks", 'os.symlink("nowhere", str(number))'),
            ("fifos", "os.mkfifo(str(number))"),
        )
    ),
    flood(
        "opens_many_files",
        """
import os
held = [os.open(".", os.O_RDONLY) for _ in range(500)]
""",
        "open_files",
        watches.descriptors,
    ),
    flood(
        "fills_many_pipes",
        # 120 MiB in the kernel's hands, which count as memory of no process.
        """
import fcntl, os
for _ in range(120):
    _, writable = os.pipe()
    fcntl.fcntl(writable, fcntl.F_SETPIPE_SZ, 1 << 20)
    os.set_blocking(writable, False)
    os.write(writable, bytes(1 << 20))
""",
        "open_files",
        watches.descriptors,
        needs=(needs.root,),
    ),
)

OUTPUT = (
    output("prints_too_much", 'for _ in range(128):\n    print("x" * (64 << 10))'),
    output(
        "prints_too_much_to_standard_error",
        'import sys\nfor _ in range(128):\n    print("x" * (64 << 10), file=sys.stderr)',
    ),
    output(
        "writes_too_much_to_descriptors",
        'import os\nfor number in range(128):\n    os.write(1 + number % 2, b"x" * (64 << 10))',
    ),
    output(
        "writes_too_much_from_processes",
        """
import os
for _ in range(8):
    if os.fork() == 0:
        for _ in range(16):
            os.write(1, b"x" * (64 << 10))
        os._exit(0)
for _ in range(8):
    os.wait()
""",
    ),
    output(
        "writes_too_much_from_threads",
        """
import os, threading


def write():
    for _ in range(16):
        os.write(1, b"x" * (64 << 10))


threads = [threading.Thread(target=write) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
""",
    ),
)

RAISED = (
    flood(
        "raises_the_limit_of_open_files",
        """
import os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (600, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
held = [os.open(".", os.O_RDONLY) for _ in range(500)]
""",
        "open_files",
        watches.descriptors,
        harness=Harness(soft_limits={"NOFILE": 64}),
    ),
    flood(
        "raises_the_limit_of_file_sizes",
        """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
open("large", "wb").write(bytes(40 << 20))
""",
        "file_bytes",
        watches.bytes_of_folder,
        harness=Harness(soft_limits={"FSIZE": 16 << 20}),
    ),
)

ATTACKS = (*PROCESSES, *FILES, *OUTPUT, *RAISED)
