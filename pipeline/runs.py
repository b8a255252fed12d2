"""A run: its tables, and how a stage's output becomes part of it, wherever it lies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from schemas.manifest import FILE_NAME, Manifest, ManifestError
from transforms.parts import Workspace
from transforms.stores.store import Store

CONFIGURATION = "config.yaml"
HISTORY = "history.jsonl"
STAGING = ".staging"
JOURNAL = "journal.json"
IDENTITY = "fingerprint"


@dataclass(frozen=True)
class Leftover:
    """Something that interrupted work left, and that no table needs."""

    name: str
    files: int
    bytes: int


class Run(ABC):
    """The tables of a run and the files beside them.

    A stage writes into its staging folder and publishes when all is there. Whoever reads
    a run sees a table whole or not at all: one that has no manifest does not exist.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What users call the run: a path or an address."""

    @property
    @abstractmethod
    def store(self) -> Store:
        """The files of the run."""

    @abstractmethod
    def check(self) -> None:
        """Raises `UserError` where the place of the run cannot be asked at all."""

    @abstractmethod
    def create(self) -> None:
        """Makes the run and checks that it can be written; raises `UserError`.

        A place with other things in it is refused: tables replace what has their names.
        """

    @abstractmethod
    def locked(self) -> AbstractContextManager[None]:
        """Holds the run for one process; raises `UserError` if another one has it."""

    @abstractmethod
    def missing_files(self, manifest: Manifest) -> list[str]:
        """Files of a manifest that are gone or have another size."""

    @abstractmethod
    def open_staging(self, stage: str, fingerprint: str) -> Workspace:
        """The workspace of a stage: what an interrupted run left, if it was the same work."""

    @abstractmethod
    def publish(self, stage: str, manifests: Sequence[Manifest]) -> None:
        """Makes a stage's staged tables the committed ones, all or none."""

    @abstractmethod
    def take_over(self, workspace: Workspace, table: str, name: str) -> None:
        """Makes a file of a committed table one of the table that is being made."""

    @abstractmethod
    def recover(self) -> None:
        """Finishes what a process that died was publishing, and removes what it was writing."""

    @abstractmethod
    def recover_if_free(self) -> None:
        """`recover` for a reader of the run; whoever works on it does it otherwise."""

    @abstractmethod
    def leftovers(self) -> list[str]:
        """The stages that were interrupted and left work behind."""

    @abstractmethod
    def clean(self) -> list[Leftover]:
        """Removes what interrupted work left, and says what that was; the run must be held."""

    @abstractmethod
    def add_history(self, line: str) -> None:
        """Appends a line to what people can read of the run's past."""

    def file(self, table: str, name: str) -> Path:
        """A file of a committed table, to be read while the path is held."""
        return self.store.path(f"{table}/{name}")

    def manifest(self, table: str) -> Manifest | None:
        """The manifest of a committed table, or None where there is no such table."""
        try:
            return Manifest.from_json(self.read_manifest(table).decode())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ManifestError, UnicodeDecodeError):
            # Never written by a commit: what it describes cannot be trusted.
            return None

    def read_manifest(self, table: str) -> bytes:
        """What a table's manifest says; raises FileNotFoundError."""
        return self.store.read(f"{table}/{FILE_NAME}")
