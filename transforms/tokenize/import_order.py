"""Imports first: the files of a repository in an order in which none comes before its imports.

An import is the file that its path names from the importing folder or the root. One that
may be anywhere is the nearest file whose path ends with it: the one under the innermost
folder that it shares with the importing file, of those the one whose path begins highest,
of those the first. So ``a.b`` of Python is found in ``src/a/b.py``, but in no
folder that is a package itself, as Python does not look there.

All takes time in proportion to the files, their imports and the folders that these are in.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from transforms.tokenize.imports import ENDINGS, PACKAGES, Import

Edges = Sequence[Sequence[int]]


def order_files(paths: Sequence[str], imports: Sequence[Sequence[Import]]) -> list[int]:
    """The places of all files such that what a file imports comes before it.

    Depth-first from each file in the order of the paths, its imports in that order too, and
    whole packages last. Where imports are cyclic, the one that closes a cycle has no effect.

    Args:
      paths: of the files of one repository, with ``/`` between folders, each once.
      imports: of each file, as `find_imports` finds them.

    Raises:
      ValueError: there are not imports for each path.
    """
    if len(paths) != len(imports):
        raise ValueError(f"got {len(paths)} paths and imports of {len(imports)} files")
    return _depth_first(_import_edges(paths, imports), len(paths))


def _depth_first(edges: Edges, files: int) -> list[int]:
    """The nodes that are files, each behind all that it leads to; packages lead to theirs."""
    order: list[int] = []
    seen = bytearray(len(edges))
    for start in range(files):
        if seen[start]:
            continue
        seen[start] = True
        stack = [(start, iter(edges[start]))]
        while stack:
            node, rest = stack[-1]
            following = next((each for each in rest if not seen[each]), None)
            if following is not None:
                seen[following] = True
                stack.append((following, iter(edges[following])))
                continue
            stack.pop()
            if node < files:
                order.append(node)
    return order


def _import_edges(paths: Sequence[str], imports: Sequence[Sequence[Import]]) -> Edges:
    """Of each file what it imports; behind all files, of each package its files."""
    package_of = [_package(path) for path in paths]
    packages: dict[str, list[int]] = {}
    for file, package in enumerate(package_of):
        # Tests are outside of a package's own files, which may use them.
        if package and not paths[file].endswith("_test.go"):
            packages.setdefault(package, []).append(file)
    files = _Files([*paths, *packages], imports)
    edges: list[list[int]] = []
    for file, listed in enumerate(imports):
        found = {files.find(paths[file], each) for each in listed}
        # Files of a package share it without an import.
        found -= {None, file, files.nodes.get(package_of[file])}
        edges.append(sorted(node for node in found if node is not None))
    edges.extend(packages.values())
    return edges


def _package(path: str) -> str:
    """A path for all files of a file's package, empty in languages without such."""
    name = PACKAGES.get(path[path.rfind(".") :])
    return _split(path)[0] + name if name else ""


class _Files:
    """The files and packages of a repository, to be found by what imports say."""

    def __init__(self, paths: Sequence[str], imports: Sequence[Sequence[Import]]) -> None:
        self.nodes = {path: node for node, path in enumerate(paths)}
        # Of each end of a path that an import may mean, the best file under each folder.
        self._nearest: dict[str, dict[str, tuple[int, int]]] = {
            path + ending: {}
            for path, language in _ends_of_paths(imports)
            for ending in ENDINGS[language]
        }
        depth = max((end.count("/") for end in self._nearest), default=-1) + 1
        for path, node in self.nodes.items():
            for root, end in _divisions(path, depth):
                if end in self._nearest and not self._is_package(root, end):
                    rank = (root.count("/"), node)
                    best = self._nearest[end]
                    for folder in _folders_around(root):
                        best[folder] = min(best.get(folder, rank), rank)

    def find(self, importing: str, wanted: Import) -> int | None:
        """The node that an import of a file leads to; None where it is not here."""
        folder, name = _split(importing)
        endings = ENDINGS[wanted.language]
        for path in wanted.paths:
            if not path.startswith((".", "/")):
                node = self._find_end(folder, path, endings)
            else:
                base = path.replace("*", posixpath.splitext(name)[0])
                node = self._find_exactly(folder, base, endings)
            if node is not None:
                return node
        return None

    def _find_exactly(self, folder: str, path: str, endings: Sequence[str]) -> int | None:
        base = path[1:] if path.startswith("/") else posixpath.normpath(folder + path)
        names = ((base + ending).removeprefix("./") for ending in endings)
        return next((self.nodes[name] for name in names if name in self.nodes), None)

    def _find_end(self, folder: str, path: str, endings: Sequence[str]) -> int | None:
        known = [best for ending in endings if (best := self._nearest[path + ending])]
        if not known:
            return None
        found = (best[each] for each in _folders_around(folder) for best in known if each in best)
        return next(found)[1]

    def _is_package(self, root: str, end: str) -> bool:
        return end.endswith((".py", ".pyi")) and f"{root}__init__.py" in self.nodes


def _ends_of_paths(imports: Sequence[Sequence[Import]]) -> Iterator[tuple[str, str]]:
    """The paths of imports that may be anywhere, with the language of each."""
    for listed in imports:
        for each in listed:
            for path in each.paths:
                if not path.startswith((".", "/")):
                    yield path, each.language


def _split(path: str) -> tuple[str, str]:
    """The folder of a file with its last ``/``, which the root has not, and its name."""
    folder, slash, name = path.rpartition("/")
    return folder + slash, name


def _divisions(path: str, most: int) -> Iterator[tuple[str, str]]:
    """A path as a folder and all that follows, for the last names of it up to so many."""
    place = len(path)
    for _ in range(most):
        place = path.rfind("/", 0, place)
        yield path[: place + 1], path[place + 1 :]
        if place < 0:
            return


def _folders_around(folder: str) -> Iterator[str]:
    """A folder and all that it is in, from the inside out."""
    yield folder
    while folder:
        folder = folder[: folder.rfind("/", 0, -1) + 1]
        yield folder
