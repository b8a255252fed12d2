"""Splitting: a function's text into what is given and what is asked for."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass, replace

from transforms.trace.lifting.docstrings import LITERAL, with_own_examples
from transforms.trace.lifting.forms import Entry
from transforms.trace.lifting.modules import Module
from transforms.trace.lifting.pieces import header_end
from transforms.trace.lifting.rendering import Renderer
from transforms.trace.lifting.text import Source


@dataclass(frozen=True)
class Split:
    """The parts of a function's text, each of whole lines."""

    head: str
    """Decorators and signature."""

    docstring_lines: str
    body: str
    signature: str
    docstring: str | None


def split(renderer: Renderer, module: Module, entry: Entry) -> Split:
    """The parts of the function that is lifted."""
    node, source, unit = entry.function, module.source, entry.unit

    def text(start: int, end: int) -> str:
        return renderer.slice(module, entry.piece, unit, start, end)

    begin = source.offset(node.lineno, node.col_offset)
    indent = source.indent(begin).decode()
    colon = header_end(source, node)
    documented = ast.get_docstring(node, clean=False) is not None
    spans = [source.span(statement) for statement in node.body]
    margin = _margin(text(source.line_start(begin), begin), source, spans[0][0], colon)
    head_end = min(source.line_end(colon), spans[0][0])
    head = text(unit.start, head_end).strip("\n").rstrip(" \t")
    here, lines = source.line_end(colon), ""
    if documented:
        here = source.line_end(spans[0][1])
        lines = text(min(source.line_end(colon), spans[0][0]), here)
        if spans[1][0] < here:
            lines = text(spans[0][0], spans[0][1])
            here = spans[1][0]
        lines = _moved(_whole(lines, margin), indent, margin)
    elif spans[0][0] < here:
        here = spans[0][0]
    return Split(
        head=f"{head}\n",
        docstring_lines=lines,
        body=_whole(text(here, unit.end), margin),
        signature=text(begin, colon).removesuffix(":").rstrip(),
        docstring=_moved(_raw(source, node), indent, margin) if documented else None,
    )


def with_examples(parts: Split, packages: Collection[str], known: Collection[str]) -> Split:
    """The parts with a docstring of which the program can run all examples."""
    old = parts.docstring
    if old is None or old not in parts.docstring_lines:
        return parts
    new = with_own_examples(old, packages, known)
    if new.endswith(("\\", '"', "'")):
        return parts
    lines = parts.docstring_lines.replace(old, new, 1)
    return replace(parts, docstring=new, docstring_lines=lines)


def _margin(indent: str, source: Source, first: int, colon: int) -> str:
    """White space in front of a body, of one that stands beside its signature, too."""
    if source.line_of(first) == source.line_of(colon):
        return f"{indent}    "
    return indent + "    "


def _whole(text: str, margin: str) -> str:
    """Lines from text that may begin in the middle of one."""
    line = next((line for line in text.split("\n") if line.strip()), "")
    if line[:1] not in (" ", "\t", "\f") and line:
        text = margin + text.lstrip("\n")
    return f"{text.rstrip()}\n"


def _moved(lines: str, indent: str, margin: str) -> str:
    """A docstring's lines as far to the left as those around them."""
    surplus = len(indent) + 4 - len(margin)
    first, *others = lines.split("\n")
    white = indent[:surplus]
    return "\n".join([first, *(line.removeprefix(white) for line in others)])


def _raw(source: Source, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """A docstring as written; its value where several literals make it."""
    start, end = source.span(node.body[0])
    match = LITERAL.fullmatch(source.data[start:end].decode().rstrip("; \t"))
    if match and match[2] not in match[3].replace(f"\\{match[2][0]}", ""):
        return match[3]
    return ast.get_docstring(node, clean=False) or ""
