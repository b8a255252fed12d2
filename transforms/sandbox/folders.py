"""Folders of programs that are gone: counted and emptied whatever was done to them.

Names may be of any bytes, links may stand anywhere, and trees may be deeper than a path can
say. Nothing runs in the folder any more, so that what is seen stays as it is.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager


class TooDeepError(OSError):
    """There are folders that no path leads to."""


def count_files(folder: str, most: int) -> tuple[int, int]:
    """Files and folders below a folder, and bytes on the disk; counts to ``most`` and one more.

    It may be in use.

    Raises:
      TooDeepError: see there.
    """
    count = size = 0
    left = [folder]
    while left and count <= most:
        with _gone_or_too_deep():
            for entry in list(os.scandir(left.pop())):
                count += 1
                with _gone_or_too_deep():
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
    return count, size


@contextmanager
def _gone_or_too_deep() -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        # Gone meanwhile, or closed to its owner, who could then put nothing there.
        return
    except OSError as error:
        raise TooDeepError(error.errno, error.strerror) from error


def empty_folder(folder: str) -> None:
    """Removes all that is in a folder, but not the folder.

    Folders in it are flattened: what they hold moves up before they go, so that no depth needs
    more than two open folders.
    """
    with _opened(folder) as top:
        names = (f".{number}" for number in itertools.count())
        while listed := os.listdir(top):  # noqa: PTH208 - a descriptor has no path
            for name in listed:
                if _is_folder(name, top):
                    _move_up(name, top, names)
                    os.rmdir(name, dir_fd=top)
                else:
                    os.unlink(name, dir_fd=top)


def _move_up(name: str, top: int, names: Iterator[str]) -> None:
    """Empties a folder of the top: its folders move there under free names, the rest goes."""
    os.chmod(name, 0o700, dir_fd=top)
    with _opened(name, top) as place:
        for inner in os.listdir(place):  # noqa: PTH208 - a descriptor has no path
            if not _is_folder(inner, place):
                os.unlink(inner, dir_fd=place)
                continue
            # A folder that moves is written to.
            os.chmod(inner, 0o700, dir_fd=place)
            free = next(each for each in names if not _exists(each, top))
            os.rename(inner, free, src_dir_fd=place, dst_dir_fd=top)


@contextmanager
def _opened(name: str, folder: int | None = None) -> Iterator[int]:
    place = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
    try:
        yield place
    finally:
        os.close(place)


def _is_folder(name: str, folder: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _exists(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
