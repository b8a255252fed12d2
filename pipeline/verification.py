"""Checking the files of a run against their manifests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.runs import Leftover, Run
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


def committed_tables(run: Run) -> Iterator[Manifest]:
    """The manifests of a run's tables, in the order in which they are made."""
    for table in all_tables():
        manifest = run.manifest(table)
        if manifest is not None:
            yield manifest


def verify_run(run: Run) -> Iterator[Verdict]:
    """Reads every file of a run and compares it with its manifest."""
    for table in all_tables():
        manifest = run.manifest(table)
        if manifest is not None:
            problems = tuple(_problems(run, manifest))
            yield Verdict(table, len(manifest.files), manifest.bytes, problems)
        elif run.store.entries(table):
            yield Verdict(table, 0, 0, (f"{table}/{FILE_NAME} is missing or not a manifest",))


def clean_run(run: Run) -> list[Leftover]:
    """Removes what interrupted work left in a run, and says what that was.

    Raises:
      UserError: another process works on the run, and may need it.
    """
    with run.locked():
        run.recover()
        return run.clean()


def _problems(run: Run, manifest: Manifest) -> Iterator[str]:
    there = {each.name: each.size for each in run.store.entries(manifest.table)}
    for entry in manifest.files:
        problem = _problem(run, manifest.table, entry, there)
        if problem:
            yield f"{manifest.table}/{entry.name} {problem}"
    known = {entry.name for entry in manifest.files} | {FILE_NAME}
    for name in there:
        if name.removeprefix(f"{manifest.table}/") not in known:
            yield f"{name} is not in the manifest"


def _problem(run: Run, table: str, entry: FileEntry, there: Mapping[str, int]) -> str:
    size = there.get(f"{table}/{entry.name}", entry.bytes)
    if size != entry.bytes:
        return f"has {size:,} bytes, the manifest says {entry.bytes:,}"
    try:
        with run.file(table, entry.name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return "" if found == entry.sha256 else "has other content than the manifest says"
