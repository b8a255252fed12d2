"""The folder of a run: its tables, and how a stage's output becomes part of it.

A stage writes into ``.staging/STAGE`` and publishes when all is there: manifests are
written into the staged tables, then a journal that says what is to be published, and
then each staged table is renamed into its place. A process that dies before the
journal has published nothing; one that dies after it is finished by the next one.
"""

from __future__ import annotations

import datetime
import errno
import json
import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import UsageError, UserError
from pipeline.runs import CONFIGURATION, HISTORY, IDENTITY, JOURNAL, STAGING, Leftover, Run
from schemas import tables
from schemas.manifest import FILE_NAME, FileEntry, Manifest
from transforms.parts import Workspace
from transforms.stores.files import sync_file, write_whole
from transforms.stores.store import LocalStore, Store

_LOCK = ".lock"
_HOLDER = ".lock-holder"


@dataclass(frozen=True)
class RunFolder(Run):
    """A run on a local disk."""

    path: Path

    @property
    def name(self) -> str:
        """The path of the folder."""
        return str(self.path)

    @property
    def store(self) -> Store:
        """The files of the folder."""
        return LocalStore(self.path)

    def check(self) -> None:
        """Nothing can be wrong with a disk before it is written to."""

    def create(self) -> None:
        """Makes the folder and checks that it can be written; raises `UserError`.

        A folder with other things in it is refused: tables replace what has their names.
        """
        if self.path.is_dir() and any(self.path.iterdir()) and not self._is_run():
            raise UsageError(
                f"{self.path} is not empty and not a run. Name a new folder with --output"
            )
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is not a folder. Name another with --output")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_whole(self.path / ".writable", b"x" * 4096)
            (self.path / ".writable").unlink()
            (self.path / _LOCK).touch()
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            cure = "Free some space, or name another folder" if full else "Name another folder"
            raise UserError(
                f"cannot write to {self.path}: {error.strerror or error}. {cure} with --output"
            ) from error

    def _is_run(self) -> bool:
        # A copy of a run may lack the hidden files.
        has_tables = self.manifest(tables.DOCUMENTS) is not None
        return (self.path / _LOCK).exists() or (has_tables and (self.path / CONFIGURATION).exists())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the run for one process; raises `UserError` if another one has it."""
        lock = FileLock(self.path / _LOCK)
        holder = self.path / _HOLDER
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            who = holder.read_text() if holder.exists() else "another process"
            raise UserError(
                f"{self.path} is in use by {who}. Wait for it, or name another --output"
            ) from error
        try:
            write_whole(holder, _self_description().encode(), durable=False)
            yield
        finally:
            holder.unlink(missing_ok=True)
            lock.release()

    def missing_files(self, manifest: Manifest) -> list[str]:
        """Files of a manifest that are gone or have another size."""
        folder = self.path / manifest.table
        return [entry.name for entry in manifest.files if not _has_size(folder / entry.name, entry)]

    def staging(self, stage: str) -> Path:
        """Where a stage writes what is not committed."""
        return self.path / STAGING / stage

    def open_staging(self, stage: str, fingerprint: str) -> Workspace:
        """The workspace of a stage: what an interrupted run left, if it was the same work."""
        folder = self.staging(stage)
        identity = folder / IDENTITY
        if not identity.exists() or identity.read_text() != fingerprint:
            shutil.rmtree(folder, ignore_errors=True)
            write_whole(identity, fingerprint.encode())
        # Workers may have another working directory.
        workspace = Workspace(run=str(self.path.absolute()), staging=str(folder.absolute()))
        workspace.forget_unfinished()
        return workspace

    def publish(self, stage: str, manifests: Sequence[Manifest]) -> None:
        """Makes a stage's staged tables the committed ones, all or none."""
        folder = self.staging(stage)
        for manifest in manifests:
            staged = folder / manifest.table
            # A table that was not asked for has no files.
            staged.mkdir(parents=True, exist_ok=True)
            _keep_only(staged, {entry.name for entry in manifest.files})
            write_whole(staged / FILE_NAME, manifest.to_json().encode())
            sync_file(staged)
        journal = {"tables": [manifest.table for manifest in manifests]}
        write_whole(folder / JOURNAL, json.dumps(journal).encode())
        sync_file(folder)
        self._finish_publishing(stage)

    def recover(self) -> None:
        """Finishes what a process that died was publishing, and removes what it was writing."""
        # Of files of the run itself, such as the one that tells whether it can be written to.
        for path in self.path.glob(".*.tmp"):
            path.unlink(missing_ok=True)
        for journal in sorted((self.path / STAGING).glob(f"*/{JOURNAL}")):
            self._finish_publishing(journal.parent.name)

    def recover_if_free(self) -> None:
        """`recover` for a reader of the run; whoever works on it does it otherwise."""
        if any((self.path / STAGING).glob(f"*/{JOURNAL}")):
            try:
                with self.locked():
                    self.recover()
            except (UserError, OSError):
                return

    def _finish_publishing(self, stage: str) -> None:
        folder = self.staging(stage)
        for table in json.loads((folder / JOURNAL).read_text())["tables"]:
            staged, place, old = folder / table, self.path / table, folder / "old" / table
            if not staged.exists():
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists():
                shutil.rmtree(old, ignore_errors=True)
                old.parent.mkdir(parents=True, exist_ok=True)
                place.rename(old)
            staged.rename(place)
            sync_file(place.parent)
        # The journal goes last: a folder without one is only ever work that can be redone.
        for child in folder.iterdir():
            if child.name != JOURNAL:
                shutil.rmtree(child) if child.is_dir() else child.unlink()
        shutil.rmtree(folder)

    def take_over(self, workspace: Workspace, table: str, name: str) -> None:
        """Makes a file of a committed table one of the table that is being made."""
        staged = Path(workspace.staging, table, name)
        staged.parent.mkdir(parents=True, exist_ok=True)
        staged.unlink(missing_ok=True)
        try:
            staged.hardlink_to(self.path / table / name)
        except OSError:
            # Not every file system has hard links.
            shutil.copyfile(self.path / table / name, staged)

    def leftovers(self) -> list[str]:
        """The stages that were interrupted and left work behind."""
        return sorted(path.parent.name for path in (self.path / STAGING).glob(f"*/{IDENTITY}"))

    def clean(self) -> list[Leftover]:
        """Removes temporary files and staging folders, and says which; the run must be held."""
        removed = []
        for folder in sorted((self.path / STAGING).glob("*")):
            removed.append(_measure(folder, self.path))
            shutil.rmtree(folder)
        for path in sorted(self.path.rglob(".*.tmp")):
            removed.append(_measure(path, self.path))
            path.unlink(missing_ok=True)
        return removed

    def add_history(self, line: str) -> None:
        """Appends a line to the run's history."""
        with (self.path / HISTORY).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def _self_description() -> str:
    since = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return f"process {os.getpid()} on {socket.gethostname()}, which has it since {since}"


def _measure(path: Path, run: Path) -> Leftover:
    files = [each for each in (path, *path.rglob("*")) if each.is_file()]
    size = sum(each.stat().st_size for each in files)
    return Leftover(path.relative_to(run).as_posix(), len(files), size)


def _has_size(path: Path, entry: FileEntry) -> bool:
    try:
        return path.stat().st_size == entry.bytes
    except OSError:
        return False


def _keep_only(folder: Path, names: set[str]) -> None:
    """Removes what an interrupted writer left beside the files of a table."""
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in names:
            path.unlink()
