"""Jupyter notebooks as scripts in the language of their kernel.

The cells come in their order, each under a line that begins it, as editors know them:
``# %%`` for code, ``# %% [markdown]`` and ``# %% [raw]`` for text, which becomes comments.
Outputs are left out, and what IPython alone understands in Python is commented out: magics
(``%``), commands (``!``) and questions (``?``). Equal notebooks make equal scripts.

Nothing that a file may hold raises; what is no notebook has an empty script.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from transforms.lexing.tables import line_comment

_ALIASES = {
    "ir": "r",
    "bash": "shell",
    "sh": "shell",
    "c++11": "c++",
    "c++14": "c++",
    "c++17": "c++",
    "c++20": "c++",
    "xcpp": "c++",
    "csharp": "c#",
    "node": "javascript",
    "nodejs": "javascript",
    "ipython": "python",
    "sage": "python",
}
_KERNEL_NAMES = (("language_info", "name"), ("kernelspec", "language"), ("kernelspec", "name"))
_MAX_NAME_CHARACTERS = 50
_VERSION = re.compile(r"[-\d. ]+\Z")

# Magics of a whole cell whose cell is still Python.
_PYTHON_CELLS = frozenset(
    ("capture", "time", "timeit", "prun", "memit", "python", "python3", "px", "debug")
)
_CELL_MAGIC = re.compile(r"%%(\w*)")
_LINE_MAGIC = re.compile(r"%{1,2}\w|!(?!=)|\?|[\w.,\[\]'\" ]+=\s*(?:!|%\w)|[^#'\"]*\?\s*\Z")
_ENDS = {quotes: re.compile(r"(?s:\\.|[^\\])*?" + quotes) for quotes in ('"""', "'''")}
_PIECE = re.compile(
    r"\"\"\"|'''|\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?|#.*|[()\[\]{}]",
)


def script_of(notebook: bytes) -> bytes:
    """The script of a notebook in UTF-8; empty for what is none or has no cells."""
    try:
        # Numbers are not wanted, and large ones cost much.
        body = json.loads(notebook, parse_int=float)
    except (ValueError, RecursionError):
        return b""
    if not isinstance(body, dict):
        return b""
    language = _language(body)
    comment = line_comment(language) or ""
    pieces = [
        piece
        for cell in _cells(body)
        for piece in _cell_lines(cell, comment, is_python=language == "python")
    ]
    return "\n".join(pieces).encode("utf-8", "replace")


def _cells(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The cells of all versions of the format; until the third they lie in worksheets."""
    sheets = [body, *_items(body.get("worksheets"))]
    for sheet in sheets:
        yield from _items(sheet.get("cells"))


def _items(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _language(body: dict[str, Any]) -> str:
    """The kernel's language, Python where nothing names one that is known."""
    metadata = body.get("metadata")
    for part, key in _KERNEL_NAMES:
        value = metadata.get(part) if isinstance(metadata, dict) else None
        name = value.get(key) if isinstance(value, dict) else None
        if isinstance(name, str):
            name = name[:_MAX_NAME_CHARACTERS].strip().lower()
            for spelling in (name, _VERSION.sub("", name)):
                language = _ALIASES.get(spelling, spelling)
                if line_comment(language):
                    return language
    return "python"


def _source(cell: dict[str, Any]) -> str:
    """The text of a cell, whichever version of the format it is from."""
    value = cell.get("source", cell.get("input"))
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    return value.rstrip("\n") if isinstance(value, str) else ""


def _cell_lines(cell: dict[str, Any], comment: str, *, is_python: bool) -> Iterator[str]:
    """The lines of a cell with the one that begins it and an empty one behind."""
    source = _source(cell)
    kind = cell.get("cell_type")
    if not source.strip() or not isinstance(kind, str):
        return
    lines = source.split("\n")
    if kind == "code":
        yield f"{comment} %%"
        yield from _without_magics(lines, comment) if is_python else lines
    else:
        yield f"{comment} %% [{'raw' if kind == 'raw' else 'markdown'}]"
        yield from (_commented(line, comment) for line in lines)
    yield ""


def _commented(line: str, comment: str) -> str:
    # A carriage return would end the comment.
    return f"{comment} {line}".replace("\r", " ").rstrip()


def _without_magics(lines: list[str], comment: str) -> Iterator[str]:
    """The lines of a cell, those that are IPython's and no Python as comments."""
    first = next(line for line in lines if line.strip())
    magic = _CELL_MAGIC.match(first.lstrip())
    if magic and magic[1] not in _PYTHON_CELLS:
        yield from (_commented(line, comment) for line in lines)
        return
    depth, quote, goes_on, in_magic = 0, "", False, False
    for line in lines:
        if in_magic or (not (depth or quote or goes_on) and _LINE_MAGIC.match(line.lstrip())):
            in_magic = line.endswith("\\")
            yield _commented(line, comment)
            continue
        depth, quote = _after(line, depth, quote)
        goes_on = line.endswith("\\")
        yield line


def _after(line: str, depth: int, quote: str) -> tuple[int, str]:
    """Brackets that are open behind a line, and the quotes of the long string that is."""
    position = 0
    while True:
        if quote:
            end = _ENDS[quote].match(line, position)
            if end is None:
                return depth, quote
            position, quote = end.end(), ""
        piece = _PIECE.search(line, position)
        if piece is None:
            return depth, ""
        position = piece.end()
        if piece[0] in ('"""', "'''"):
            quote = piece[0]
        elif piece[0] in "([{":
            depth += 1
        elif piece[0] in ")]}":
            depth = max(0, depth - 1)
