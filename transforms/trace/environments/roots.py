"""Where the modules of a project lie once it is installed."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from transforms.trace.environments.workplaces import ENVIRONMENT, PROJECT, Workplace

_SOURCE_FOLDERS = ("", "src", "lib", "python")
_MOST_ENTRIES = 20_000


def find_roots(workplace: Workplace, packages: str) -> dict[str, str]:
    """Folders and modules within the sandbox, each with its path in the repository.

    The project's own folder, and in the environment's ``packages`` those that have the name
    of a package of the repository: there it lies once more if it is not editable. What is
    listed is hostile, so no link in it is followed.
    """
    inside = workplace.inside
    project = workplace.outside / PROJECT
    roots = {str(inside / PROJECT): ""}
    installed = _names(workplace.outside / ENVIRONMENT, packages)
    for folder in _SOURCE_FOLDERS:
        for name in sorted(_names(project, folder) & installed):
            root = str(inside / ENVIRONMENT / packages / name)
            if _is_code(project / folder / name):
                roots.setdefault(root, f"{folder}/{name}".lstrip("/"))
    return roots


def _names(base: Path, folder: str) -> frozenset[str]:
    """What a folder below ``base`` holds; nothing where a link leads there."""
    path = base
    for part in folder.split("/"):
        path = path / part
        if path.is_symlink():
            return frozenset()
    try:
        with os.scandir(path) as entries:
            some = itertools.islice(entries, _MOST_ENTRIES)
            return frozenset(entry.name for entry in some if not entry.is_symlink())
    except OSError:
        return frozenset()


def _is_code(path: Path) -> bool:
    if path.is_dir():
        return path.name not in ("test", "tests", "docs", "examples")
    return path.suffix == ".py" and path.name not in ("setup.py", "conftest.py")
