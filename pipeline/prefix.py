"""A run in an object store: its tables are objects below one address.

A stage writes into ``.staging/STAGE/FINGERPRINT``, where workers that were taken for dead
can only do harm to the same work. It publishes by a journal that names its tables: their
manifests are deleted, the staged objects copied to their places inside of the store, and the
new manifests put, each only where there is none. Then the journal says that it is published,
and staging is deleted, the journal last. Each step can be done twice: a process that dies
before the journal has published nothing, one that dies after it is finished by the next.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from pipeline.errors import UsageError, UserError
from pipeline.lock import ObjectLock
from pipeline.runs import CONFIGURATION, HISTORY, IDENTITY, JOURNAL, STAGING, Leftover, Run
from schemas.manifest import FILE_NAME, Manifest
from transforms.parts import Workspace
from transforms.stores.address import parse_object
from transforms.stores.errors import MissingObjectError, StoreError
from transforms.stores.store import Entry, ObjectStore, object_store_at

_LOCK = ".lock"
_PROBE = ".writable"


class _LostFileError(StoreError):
    """A file of a table that is to be published is neither staged nor in its place."""


class RunPrefix(Run):
    """A run below an address such as ``s3://bucket/name`` or ``gs://bucket/name``."""

    def __init__(self, address: str) -> None:
        """Raises ValueError where it names no bucket or no place in it."""
        if not parse_object(address).key.strip("/"):
            raise ValueError(
                f"{address}: name a place in the bucket, such as {address.rstrip('/')}/my-run"
            )
        self._store = object_store_at(address)
        self._lock: ObjectLock | None = None
        self._listing: dict[str, Entry] | None = None
        self._manifests: dict[str, tuple[str, bytes]] = {}

    @property
    def name(self) -> str:
        """The address of the run."""
        return self._store.root

    @property
    def store(self) -> ObjectStore:
        """The objects of the run."""
        return self._store

    def _entries(self) -> dict[str, Entry]:
        """All objects of the run by name, as they were when they were last asked for."""
        if self._listing is None:
            self._listing = {entry.name: entry for entry in self._store.entries()}
        return self._listing

    def check(self) -> None:
        """Raises `UserError` where the bucket cannot be asked."""
        try:
            self._entries()
        except StoreError as error:
            raise UserError(f"{self.name}: {error.strerror}") from error

    def create(self) -> None:
        """Checks that objects can be written, and only where there are none."""
        self._listing = None
        self.check()
        others = [name for name in self._entries() if not name.startswith((STAGING, _PROBE))]
        if others and not {_LOCK, CONFIGURATION} & set(others):
            raise UsageError(
                f"{self.name} has other objects and is not a run. Name a new place with --output"
            )
        probe = f"{_PROBE}-{os.urandom(8).hex()}"
        try:
            self._store.add(probe, b"first")
            is_conditional = self._store.add(probe, b"second") is None
            self._store.delete([probe])
        except StoreError as error:
            raise UserError(f"cannot write to {self.name}: {error.strerror}") from error
        if not is_conditional:
            raise UserError(
                f"the store of {self.name} ignores the condition If-None-Match (ifGenerationMatch "
                "in gs://): two processes could write one run at once. Name a store that knows it "
                "with --output"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the run for one process; raises `UserError` if another one has it."""
        lock = ObjectLock(self._store, _LOCK)
        with lock.held():
            self._lock, self._listing = lock, None
            try:
                yield
            finally:
                self._lock = None

    def _check_lock(self) -> None:
        if self._lock is not None:
            self._lock.check()

    def read_manifest(self, table: str) -> bytes:
        """What a table's manifest says, read again where it has changed."""
        entry = self._entries().get(f"{table}/{FILE_NAME}")
        if entry is None:
            raise MissingObjectError(errno.ENOENT, "there is no such object", table)
        etag, data = self._manifests.get(table, ("", b""))
        if etag != entry.etag:
            data = self._store.read(entry.name)
            self._manifests[table] = entry.etag, data
        return data

    def missing_files(self, manifest: Manifest) -> list[str]:
        """Files of a manifest that are gone or have another size."""
        return _missing(self._entries(), manifest)

    def _staging(self, stage: str, fingerprint: str) -> str:
        return f"{STAGING}/{stage}/{fingerprint[:16]}"

    def open_staging(self, stage: str, fingerprint: str) -> Workspace:
        """The workspace of a stage: what an interrupted run left, if it was the same work."""
        folder = self._staging(stage, fingerprint)
        self._listing = None
        of_stage = [name for name in self._entries() if name.startswith(f"{STAGING}/{stage}/")]
        self._store.delete(name for name in of_stage if not name.startswith(f"{folder}/"))
        if f"{folder}/{IDENTITY}" not in of_stage:
            self._store.write(f"{folder}/{IDENTITY}", fingerprint.encode())
        self._listing = None
        workspace = Workspace(run=self.name, staging=self._store.address(folder))
        workspace.forget_unfinished()
        return workspace

    def publish(self, stage: str, manifests: Sequence[Manifest]) -> None:
        """Makes a stage's staged tables the committed ones, all or none."""
        self._check_lock()
        folder = self._staging(stage, manifests[0].fingerprint)
        for manifest in manifests:
            self._store.write(f"{folder}/{manifest.table}/{FILE_NAME}", manifest.to_json().encode())
        self._write_journal(folder, [manifest.table for manifest in manifests], published=False)
        self._finish_publishing(folder)

    def _write_journal(self, folder: str, tables: Sequence[str], *, published: bool) -> None:
        journal = {"tables": list(tables), "published": published}
        self._store.write(f"{folder}/{JOURNAL}", json.dumps(journal).encode())

    def take_over(self, workspace: Workspace, table: str, name: str) -> None:
        """Nothing is copied: publishing leaves files in place that are not staged."""

    def _finish_publishing(self, folder: str) -> None:
        journal = json.loads(self._store.read(f"{folder}/{JOURNAL}"))
        if not journal["published"]:
            self._put_in_place(folder, journal["tables"])
            self._write_journal(folder, journal["tables"], published=True)
        self._listing = None
        # The journal goes last: a folder without one is only ever work that can be redone.
        names = [name for name in self._entries() if name.startswith(f"{folder}/")]
        self._store.delete(name for name in names if name != f"{folder}/{JOURNAL}")
        self._store.delete([f"{folder}/{JOURNAL}"])
        self._listing = None

    def _put_in_place(self, folder: str, tables: Sequence[str]) -> None:
        texts = {table: self._store.read(f"{folder}/{table}/{FILE_NAME}") for table in tables}
        manifests = [Manifest.from_json(text.decode()) for text in texts.values()]
        self._listing = None
        wanted = {f"{each.table}/{entry.name}" for each in manifests for entry in each.files}
        staged = {name: self._entries().get(f"{folder}/{name}") for name in wanted}
        self._check_all_there(folder, manifests, staged)
        self._store.delete(f"{table}/{FILE_NAME}" for table in tables)
        self._store.copy((entry, name) for name, entry in staged.items() if entry)
        places = tuple(f"{table}/" for table in tables)
        there = [name for name in self._entries() if name.startswith(places)]
        self._store.delete(name for name in there if name not in wanted)
        self._listing = None
        for manifest in manifests:
            for name in _missing(self._entries(), manifest):
                raise StoreError(
                    errno.EIO,
                    "it is gone, or not whole, after it was written; run the same command again",
                    self._store.address(f"{manifest.table}/{name}"),
                )
        self._check_lock()
        for table, text in texts.items():
            if self._store.add(f"{table}/{FILE_NAME}", text) is None:
                raise UserError(f"another process has published {table} in {self.name} meanwhile")

    def _check_all_there(
        self, folder: str, manifests: Sequence[Manifest], staged: Mapping[str, Entry | None]
    ) -> None:
        """Raises `_LostFileError`, and forgets the work, where it cannot be published."""
        there = self._entries() | {name: entry for name, entry in staged.items() if entry}
        for manifest in manifests:
            for name in _missing(there, manifest):
                # Otherwise every command would try to finish it, for ever.
                self._store.delete_below(folder)
                self._listing = None
                raise _LostFileError(
                    errno.EIO,
                    "it is gone, or not whole; run the same command again, which makes it again",
                    self._store.address(f"{manifest.table}/{name}"),
                )

    def _journals(self) -> list[str]:
        """The staging folders of what was being published."""
        found = [name for name in self._entries() if name.startswith(f"{STAGING}/")]
        ending = f"/{JOURNAL}"
        # That of a table may have the same name.
        return [
            name.removesuffix(ending)
            for name in found
            if name.endswith(ending) and name.count("/") == 3
        ]

    def recover(self) -> None:
        """Finishes what a process that died was publishing."""
        self._listing = None
        for folder in self._journals():
            # The stage is done again.
            with suppress(_LostFileError):
                self._finish_publishing(folder)

    def recover_if_free(self) -> None:
        """`recover` for a reader of the run; whoever works on it does it otherwise."""
        if self._journals():
            try:
                with self.locked():
                    self.recover()
            except (UserError, OSError):
                return

    def leftovers(self) -> list[str]:
        """The stages that were interrupted and left work behind."""
        parts = [name.split("/") for name in self._entries() if name.startswith(f"{STAGING}/")]
        return sorted({each[1] for each in parts if each[-1] == IDENTITY and len(each) == 4})

    def clean(self) -> list[Leftover]:
        """Removes staged objects, probes and unfinished uploads; the run must be held."""
        self._listing = None
        groups: dict[str, list[Entry]] = {}
        for name, entry in self._entries().items():
            if name.startswith(f"{STAGING}/"):
                groups.setdefault("/".join(name.split("/")[:2]), []).append(entry)
            elif name.startswith(_PROBE):
                groups[name] = [entry]
        removed = []
        for group, entries in groups.items():
            self._store.delete(entry.name for entry in entries)
            removed.append(Leftover(group, len(entries), sum(entry.size for entry in entries)))
        uploads = self._store.abort_uploads()
        removed.extend(Leftover(f"{name} (unfinished upload)", 1, 0) for name in uploads)
        self._listing = None
        return removed

    def add_history(self, line: str) -> None:
        """Appends a line to the run's history, of which a store keeps only whole ones."""
        try:
            old = self._store.read(HISTORY)
        except MissingObjectError:
            old = b""
        self._store.write(HISTORY, old + line.encode() + b"\n")


def _missing(there: Mapping[str, Entry], manifest: Manifest) -> list[str]:
    sizes = {
        entry.name: there[name].size
        for entry in manifest.files
        if (name := f"{manifest.table}/{entry.name}") in there
    }
    return [entry.name for entry in manifest.files if sizes.get(entry.name) != entry.bytes]
