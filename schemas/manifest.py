"""The manifest: what a committed table consists of. A table without one does not exist.

A manifest names the stage and settings that made the table, the tables it was made
from, and each file with its rows, bytes and checksums. It holds nothing of time,
host or number of workers, so that equal runs have equal manifests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

FILE_NAME = "manifest.json"
FORMAT = 1


class ManifestError(ValueError):
    """A manifest is not JSON, not of this format, or lacks a part."""


@dataclass(frozen=True)
class FileEntry:
    """One file of a table.

    ``sha256`` is of the file's bytes, ``digest`` of what it says (`schemas.digest`).
    """

    name: str
    rows: int
    bytes: int
    sha256: str
    digest: str


@dataclass(frozen=True)
class UnitEntry:
    """One unit of a stage's work, such as a part: what decided it, and its counts by name."""

    fingerprint: str
    statistics: Mapping[str, int]


@dataclass(frozen=True)
class Manifest:
    """What a committed table consists of and what it was made from.

    ``inputs`` maps the names of tables to the digests they had; ``statistics`` holds
    counts that were summed over the files, by name. ``units`` has those units of the work
    that depend on part of the inputs only, so that the others can change without them.
    """

    table: str
    stage: str
    version: str
    fingerprint: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    files: tuple[FileEntry, ...]
    statistics: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, UnitEntry] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows in all files."""
        return sum(entry.rows for entry in self.files)

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(entry.bytes for entry in self.files)

    @property
    def digest(self) -> str:
        """One SHA-256 for the content of the whole table, in hexadecimal."""
        lines = (f"{entry.name}\0{entry.rows}\0{entry.digest}\n" for entry in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def to_json(self) -> str:
        """The manifest as the text of its file."""
        body = {"format": FORMAT, **asdict(self)}
        body |= {"rows": self.rows, "bytes": self.bytes, "digest": self.digest}
        return json.dumps(body, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Reads the text of a manifest's file; raises `ManifestError` if it is not one."""
        try:
            body = json.loads(text)
            if body["format"] != FORMAT:
                raise ManifestError(
                    f"manifest has format {body['format']}, this version reads {FORMAT}"
                )
            files = tuple(FileEntry(**entry) for entry in body["files"])
            names = ("table", "stage", "version", "fingerprint", "settings", "inputs", "statistics")
            units = {unit: UnitEntry(**entry) for unit, entry in body.get("units", {}).items()}
            manifest = cls(files=files, units=units, **{name: body[name] for name in names})
            if manifest.digest != body["digest"]:
                raise ManifestError("manifest's digest is not that of its files")
        except ManifestError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ManifestError(f"not a manifest: {type(error).__name__}: {error}") from error
        return manifest
