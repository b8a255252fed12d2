"""Pieces: statements of a module's top level, and members of its classes, with what they use."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from transforms.trace.lifting.effects import Effect, body_effects, called_names, effects
from transforms.trace.lifting.results import LiftError, LiftReason
from transforms.trace.lifting.scopes import InnerImport, Origin, Scan, Use
from transforms.trace.lifting.text import Source, first_line

ScanStatement = Callable[[ast.stmt], Scan]
Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(eq=False)
class Unit:
    """A stretch of text that is in a program or not: a statement, a class header, a member."""

    start: int
    end: int
    lines: tuple[int, int]
    nodes: Sequence[ast.stmt]
    uses: list[Use] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    is_dynamic: bool = False
    calls: set[str] = field(default_factory=set)
    imports: list[InnerImport] = field(default_factory=list)
    failing: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    packages: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def function(self) -> Definition | None:
        """The function that it defines and nothing else."""
        node = self.nodes[0] if len(self.nodes) == 1 else None
        return node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None

    @cached_property
    def bound(self) -> frozenset[str]:
        """Names that it gives a value, those in functions of a branch among them."""
        return frozenset(name for node in self.nodes for name in _bound(node))

    @cached_property
    def read_at_once(self) -> frozenset[str]:
        """Names that it reads when it runs rather than when a function in it does."""
        return frozenset(name for node in self.nodes for name in _read_at_once(node))

    @cached_property
    def global_statements(self) -> Sequence[ast.Global]:
        """All of them, in functions mostly."""
        nodes = (each for root in self.nodes for each in ast.walk(root))
        return [node for node in nodes if isinstance(node, ast.Global)]


@dataclass(eq=False)
class Piece:
    """A statement of a module's top level."""

    module: str
    number: int
    """In the order of the module."""

    node: ast.stmt
    units: Sequence[Unit]
    """The first is the header of a class, or all of any other statement; then the members."""

    indent: bytes
    """White space that the text has in front and a program must not."""

    binds: frozenset[str]
    effects: frozenset[Effect]
    body_effects: frozenset[str] = frozenset()
    """What a call of it may change, where it is a function."""

    set_later: frozenset[str] = frozenset()
    """Names that functions in it bind as global ones."""

    called: frozenset[str] = frozenset()
    typing_only: bool = False
    origin: Origin | None = None
    """Of what an import binds."""

    @property
    def is_definition(self) -> bool:
        """Whether it is a function or class."""
        return isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)

    @property
    def binds_before_use(self) -> bool:
        """Whether its own names have a value before it reads them, as targets of loops do."""
        return isinstance(self.node, ast.For | ast.While | ast.With | ast.Try | ast.If)


def make_piece(
    source: Source, scan: ScanStatement, module: str, number: int, node: ast.stmt, floor: int
) -> Piece:
    """The piece of a statement that imports nothing.

    Args:
      source: of the module.
      scan: finds what the statement uses.
      module: its name.
      number: of the statement in it.
      node: the statement.
      floor: where the statement before ends.
    """
    start, end = source.span(node)
    indent = source.indent(start)
    start, end = source.start_with_comments(start, floor), source.end_with_comment(end)
    found = scan(node)
    units = list(_class_units(source, node, start, end)) if isinstance(node, ast.ClassDef) else []
    if not units:
        lines = source.line_of(start), source.line_of(end)
        units = [Unit(start, end, lines, [node])]
    _share_out(found, units)
    return Piece(
        module=module,
        number=number,
        node=node,
        units=units,
        indent=indent,
        binds=found.bound,
        effects=effects(node),
        body_effects=body_effects(node) if isinstance(node, Definition) else frozenset(),
        set_later=frozenset(found.set_later),
        called=called_names(node),
    )


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, Definition | ast.ClassDef):
        yield node.name
        return
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            yield each.id
        elif isinstance(each, Definition | ast.ClassDef):
            yield each.name


def _read_at_once(node: ast.stmt) -> Iterator[str]:
    roots: list[ast.AST] = [node]
    if isinstance(node, Definition):
        defaults = [each for each in node.args.kw_defaults if each]
        roots = [*node.decorator_list, *node.args.defaults, *defaults]
    for root in roots:
        for each in ast.walk(root):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
                yield each.id


def _class_units(source: Source, node: ast.ClassDef, start: int, end: int) -> Iterator[Unit]:
    """The header, then each member with the comments above it; nothing for a class on one line."""
    header = source.line_end(header_end(source, node))
    if first_line(node.body[0]) < source.line_of(header - 1) + 1:
        return
    yield Unit(start, header, (source.line_of(start), source.line_of(header - 1)), [])
    begin = header
    groups = list(_by_lines(node.body))
    for number, group in enumerate(groups):
        stop = source.line_end(source.span(group[-1])[1])
        stop = min(stop, end) if number == len(groups) - 1 else stop
        yield Unit(begin, stop, (source.line_of(begin), source.line_of(stop - 1)), group)
        begin = stop


def _by_lines(body: Iterable[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Statements that share a line together."""
    group: list[ast.stmt] = []
    for node in body:
        if group and first_line(node) > (group[-1].end_lineno or 0):
            yield group
            group = []
        group.append(node)
    yield group


def _share_out(found: Scan, units: Sequence[Unit]) -> None:
    """Gives each unit what is on its lines."""

    def at(line: int) -> Unit:
        for unit in reversed(units):
            if unit.lines[0] <= line:
                return unit
        return units[0]

    for use in found.uses:
        at(use.line).uses.append(use)
    for line, name in found.attributes:
        at(line).attributes.add(name)
    for line in found.dynamic_lines:
        at(line).is_dynamic = True
    for line, name in found.calls:
        at(line).calls.add(name)
    for inner in found.imports:
        unit = at(inner.node.lineno)
        unit.imports.append(inner)
        unit.uses.extend(inner.uses)
    for node in found.failing:
        at(node.lineno).failing.append(node)
    for line, name, guarded in found.packages:
        at(line).packages.append((name, guarded))


def header_end(source: Source, node: Definition | ast.ClassDef) -> int:
    """Where the colon of a definition ends.

    Raises:
      LiftError: none was found.
    """
    start = source.offset(node.lineno, node.col_offset)
    stop = source.line_end(source.span(node.body[0])[1])
    lines = source.data[start:stop].decode().split("\n")
    reading = io.StringIO("\n".join(lines)).readline
    depth = 0
    try:
        for token in tokenize.generate_tokens(reading):
            if token.type == tokenize.OP:
                depth += (token.string in "([{") - (token.string in ")]}")
                if token.string == ":" and not depth:
                    row, column = token.end
                    width = len(lines[row - 1][:column].encode())
                    first = source.line_of(start)
                    return start + width if row == 1 else source.offset(first + row - 1, width)
    except (tokenize.TokenError, SyntaxError):
        pass
    raise LiftError(LiftReason.NOT_PARSED, f"no header of {node.name}")
