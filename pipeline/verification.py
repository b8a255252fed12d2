"""Checking the files of a run against their manifests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.folder import RunFolder
from pipeline.stages import STAGES
from schemas.manifest import FILE_NAME, FileEntry, Manifest


@dataclass(frozen=True)
class Verdict:
    """What was found out about one table."""

    table: str
    files: int
    bytes: int
    problems: tuple[str, ...]


def all_tables() -> list[str]:
    """The names of all tables that a run can have, in the order in which they are made."""
    return [table for stage in STAGES for table in sorted(stage.outputs)]


def committed_tables(run: RunFolder) -> Iterator[Manifest]:
    """The manifests of a run's tables, in the order in which they are made."""
    for table in all_tables():
        manifest = run.manifest(table)
        if manifest is not None:
            yield manifest


def verify_run(run: RunFolder) -> Iterator[Verdict]:
    """Reads every file of a run and compares it with its manifest."""
    for table in all_tables():
        manifest = run.manifest(table)
        if manifest is not None:
            problems = tuple(_problems(run.path / table, manifest))
            yield Verdict(table, len(manifest.files), manifest.bytes, problems)
        elif (run.path / table).exists():
            yield Verdict(table, 0, 0, (f"{table}/{FILE_NAME} is missing or not a manifest",))


def _problems(folder: Path, manifest: Manifest) -> Iterator[str]:
    for entry in manifest.files:
        problem = _problem(folder / entry.name, entry)
        if problem:
            yield f"{manifest.table}/{entry.name} {problem}"
    known = {entry.name for entry in manifest.files} | {FILE_NAME}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name not in known and not path.is_dir():
            yield f"{manifest.table}/{name} is not in the manifest"


def _problem(path: Path, entry: FileEntry) -> str:
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if size != entry.bytes:
                return f"has {size:,} bytes, the manifest says {entry.bytes:,}"
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return "" if found == entry.sha256 else "has other content than the manifest says"
