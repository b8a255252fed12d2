"""Parts of a stage's work that need not be done again, because their inputs are as before.

A run to which repositories were added has most parts unchanged. Each part of a stage is
known, like the stage, by the stage's settings and the digests of what it reads: its own
part of each table, and what belongs to all parts. Where the committed tables were made from
the same, their files and receipts go into the stage's staging folder as if the work had just
been done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.runs import Run
from pipeline.stages import Stage
from schemas import tables
from schemas.manifest import FileEntry, Manifest, UnitEntry
from transforms.parts import Receipt, Workspace


def identify_units(run: Run, stage: Stage, settings: Mapping[str, Any]) -> dict[str, str]:
    """What decides each part of a stage's work, by part; nothing where it is not divided so."""
    if not stage.by_part:
        return {}
    if tables.REQUESTS in stage.inputs:
        inputs = _digests_of_requests(run, settings["parts"])
    else:
        inputs = _digests_of_files(run, stage.inputs)
    return {unit: stage.fingerprint(settings, digests) for unit, digests in inputs.items()}


def _digests_of_requests(run: Run, parts: int) -> dict[str, dict[str, str]]:
    from transforms.crawl.listing import digest_requests

    manifest = _manifest(run, tables.REQUESTS)
    paths = [run.file(tables.REQUESTS, entry.name) for entry in manifest.files]
    digests = enumerate(digest_requests(paths, parts))
    return {Path(tables.part_name(n)).stem: {tables.REQUESTS: digest} for n, digest in digests}


def _digests_of_files(run: Run, inputs: Iterable[str]) -> dict[str, dict[str, str]]:
    digests: dict[str, dict[str, str]] = {}
    shared: dict[str, str] = {}
    for table in inputs:
        for entry in _manifest(run, table).files:
            if tables.is_part(entry.name):
                digests.setdefault(Path(entry.name).stem, {})[table] = entry.digest
            else:
                shared[f"{table}/{entry.name}"] = entry.digest
    return {unit: own | shared for unit, own in digests.items()}


def _manifest(run: Run, table: str) -> Manifest:
    manifest = run.manifest(table)
    if manifest is None:
        raise AssertionError(f"{table} is read before it is committed")
    return manifest


def reuse_units(run: Run, stage: Stage, workspace: Workspace, units: Mapping[str, str]) -> int:
    """Takes over what the committed tables of a stage have of some units; says how many.

    A unit is taken over whole or not at all, and not where one of its files is gone.
    """
    manifests = [manifest for table in stage.outputs if (manifest := run.manifest(table))]
    if len(manifests) < len(stage.outputs):
        return 0
    missing = {name for manifest in manifests for name in run.missing_files(manifest)}
    files = {manifest.table: _files_by_unit(manifest) for manifest in manifests}
    reused = 0
    for unit, fingerprint in units.items():
        known = manifests[0].units.get(unit)
        if known is None or known.fingerprint != fingerprint or workspace.has_receipt(unit):
            continue
        entries = {table: files[table].get(unit, ()) for table in stage.outputs}
        if not any(entry.name in missing for each in entries.values() for entry in each):
            for table, each in entries.items():
                for entry in each:
                    run.take_over(workspace, table, entry.name)
            workspace.write_receipt(unit, Receipt(files=entries, statistics=known.statistics))
            reused += 1
    return reused


def _files_by_unit(manifest: Manifest) -> dict[str, tuple[FileEntry, ...]]:
    files: dict[str, tuple[FileEntry, ...]] = {}
    for entry in manifest.files:
        unit = Path(entry.name).stem
        files[unit] = (*files.get(unit, ()), entry)
    return files


def unit_entries(units: Mapping[str, str], receipts: Mapping[str, Receipt]) -> dict[str, UnitEntry]:
    """What a manifest keeps of units, so that the next run of the stage can reuse them."""
    return {
        unit: UnitEntry(fingerprint, dict(receipts[unit].statistics))
        for unit, fingerprint in units.items()
        if unit in receipts
    }
