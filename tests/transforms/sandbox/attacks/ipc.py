"""Takes away what is left in the kernel's shared memory and queues."""

from __future__ import annotations

import ctypes

IPC_RMID = 0


def remove_ipc(key: int, name: str) -> None:
    """Removes System V objects of a key and the POSIX queue of a name, where there are any."""
    libc = ctypes.CDLL(None)
    if (memory := libc.shmget(key, 0, 0)) >= 0:
        libc.shmctl(memory, IPC_RMID, None)
    if (queue := libc.msgget(key, 0)) >= 0:
        libc.msgctl(queue, IPC_RMID, None)
    if (semaphores := libc.semget(key, 0, 0)) >= 0:
        libc.semctl(semaphores, 0, IPC_RMID)
    libc.mq_unlink(name.encode())
