"""The files of a repository as configuration is read from them."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from transforms.syntax_trees import parse_module
from transforms.trace.plans.documents import (
    MAX_CHARACTERS,
    DocumentError,
    Ini,
    parse_ini,
    parse_toml,
    parse_yaml,
)

T = TypeVar("T")

# A command that is followed takes a thousand of these units. Of 86 projects tried, attrs took
# the most, 1.7 million.
MAX_WORK = 20_000_000


def inside(path: str, directory: str = ".") -> str | None:
    """A path as seen from the top of the repository, "." for that; None if it leads out."""
    if "\0" in path or "\\" in path or path.startswith(("/", "~")):
        return None
    joined = posixpath.normpath(posixpath.join(directory, path))
    return None if joined == ".." or joined.startswith("../") else joined


class Repository:
    """Files by their paths; parsed documents are kept, and what is wrong with any is noted."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.problems: dict[str, str] = {}
        self.work = MAX_WORK
        self.kept: dict[str, Any] = {}
        """What readers have read and need again, by names of theirs."""
        self._parsed: dict[tuple[str, str], Any] = {}

    @cached_property
    def folders(self) -> frozenset[str]:
        """All folders that have files, at whatever depth."""
        found = {"."}
        for path in self.files:
            parent = posixpath.dirname(path)
            while parent and parent not in found:
                found.add(parent)
                parent = posixpath.dirname(parent)
        return frozenset(found)

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """Files and folders directly in each folder, sorted."""
        found: dict[str, list[str]] = {folder: [] for folder in self.folders}
        for path in sorted({*self.files, *self.folders} - {"."}):
            found[posixpath.dirname(path) or "."].append(path)
        return found

    def spend(self, units: int) -> bool:
        """Takes work from what there is for all that is derived; False when none is left."""
        self.work -= units
        if self.work <= 0:
            self.problems["work"] = "the rest is not followed: configuration takes too much work"
        return self.work > 0

    def keep(self, key: str, read: Callable[[], T]) -> T:
        """What a reader finds, read once."""
        if key not in self.kept:
            self.kept[key] = read()
        found: T = self.kept[key]
        return found

    def exists(self, path: str) -> bool:
        """Whether a path, as `inside` writes it, is a file or a folder."""
        return path in self.files or path in self.folders

    def text(self, path: str) -> str:
        """The text of a file, empty where there is none or it is too large to be configuration."""
        data = self.files.get(path, b"")
        if len(data) > MAX_CHARACTERS:
            self.problems[path] = f"{path}: too large to be read"
            return ""
        return data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")

    def yaml(self, path: str) -> Any:
        """A YAML file, None where it is missing or wrong."""
        return self._read("yaml", path, parse_yaml, None)

    def toml(self, path: str) -> dict[str, Any]:
        """A TOML file, empty where it is missing or wrong."""
        return self._read("toml", path, parse_toml, {})

    def ini(self, path: str) -> Ini:
        """An INI file by its sections, empty where it is missing or wrong."""
        return self._read("ini", path, parse_ini, {})

    def parse_python(self, path: str) -> ast.Module:
        """A Python file's syntax tree, empty where it is wrong; it is not kept."""
        try:
            return _parse_python(self.text(path))
        except DocumentError as error:
            self.problems[path] = f"{path}: {error}"
            return ast.Module([], [])

    def python(self, path: str) -> ast.Module:
        """A Python file's syntax tree, empty where it is missing or wrong."""
        return self._read("python", path, _parse_python, ast.Module([], []))

    @property
    def pyproject(self) -> dict[str, Any]:
        """The pyproject.toml at the top."""
        return self.toml("pyproject.toml")

    def _read(self, kind: str, path: str, parse: Callable[[str], T], missing: T) -> T:
        key = (kind, path)
        if key not in self._parsed:
            text = self.text(path)
            try:
                self._parsed[key] = parse(text) if text else missing
            except DocumentError as error:
                self.problems[path] = f"{path}: {error}"
                self._parsed[key] = missing
        found: T = self._parsed[key]
        return found


def _parse_python(text: str) -> ast.Module:
    try:
        return parse_module(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise DocumentError(f"no Python: {type(error).__name__}") from error
