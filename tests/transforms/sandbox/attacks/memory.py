"""Attacks that hold memory, wherever the kernel counts it: 600 MB, which end with them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from tests.transforms.sandbox.attacks import needs, watches
from tests.transforms.sandbox.attacks.attack import LIMITS, Attack, Harness, Scene, exceeded
from tests.transforms.sandbox.attacks.floods import LINGER
from tests.transforms.sandbox.attacks.ipc import remove_ipc
from tests.transforms.sandbox.attacks.syscalls import kernel

MUCH = "MUCH = 600 << 20\n"
"""Bytes: twice what is allowed."""


def memory(
    name: str,
    program: str,
    watch: Callable[[int], int] = watches.resident_bytes,
    **more: object,
) -> Attack:
    """An attack that holds more memory than is allowed."""
    return Attack(
        name,
        MUCH + program + LINGER,
        succeeded=exceeded(LIMITS["memory_bytes"]),
        watch=watch,
        **more,  # type: ignore[arg-type]
    )


def shared_key(scene: Scene) -> Mapping[str, object]:
    """A KEY for shared memory, and a NAME in /dev/shm, which end with the scene."""
    key = zlib.crc32(scene.token.encode()) & 0x7FFFFFFF

    def remove() -> None:
        remove_ipc(key, f"/{scene.token}")
        with suppress(FileNotFoundError):
            Path("/dev/shm", scene.token).unlink()

    scene.exits.callback(remove)
    return {"KEY": key, "NAME": scene.token}


ATTACKS = (
    memory("allocates_bytes", 'held = b"x" * MUCH'),
    memory("allocates_many_objects", "held = [bytes(4000) for _ in range(MUCH // 4000)]"),
    memory(
        "maps_memory",
        """
import mmap
held = mmap.mmap(-1, MUCH, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for place in range(0, MUCH, mmap.PAGESIZE):
    held[place] = 1
""",
    ),
    memory(
        "maps_shared_memory",
        """
import mmap
held = mmap.mmap(-1, MUCH)
for place in range(0, MUCH, mmap.PAGESIZE):
    held[place] = 1
""",
    ),
    memory(
        "spreads_memory_over_processes",
        # Each is far below what one process may have.
        """
import os, time
for _ in range(12):
    if os.fork() == 0:
        held = b"x" * (MUCH // 12)
        time.sleep(0.6)
        os._exit(0)
""",
        # What several processes have is seen too late now and then; one has what it may.
        limits={"forks": False},
    ),
    memory(
        "fills_a_file_in_memory",
        # Written and never mapped, so that no limit of address space sees it.
        """
import os
held = os.memfd_create("held")
for _ in range(0, MUCH, 1 << 20):
    os.write(held, bytes(1 << 20))
""",
        watches.open_file_bytes,
    ),
    memory(
        "fills_many_files_in_memory",
        # Each is below the limit of file sizes.
        """
import os
for _ in range(0, MUCH, 15 << 20):
    os.write(os.memfd_create("held"), bytes(15 << 20))
""",
        watches.open_file_bytes,
    ),
    memory(
        "fills_the_folder_of_shared_memory",
        """
held = open("/dev/shm/" + NAME, "wb", buffering=0)
for _ in range(0, MUCH, 1 << 20):
    held.write(bytes(1 << 20))
""",
        watches.open_file_bytes,
        prepare=shared_key,
        needs=(needs.shared_memory_folder,),
    ),
    memory(
        "fills_shared_memory_of_system_v",
        kernel(
            """
IPC_CREAT = 0o1000
LIBC.shmat.restype = ctypes.c_void_p
place = LIBC.shmat(LIBC.shmget(KEY, ctypes.c_size_t(MUCH), IPC_CREAT | 0o600), None, 0)
ctypes.memset(place, 1, MUCH)
"""
        ),
        prepare=shared_key,
    ),
    memory(
        "recurses_without_end_in_python",
        # Each call has room for 500 variables, 4 kB, and takes none of the C stack.
        """
import sys, time
sys.setrecursionlimit(1 << 30)
variables = " = ".join(f"v{number}" for number in range(500))
exec(f'''
def recurse(left):
    if left:
        return recurse(left - 1)
    time.sleep(0.4)
    {variables} = None
''')
recurse(MUCH // 4000)
recurse(MUCH // 4000)
""",
    ),
    memory(
        "allocates_where_nobody_may_look",
        kernel(
            """
PR_SET_DUMPABLE = 4
LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
held = b"x" * MUCH
"""
        ),
    ),
    memory(
        "raises_the_limit_of_memory",
        """
import resource
for name in ("RLIMIT_AS", "RLIMIT_DATA"):
    limit = getattr(resource, name)
    resource.setrlimit(limit, (1 << 40, resource.getrlimit(limit)[1]))
held = b"x" * MUCH
""",
        harness=Harness(soft_limits={"AS": 300 << 20}),
    ),
)
