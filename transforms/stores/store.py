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


@dataclass(frozen=True)
class Held:
    """An object with what tells it from later ones of the same name.

    ``age_seconds`` is by the clock of the store alone.
    """

    data: bytes
    etag: str
    age_seconds: float


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


class ObjectStore(Store, Protocol):
    """What runs ask of an object store beyond files: writes on conditions, and copies in it."""

    @property
    def root(self) -> str:
        """The address of all objects."""

    def hold(self, name: str) -> Held:
        """A small object with what tells it from later ones; raises `MissingObjectError`."""

    def add(self, name: str, data: bytes) -> str | None:
        """Writes a small object if there is none; gives its ETag, None where there is another.

        One that holds the same is taken for ours: an answer that was lost is asked for again.
        """

    def replace(self, name: str, data: bytes, etag: str) -> str | None:
        """Writes a small object over the one of this ETag; None where it is not there now."""

    def copy(self, sources: Iterable[tuple[Entry, str]]) -> None:
        """Copies objects inside of the store: entries of this one, each with its new name."""

    def abort_uploads(self) -> list[str]:
        """Gives up the uploads that were begun and not finished; gives the names of objects."""


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
    """The files below a folder, or the objects below an address."""
    return object_store_at(address) if is_object(address) else LocalStore(Path(address))


def object_store_at(address: str) -> ObjectStore:
    """The objects below an address."""
    return _object_store(address.rstrip("/"))


@functools.cache
def _object_store(address: str) -> ObjectStore:
    if address.startswith("gs://"):
        from transforms.stores.gcs import GcsStore

        return GcsStore(address)
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
