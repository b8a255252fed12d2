"""What is measured from outside of the processes below one, while a program runs."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path


def descendants(pid: int) -> Iterator[int]:
    """All processes below one."""
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                yield int(child)
                yield from descendants(int(child))


def _total(measure: Callable[[int], int]) -> Callable[[int], int]:
    def over_all(pid: int) -> int:
        total = 0
        for each in descendants(pid):
            with suppress(OSError):
                total += measure(each)
        return total

    return over_all


def _largest(measure: Callable[[int], int]) -> Callable[[int], int]:
    def of_any(pid: int) -> int:
        largest = 0
        for each in descendants(pid):
            with suppress(OSError):
                largest = max(largest, measure(each))
        return largest

    return of_any


def _resident(pid: int) -> int:
    """Bytes of memory that are the process's own or shared, without those of files."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return sum(int(values.get(name, "0").split()[0]) << 10 for name in ("RssAnon", "RssShmem"))


def _in_open_files(pid: int) -> int:
    """Bytes in the open files of a process, which may have no name or be in no folder."""
    sizes: dict[tuple[int, int], int] = {}
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with suppress(OSError):
            about = os.stat(entry.path)
            if stat.S_ISREG(about.st_mode):
                sizes[about.st_dev, about.st_ino] = about.st_blocks * 512
    return sum(sizes.values())


def _in_folder(pid: int) -> list[os.DirEntry[str]]:
    with os.scandir(f"/proc/{pid}/cwd") as entries:
        return list(entries)


def _sizes(pid: int) -> list[os.stat_result]:
    found = []
    for entry in _in_folder(pid):
        with suppress(OSError):
            found.append(entry.stat(follow_symlinks=False))
    return found


processes = _total(lambda pid: 1)
threads = _total(lambda pid: len(os.listdir(f"/proc/{pid}/task")))
resident_bytes = _total(_resident)
open_file_bytes = _total(_in_open_files)
descriptors = _largest(lambda pid: len(os.listdir(f"/proc/{pid}/fd")))
entries_of_folder = _largest(lambda pid: len(_in_folder(pid)))
bytes_of_folder = _largest(lambda pid: sum(about.st_blocks * 512 for about in _sizes(pid)))
largest_file = _largest(lambda pid: max((about.st_size for about in _sizes(pid)), default=0))
