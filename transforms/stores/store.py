"""What stages and runs ask of where their files lie, and the answer of a local disk."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from transforms.stores.address import is_object
from transforms.stores.files import LocalOutput, Output, write_whole


@dataclass(frozen=True)
class Entry:
    """A file of a store; ``etag`` differs where what it holds does, and is empty on a disk."""

    name: str
    size: int
    etag: str = ""


class Store(Protocol):
    """Files by name below one address. Names are relative, with slashes between folders."""

    @property
    def progress_seconds(self) -> float:
        """How often it is worth telling how far a work is."""

    def address(self, name: str) -> str:
        """Where a file is, in a form that any worker of the run understands."""

    def path(self, name: str) -> Path:
        """A file of this machine with what a file holds, to be opened while the path is held.

        Raises FileNotFoundError at the latest when it is opened.
        """

    def read(self, name: str) -> bytes:
        """What a small file holds; raises FileNotFoundError."""

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""

    def entries(self, folder: str = "") -> list[Entry]:
        """All files below a folder, their names from the root on, sorted."""

    def read_all(self, folder: str, suffix: str) -> dict[str, bytes]:
        """The small files of a folder by name without suffix, but for hidden ones."""

    def output(self, name: str) -> Output:
        """A place for a file."""

    def write(self, name: str, data: bytes, *, durable: bool = True) -> None:
        """Writes a small file, which is there whole or not at all."""

    def tell(self, name: str, data: bytes) -> None:
        """Writes a small file for whoever looks at it now; where that costs much, it may fail."""

    def delete(self, names: Iterable[str]) -> None:
        """Deletes files; those that are not there do no harm."""

    def delete_below(self, folder: str) -> None:
        """Deletes a folder with all its files."""

    def local(self, name: str) -> Path:
        """A place on this machine for what only one worker needs."""


@dataclass(frozen=True)
class LocalStore:
    """Files below a folder of a local disk."""

    root: Path

    progress_seconds = 0.5

    def address(self, name: str) -> str:
        """The path of a file."""
        return str(self.root / name)

    def path(self, name: str) -> Path:
        """The path of a file, whether it is there or not."""
        return self.root / name

    def read(self, name: str) -> bytes:
        """What a file holds; raises FileNotFoundError."""
        return (self.root / name).read_bytes()

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return (self.root / name).exists()

    def entries(self, folder: str = "") -> list[Entry]:
        """All files below a folder, their names from the root on, sorted."""
        found = [
            Entry(path.relative_to(self.root).as_posix(), path.lstat().st_size)
            for path in (self.root / folder).rglob("*")
            if not path.is_dir()
        ]
        return sorted(found, key=lambda entry: entry.name)

    def read_all(self, folder: str, suffix: str) -> dict[str, bytes]:
        """The files of a folder by name without suffix, but for hidden ones, sorted."""
        paths = sorted((self.root / folder).glob(f"[!.]*{suffix}"))
        return {path.name.removesuffix(suffix): path.read_bytes() for path in paths}

    def output(self, name: str) -> Output:
        """A place for a file, which gets its name by a rename."""
        return LocalOutput(self.root / name)

    def write(self, name: str, data: bytes, *, durable: bool = True) -> None:
        """Writes a small file, which is there whole or not at all."""
        write_whole(self.root / name, data, durable=durable)

    def tell(self, name: str, data: bytes) -> None:
        """Writes a small file for whoever looks at it now."""
        self.write(name, data, durable=False)

    def delete(self, names: Iterable[str]) -> None:
        """Deletes files; those that are not there do no harm."""
        for name in names:
            (self.root / name).unlink(missing_ok=True)

    def delete_below(self, folder: str) -> None:
        """Deletes a folder with all its files."""
        shutil.rmtree(self.root / folder, ignore_errors=True)

    def local(self, name: str) -> Path:
        """The path itself: the folder is one of this machine."""
        return self.root / name


def store_at(address: str) -> Store:
    """The files below a folder or the objects below an address.

    Raises:
      ValueError: it is an object's, and of a kind of store that is not known here.
    """
    return _object_store(address.rstrip("/")) if is_object(address) else LocalStore(Path(address))


@functools.cache
def _object_store(address: str) -> Store:
    if not address.startswith("s3://"):
        raise ValueError(
            f"{address!r:.200}: runs and lists lie on local disks or in s3://; gs:// is for the "
            "files of sources (archive, parquet) only"
        )
    from transforms.stores.s3 import S3Store

    return S3Store(address)


# What a store keeps in memory belongs to the threads of one process.
os.register_at_fork(after_in_child=_object_store.cache_clear)


def local_path(address: str) -> Path:
    """A file of this machine with what an address holds, to be opened while the path is held.

    Raises OSError, for a path when it is opened.
    """
    if not is_object(address):
        return Path(address)
    folder, _, name = address.rpartition("/")
    return store_at(folder).path(name)
