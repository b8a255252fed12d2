"""Runs by where they lie: a folder of this machine, or objects below an address."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import UsageError
from pipeline.folder import RunFolder
from pipeline.prefix import RunPrefix
from pipeline.runs import CONFIGURATION, Run
from transforms.stores.address import is_object


def run_at(place: str) -> Run:
    """The run at a path or an address, whether it is there or not; raises `UsageError`."""
    try:
        return RunPrefix(place) if is_object(place) else RunFolder(Path(place))
    except ValueError as error:
        raise UsageError(str(error)) from error


def existing_run(place: str) -> Run:
    """A run that is there already; raises `UsageError` where none is."""
    run = run_at(place)
    run.check()
    if not run.store.exists(CONFIGURATION):
        raise UsageError(f"{run.name} is not a run: it has no {CONFIGURATION}")
    return run
