"""What all object stores have in common: objects by name below one address.

Every write is followed by a look at the object: a server that is killed while it puts an
upload together may say afterwards that it has done so, and has not.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from transforms.stores.address import below, parse_object
from transforms.stores.copies import process_copies, scratch_folder
from transforms.stores.errors import BusyObjectError, MissingObjectError, StoreError
from transforms.stores.files import Output
from transforms.stores.patience import naming, patiently
from transforms.stores.store import Entry, Held

WRITES = 3
"""So often an object is written that the store has not, or has not whole, when asked."""
AT_ONCE = 8
"""Requests of one operation on many objects that are on their way at a time."""
NOTHING = ""
"""Stands for the ETag of an object that is not there."""

Body: TypeAlias = bytes | Path


@dataclass(frozen=True)
class Head:
    """What a store says of an object.

    ``content`` is the same for objects that hold the same, and empty where that is not known.
    """

    etag: str
    size: int
    content: str = ""


@dataclass(frozen=True)
class StoredObjects(ABC):
    """The objects whose keys begin with that of an address; a kind of store adds its requests."""

    root: str
    _known: dict[str, tuple[str, bytes]] = field(default_factory=dict, compare=False, repr=False)

    progress_seconds = 10.0
    """How often it is worth telling how far a work is: a request costs time and money."""

    @abstractmethod
    def _head(self, name: str) -> Head:
        """What the store says of an object; raises `MissingObjectError`."""

    @abstractmethod
    def _get(self, name: str) -> tuple[str, bytes]:
        """The ETag of a small object and what it holds; raises `MissingObjectError`."""

    @abstractmethod
    def hold(self, name: str) -> Held:
        """A small object with what tells it from later ones; raises `MissingObjectError`."""

    @abstractmethod
    def _download(self, name: str, head: Head, path: Path) -> None:
        """Writes what an object holds to a file; raises where it is another one by now."""

    @abstractmethod
    def _list(self, prefix: str) -> list[Entry]:
        """All objects whose keys begin alike, by their keys, in order."""

    @abstractmethod
    def _put(self, name: str, body: Body, size: int, over: str | None) -> str:
        """Sends an object once, over that of an ETag if one is given; gives its ETag or ""."""

    @abstractmethod
    def _copy(self, entry: Entry, name: str) -> None:
        """Copies an object inside of the store."""

    @abstractmethod
    def delete(self, names: Iterable[str]) -> None:
        """Deletes objects; those that are not there do no harm."""

    def address(self, name: str) -> str:
        """The address of an object."""
        return below(self.root, name)

    def exists(self, name: str) -> bool:
        """Whether there is an object of this name."""
        try:
            self._head(name)
        except MissingObjectError:
            return False
        return True

    def path(self, name: str) -> Path:
        """A copy of an object on this machine, to be opened while the path is held."""
        head = self._head(name)

        def download(path: Path) -> None:
            self._download(name, head, path)

        return process_copies().get(*self._identity(name, head), head.size, download)

    def _identity(self, name: str, head: Head) -> tuple[str, str]:
        """What stands for an object among copies: those made inside of a store are the same."""
        if head.content:
            return name.rpartition("/")[2], head.content
        return self.address(name), head.etag

    def adopt(self, name: str, head: Head, written: Path) -> None:
        """Keeps the file that an object was made of as its copy."""
        process_copies().adopt(*self._identity(name, head), head.size, written)

    def read(self, name: str) -> bytes:
        """What a small object holds; raises `MissingObjectError`."""
        return self._get(name)[1]

    def entries(self, folder: str = "") -> list[Entry]:
        """All objects below a folder, their names from the root on, in their order."""
        cut = len(self._prefix(""))
        found = patiently(self.address(folder), lambda: self._list(self._prefix(folder)))
        # Some programs put empty objects in the place of folders.
        return [
            Entry(entry.name[cut:], entry.size, entry.etag)
            for entry in found
            if entry.name[cut:] and not entry.name.endswith("/")
        ]

    def _prefix(self, folder: str) -> str:
        key = parse_object(below(self.root, folder.rstrip("/"))).key.rstrip("/")
        return f"{key}/" if key else ""

    def read_all(self, folder: str, suffix: str) -> dict[str, bytes]:
        """The small objects of a folder by name without suffix, only new ones read again."""
        wanted = [
            entry
            for entry in self.entries(folder)
            if entry.name.endswith(suffix) and "/" not in entry.name[len(folder) + 1 :]
        ]
        changed = [
            entry for entry in wanted if self._known.get(entry.name, ("", b""))[0] != entry.etag
        ]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for entry, got in zip(changed, pool.map(self._get_if_there, changed), strict=True):
                if got is not None:
                    self._known[entry.name] = got
        found = {
            entry.name: self._known[entry.name][1] for entry in wanted if entry.name in self._known
        }
        return {name[len(folder) + 1 :].removesuffix(suffix): data for name, data in found.items()}

    def _get_if_there(self, entry: Entry) -> tuple[str, bytes] | None:
        try:
            return self._get(entry.name)
        except MissingObjectError:
            return None

    def output(self, name: str) -> Output:
        """A place for an object."""
        return ObjectOutput(self, name)

    def write(self, name: str, data: bytes, *, durable: bool = True) -> None:
        """Writes a small object, over one that is there."""
        self._write(name, data, len(data), None)

    def tell(self, name: str, data: bytes) -> None:
        """Writes a small object for whoever looks at it now, once and whatever comes of it."""
        with contextlib.suppress(StoreError), naming(self.address(name)):
            self._put(name, data, len(data), None)

    def upload(self, name: str, path: Path) -> Head:
        """Writes an object from a file of any size."""
        return self._write(name, path, path.stat().st_size, None)

    def _write(self, name: str, body: Body, size: int, over: str | None) -> Head:
        """Writes an object and looks whether it is there."""
        for _ in range(WRITES):
            etag = patiently(self.address(name), lambda: self._put(name, body, size, over))
            with contextlib.suppress(MissingObjectError):
                head = self._head(name)
                if head.size == size:
                    # By now there may be another one, of whoever wrote it next.
                    return head if etag in ("", head.etag) else Head(etag, size)
        said = "the store says that it has written it, and has not; run the same command again"
        raise StoreError(errno.EIO, said, self.address(name))

    def add(self, name: str, data: bytes) -> str | None:
        """Writes a small object if there is none; gives its ETag, None where there is another.

        One that holds the same is taken for ours: an answer that was lost is asked for again.
        """
        return self._write_if(name, data, NOTHING)

    def replace(self, name: str, data: bytes, etag: str) -> str | None:
        """Writes a small object over the one of this ETag; None where it is not there now."""
        return self._write_if(name, data, etag)

    def _write_if(self, name: str, data: bytes, over: str) -> str | None:
        try:
            return self._write(name, data, len(data), over).etag
        except (BusyObjectError, MissingObjectError):
            try:
                etag, held = self._get(name)
            except MissingObjectError:
                return None
            return etag if held == data else None

    def copy(self, sources: Iterable[tuple[Entry, str]]) -> None:
        """Copies objects inside of the store: entries of this one, each with its new name."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda pair: self._copy(*pair), sources))

    def delete_below(self, folder: str) -> None:
        """Deletes all objects of a folder."""
        self.delete([entry.name for entry in self.entries(folder)])

    def local(self, name: str) -> Path:
        """A place on this machine for what only this process needs."""
        address = self.address(name)
        own = f"{hashlib.sha256(address.encode()).hexdigest()[:16]}-{name.rpartition('/')[2]}"
        folder = scratch_folder() / "work"
        folder.mkdir(exist_ok=True)
        return folder / own


@dataclass(frozen=True)
class ObjectOutput:
    """A place for an object, which is written to a file of this machine first."""

    store: StoredObjects
    key: str

    @property
    def name(self) -> str:
        """The object's name without folders."""
        return self.key.rpartition("/")[2]

    def temporary(self) -> Path:
        """A file in the folder of this process."""
        folder = scratch_folder() / "written"
        folder.mkdir(exist_ok=True)
        return folder / f"{threading.get_ident()}-{os.urandom(4).hex()}.tmp"

    def publish(self, temporary: Path, *, durable: bool = True) -> None:
        """Uploads what was written, and keeps it as the object's copy."""
        self.store.adopt(self.key, self.store.upload(self.key, temporary), temporary)
