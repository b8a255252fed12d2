"""Source text as lines and offsets of bytes, which is how syntax trees point into it."""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from transforms import syntax_trees
from transforms.trace.lifting.results import LiftError, LiftReason

MAX_SOURCE_BYTES = 1_000_000
"""Of one module; the longest of CPython's own that is not a table has 320,000."""

_PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)
_COMMENT = re.compile(rb"[ \t]*#")
_KEPT_OUT_COMMENT = re.compile(rb"^#!|coding[:=]|copyright|license|vim:|pragma|noqa", re.I)
_REST_OF_LINE = re.compile(rb"[ \t]*;?[ \t]*(#[^\n]*)?(?=\n|$)")


@dataclass(frozen=True)
class Edit:
    """Bytes that take the place of some of the text."""

    start: int
    end: int
    text: bytes


def parse(text: str) -> ast.Module:
    """The syntax tree of a text.

    Raises:
      LiftError: it is none, or out of bounds.
    """
    try:
        return syntax_trees.parse_module(text)
    except _PARSE_ERRORS as error:
        message = f"{type(error).__name__}: {error}"
        raise LiftError(LiftReason.NOT_PARSED, message) from error


def parse_expression(text: str) -> ast.expr | None:
    """The syntax tree of an expression; None where a text is none."""
    try:
        return syntax_trees.parse_expression(text)
    except _PARSE_ERRORS:
        return None


class Source:
    """The text of one module."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_SOURCE_BYTES:
            raise LiftError(LiftReason.NOT_PARSED, f"more than {MAX_SOURCE_BYTES} characters")
        text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self.tree = parse(text)
        try:
            self.data = text.encode() + (b"" if text.endswith("\n") else b"\n")
        except UnicodeEncodeError as error:
            raise LiftError(LiftReason.NOT_PARSED, str(error)) from error
        self._starts = [0, *(match.end() for match in re.finditer(b"\n", self.data))]
        self._quoted = frozenset(_quoted_lines(self.tree))

    def offset(self, line: int, column: int) -> int:
        """Where a position of a syntax tree is."""
        return self._starts[line - 1] + column

    def span(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        """Where a node begins, its decorators included, and ends."""
        begin = self.offset(node.lineno, node.col_offset)
        end = self.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
        for decorator in getattr(node, "decorator_list", ()):
            place = self.offset(decorator.lineno, decorator.col_offset)
            begin = min(begin, self.data.rfind(b"@", 0, place))
        return begin, end

    def line_of(self, offset: int) -> int:
        """The number of the line of an offset, from 1."""
        return bisect_right(self._starts, offset)

    def line_start(self, offset: int) -> int:
        """Where the line of an offset begins."""
        return self._starts[self.line_of(offset) - 1]

    def line_end(self, offset: int) -> int:
        """Where the line of an offset ends, its line end included."""
        return self.data.find(b"\n", offset) + 1 or len(self.data)

    def indent(self, offset: int) -> bytes:
        """The white space that the line of an offset begins with."""
        line = self.data[self.line_start(offset) : self.line_end(offset)]
        return line[: len(line) - len(line.lstrip(b" \t\f"))]

    def end_with_comment(self, end: int) -> int:
        """The end of a line where nothing but a comment follows a statement, else its end."""
        match = _REST_OF_LINE.match(self.data, end)
        return match.end() if match else end

    def start_with_comments(self, start: int, floor: int) -> int:
        """Where comments begin that stand directly above the line of an offset."""
        begin, indent = self.line_start(start), self.indent(start)
        if self.data[begin:start].strip():
            return start
        here = begin
        while here > floor:
            above = self.line_start(here - 1)
            line = self.data[above:here]
            if above < floor or not _COMMENT.match(line) or self.indent(above) != indent:
                break
            if _KEPT_OUT_COMMENT.search(line) or self.line_of(above) in self._quoted:
                break
            here = above
        return begin if here == 0 else here

    def render(self, start: int, end: int, edits: Iterable[Edit], indent: bytes = b"") -> bytes:
        """A stretch of the text with edits made, and with that much less white space in front."""
        # Of two that begin in one place, that which takes the other's away counts.
        changes = sorted(
            [*edits, *self._dedents(start, end, indent)], key=lambda edit: (edit.start, -edit.end)
        )
        parts, here = [], start
        for edit in changes:
            if edit.start >= here and edit.end <= end:
                parts += [self.data[here : edit.start], edit.text]
                here = edit.end
        return b"".join([*parts, self.data[here:end]])

    def _dedents(self, start: int, end: int, indent: bytes) -> Iterable[Edit]:
        if not indent:
            return
        for line in range(self.line_of(start), self.line_of(max(end - 1, start)) + 1):
            begin = self._starts[line - 1]
            if begin < start or line in self._quoted:
                continue
            stop = begin
            for byte in indent:
                if stop >= end or self.data[stop] != byte:
                    break
                stop += 1
            yield Edit(begin, stop, b"")


def first_line(node: ast.AST) -> int:
    """The line a statement begins on, that of its first decorator where it has any."""
    lines = [decorator.lineno for decorator in getattr(node, "decorator_list", ())]
    return int(min([*lines, getattr(node, "lineno", 1)]))


def _quoted_lines(tree: ast.AST) -> Iterable[int]:
    """Lines that begin inside of a string, where white space counts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
        ):
            yield from range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
