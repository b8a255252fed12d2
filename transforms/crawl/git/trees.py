"""The files below a tree, found level by level, whatever a hostile tree claims.

Tree objects come as the server made them: git does not check them when it fetches. See
"tree objects" in git's manual on its objects for their form: mode, name and id of each entry.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.failures import Reason
from transforms.crawl.git.objects import ObjectReader
from transforms.crawl.paths import MAX_PATH_BYTES
from transforms.crawl.source import CrawlError, Limits, PathFilter, RejectedFile

# A tree of a million entries has about 40 MB.
_MAX_TREE_BYTES = 1 << 26
_SUBMODULE = 0o160000


@dataclass(frozen=True)
class TreeEntry:
    """One line of a tree object: the type is that of `stat`, or another."""

    type: int
    name: bytes
    object_name: str


@dataclass(frozen=True)
class ListedFile:
    """A regular file of a commit and the name of its blob."""

    path: str
    blob: str


def tree_entries(content: bytes, hash_bytes: int) -> Iterator[TreeEntry]:
    """The entries of a tree object in their order; raises EOFError where it is none."""
    start = 0
    while start < len(content):
        space = content.find(b" ", start, start + 8)
        end = content.find(b"\0", space)
        mode = content[start:space]
        if space < 0 or end < 0 or not mode.isdigit() or b"8" in mode or b"9" in mode:
            raise EOFError(f"a tree has no entry at byte {start}")
        start = end + 1 + hash_bytes
        if start > len(content):
            raise EOFError("a tree ends in the middle of an entry")
        yield TreeEntry(
            stat.S_IFMT(int(mode, 8)), content[space + 1 : end], content[end + 1 : start].hex()
        )


class TreeWalk:
    """The wanted files below one tree, as far as the limits on a repository reach."""

    def __init__(self, reader: ObjectReader, wanted: PathFilter, limits: Limits) -> None:
        self._reader = reader
        self._wanted = wanted
        self._limits = limits
        self._files = 0
        self._folders = 0
        self._tree_bytes = 0
        self._next: dict[str, list[bytes]] = {}

    def run(self, root: str) -> Iterator[ListedFile | RejectedFile]:
        """Files and links that are wanted, all submodules, and all that has no safe path.

        Folders nearer to the root come first. Raises `CrawlError` where there are more
        files or folders than a repository may have, and where a tree cannot be read.
        """
        level: dict[str, list[bytes]] = {root: [b""]}
        while level:
            self._next = {}
            # A tree that stands in many places is read once, and still counts each time.
            for (name, prefixes), tree in zip(
                level.items(), self._read_trees(list(level)), strict=True
            ):
                for prefix in prefixes:
                    for entry in tree_entries(tree, len(name) // 2):
                        yield from self._judge(prefix, entry)
            level = self._next

    def _read_trees(self, names: list[str]) -> Iterator[bytes]:
        for name, tree in zip(names, self._reader.read(names, _MAX_TREE_BYTES), strict=True):
            if tree is None or tree.kind != "tree":
                detail = f"{name} is {'missing' if tree is None else 'no tree'}"
                raise CrawlError(Reason.CORRUPT_REPOSITORY, detail)
            self._tree_bytes += tree.size
            if tree.content is None or self._tree_bytes > self._limits.max_repository_bytes:
                detail = f"a folder's list of {tree.size:,} bytes"
                raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
            yield tree.content

    def _judge(self, prefix: bytes, entry: TreeEntry) -> Iterator[ListedFile | RejectedFile]:
        is_folder = entry.type == stat.S_IFDIR
        self._count(is_folder)
        raw = prefix + entry.name
        path = raw.decode("utf-8", "surrogateescape")
        if not _is_safe_name(entry.name) or (is_folder and len(raw) > MAX_PATH_BYTES):
            yield RejectedFile(path, Reason.UNSAFE_PATH)
        elif is_folder:
            self._next.setdefault(entry.object_name, []).append(raw + b"/")
        elif entry.type not in (stat.S_IFREG, stat.S_IFLNK):
            # As git reads it, whatever is nothing else.
            yield RejectedFile(path, Reason.SUBMODULE, f"commit {entry.object_name}")
        elif self._wanted(path):
            is_link = entry.type == stat.S_IFLNK
            yield (
                RejectedFile(path, Reason.LINK) if is_link else ListedFile(path, entry.object_name)
            )

    def _count(self, is_folder: bool) -> None:
        self._files += not is_folder
        self._folders += is_folder
        most = self._limits.max_repository_files
        if self._files > most or self._folders > most:
            detail = f"more than {most:,} {'folders' if is_folder else 'files'}"
            raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)


def _is_safe_name(name: bytes) -> bool:
    """Whether one component is what git itself would check out, see its verify_path."""
    return name not in (b"", b".", b"..") and b"/" not in name and name.lower() != b".git"
