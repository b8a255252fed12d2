"""Which files of a repository are which modules, as far as its traced functions show."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterable, Mapping

from transforms.trace.records import Function

_PACKAGE = "__init__"


def find_modules(
    files: Mapping[str, bytes], functions: Iterable[Function]
) -> dict[str, tuple[str, str]]:
    """Path and text of each module, by its dotted name.

    Folders that modules are imported from are those from which the functions' modules were; of
    files that could have several names, as in a project of several such folders, the shortest
    counts. Files that are no text are left out.
    """
    roots = {root for function in functions if (root := _root(function)) is not None}
    modules: dict[str, tuple[str, str]] = {}
    for path in sorted(files):
        names = [name for root in roots if (name := _name(path, root))]
        if not names or (text := _text(files[path])) is None:
            continue
        modules.setdefault(min(names, key=len), (path, text))
    return modules


def _root(function: Function) -> str | None:
    """The folder from which the module of a function was imported; with a slash at its end."""
    parts = function.file.removesuffix(".py").split("/")
    if parts[-1] == _PACKAGE:
        parts.pop()
    names = function.module.split(".")
    if not function.file.endswith(".py") or parts[-len(names) :] != names:
        return None
    return "".join(f"{part}/" for part in parts[: -len(names)])


def _name(path: str, root: str) -> str | None:
    if not path.endswith(".py") or not path.startswith(root):
        return None
    parts = path[len(root) :].removesuffix(".py").split("/")
    if parts[-1] == _PACKAGE:
        parts.pop()
    return ".".join(parts) if parts and all(map(str.isidentifier, parts)) else None


def _text(content: bytes) -> str | None:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return io.TextIOWrapper(io.BytesIO(content), encoding).read()
    except (SyntaxError, UnicodeError, LookupError):
        return None
