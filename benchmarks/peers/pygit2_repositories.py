"""A shallow clone and its files by pygit2, which binds libgit2: in the process, without filters."""

from __future__ import annotations

import shutil
from pathlib import Path

import pygit2


def fetch_and_read(url: str, folder: Path) -> int:
    """Clones HEAD without history into a bare repository and counts the bytes of its files."""
    repository = pygit2.clone_repository(url, str(folder), bare=True, depth=1)
    total = 0
    trees = [repository.head.peel(pygit2.Tree)]
    while trees:
        for entry in trees.pop():
            if isinstance(entry, pygit2.Tree):
                trees.append(entry)
            elif isinstance(entry, pygit2.Blob):
                total += len(entry.data)
    shutil.rmtree(folder)
    return total
