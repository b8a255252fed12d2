"""A shallow fetch and its files by dulwich, which is git in Python with parts in Rust."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

from dulwich.client import get_transport_and_path
from dulwich.repo import Repo


def fetch_and_read(url: str, folder: Path) -> int:
    """Fetches HEAD without history into a bare repository and counts the bytes of its files."""
    folder.mkdir()
    total = 0
    with Repo.init_bare(str(folder)) as repository:
        client, path = get_transport_and_path(url)

        def wanted(refs: dict[bytes, bytes], depth: int | None = None) -> list[bytes]:
            return [refs[b"HEAD"]]

        found = client.fetch(path, repository, determine_wants=wanted, depth=1)
        trees = [repository[found.refs[b"HEAD"]].tree]
        while trees:
            for entry in repository[trees.pop()].iteritems():
                if stat.S_ISDIR(entry.mode):
                    trees.append(entry.sha)
                elif stat.S_ISREG(entry.mode):
                    total += len(repository[entry.sha].data)
    shutil.rmtree(folder)
    return total
