"""Folders for what a unit of work fetches."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident

from transforms.parts import Workspace


@contextmanager
def scratch_folder(workspace: Workspace, unit: str) -> Iterator[Path]:
    """A folder of this worker's for a unit, empty at the start and gone at the end."""
    # An engine that takes a worker for lost gives its unit to another, while it may still work.
    folder = workspace.files.local(f"scratch/{unit}-{os.getpid()}-{get_ident()}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
