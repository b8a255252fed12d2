"""The folder of a run: its tables, and how a stage's output becomes part of it.

A stage writes into ``.staging/STAGE`` and publishes when all is there: manifests are
written into the staged tables, then a journal that says what is to be published, and
then each staged table is renamed into its place. A process that dies before the
journal has published nothing; one that dies after it is finished by the next one.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import UsageError, UserError
from schemas import tables
from schemas.manifest import FILE_NAME, FileEntry, Manifest, ManifestError
from transforms.parts import Workspace, write_whole

_STAGING = ".staging"
_JOURNAL = "journal.json"
_IDENTITY = "fingerprint"
_LOCK = ".lock"
_HOLDER = ".lock-holder"
CONFIGURATION = "config.yaml"
HISTORY = "history.jsonl"


@dataclass(frozen=True)
class RunFolder:
    """A run on a local disk."""

    path: Path

    @classmethod
    def existing(cls, path: Path) -> RunFolder:
        """A run that is there already; raises `UsageError` where none is."""
        if not (path / CONFIGURATION).is_file():
            raise UsageError(f"{path} is not a run: it has no {CONFIGURATION}")
        return cls(path)

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
            write_whole(holder, f"process {os.getpid()}".encode(), durable=False)
            yield
        finally:
            holder.unlink(missing_ok=True)
            lock.release()

    def manifest(self, table: str) -> Manifest | None:
        """The manifest of a committed table, or None where there is no such table."""
        try:
            return Manifest.from_json((self.path / table / FILE_NAME).read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ManifestError, UnicodeDecodeError):
            # Never written by a commit: what it describes cannot be trusted.
            return None

    def missing_files(self, manifest: Manifest) -> list[str]:
        """Files of a manifest that are gone or have another size."""
        folder = self.path / manifest.table
        return [entry.name for entry in manifest.files if not _has_size(folder / entry.name, entry)]

    def staging(self, stage: str) -> Path:
        """Where a stage writes what is not committed."""
        return self.path / _STAGING / stage

    def open_staging(self, stage: str, fingerprint: str) -> Workspace:
        """The workspace of a stage: what an interrupted run left, if it was the same work."""
        folder = self.staging(stage)
        identity = folder / _IDENTITY
        if not identity.exists() or identity.read_text() != fingerprint:
            shutil.rmtree(folder, ignore_errors=True)
            write_whole(identity, fingerprint.encode())
        shutil.rmtree(folder / "errors", ignore_errors=True)
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
            sync_folder(staged)
        journal = {"tables": [manifest.table for manifest in manifests]}
        write_whole(folder / _JOURNAL, json.dumps(journal).encode())
        sync_folder(folder)
        self._finish_publishing(stage)

    def recover(self) -> None:
        """Finishes what a process that died was publishing, and removes what it was writing."""
        # Of files of the run itself, such as the one that tells whether it can be written to.
        for path in self.path.glob(".*.tmp"):
            path.unlink(missing_ok=True)
        for journal in sorted((self.path / _STAGING).glob(f"*/{_JOURNAL}")):
            self._finish_publishing(journal.parent.name)

    def recover_if_free(self) -> None:
        """`recover` for a reader of the run; whoever works on it does it otherwise."""
        if any((self.path / _STAGING).glob(f"*/{_JOURNAL}")):
            try:
                with self.locked():
                    self.recover()
            except (UserError, OSError):
                return

    def _finish_publishing(self, stage: str) -> None:
        folder = self.staging(stage)
        for table in json.loads((folder / _JOURNAL).read_text())["tables"]:
            staged, place, old = folder / table, self.path / table, folder / "old" / table
            if not staged.exists():
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists():
                shutil.rmtree(old, ignore_errors=True)
                old.parent.mkdir(parents=True, exist_ok=True)
                place.rename(old)
            staged.rename(place)
            sync_folder(place.parent)
        # The journal goes last: a folder without one is only ever work that can be redone.
        for child in folder.iterdir():
            if child.name != _JOURNAL:
                shutil.rmtree(child) if child.is_dir() else child.unlink()
        shutil.rmtree(folder)

    def leftovers(self) -> list[str]:
        """The stages that were interrupted and left work behind."""
        return sorted(path.parent.name for path in (self.path / _STAGING).glob(f"*/{_IDENTITY}"))


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


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
