"""Files in folders that hostile code has written to: no link is followed, nothing is unbounded."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def _parent(base: Path, path: str) -> Iterator[tuple[int, str]]:
    """A descriptor of the folder of a path below ``base``, and the last name in it."""
    *folders, name = path.split("/")
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    descriptor = os.open(base, flags)
    try:
        for folder in folders:
            inner = os.open(folder, flags, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor, name
    finally:
        os.close(descriptor)


def put_file(base: Path, path: str, content: bytes) -> None:
    """Writes a new file in place of any other one; raises OSError where a folder is a link.

    The file that stood there may be a link to another one, which stays as it is.
    """
    with _parent(base, path) as (folder, name):
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(name, flags, 0o644, dir_fd=folder), "wb") as file:
            file.write(content)


def read_file(base: Path, path: str, most: int) -> bytes | None:
    """The first bytes of a plain file; None where there is none."""
    try:
        with _parent(base, path) as (folder, name):
            # Opening a FIFO would wait for its other end.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            descriptor = os.open(name, flags, dir_fd=folder)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most)
