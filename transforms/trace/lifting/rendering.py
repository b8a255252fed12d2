"""Rendering: the text of pieces under the names that they have in a program."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from transforms.trace.lifting.forms import bare_supers, first_parameter, handed_on
from transforms.trace.lifting.modules import Module
from transforms.trace.lifting.naming import Names
from transforms.trace.lifting.needs import Link, Needs
from transforms.trace.lifting.pieces import Definition, Piece, Unit
from transforms.trace.lifting.resolution import Foreign, Own
from transforms.trace.lifting.results import LiftError, LiftReason
from transforms.trace.lifting.scopes import NOWHERE, InnerImport, line_and_column
from transforms.trace.lifting.text import Edit, Source

_KEYWORDS = re.compile(rb"(async[ \t\f\\\n]+)?(def|class)[ \t\f\\\n]+")


class Renderer:
    """Writes the pieces of a program.

    Raises (all methods):
      LiftError: something would have to be renamed in a place that nobody can write to.
    """

    def __init__(self, needs: Needs, names: Names) -> None:
        self._needs = needs
        self._names = names
        self._links: dict[Unit, list[Link]] = {}
        for link in needs.links:
            self._links.setdefault(link.unit, []).append(link)

    def piece(self, piece: Piece) -> str:
        """The text of a piece, without a line end; of the class of a method all but that."""
        if piece.origin:
            return self._import(piece)
        module = self._needs.resolver.module(piece.module)
        chosen = sorted(self._needs.units[piece])
        units = [piece.units[number] for number in chosen]
        texts = [self._unit(module, piece, unit) for unit in units]
        is_open = piece is self._needs.entry.piece and self._needs.entry.is_member
        if len(piece.units) > 1 and not is_open and not any(texts[1:]):
            texts.append(f"{' ' * 4}pass")
        joined = "".join(text if text.endswith("\n") else f"{text}\n" for text in texts)
        return joined.rstrip("\n")

    def _unit(self, module: Module, piece: Piece, unit: Unit) -> str:
        if unit is not self._needs.entry.unit:
            return self.slice(module, piece, unit, unit.start, unit.end)
        return self._stand_in(module) if self._needs.has_stand_in else ""

    def slice(self, module: Module, piece: Piece, unit: Unit, start: int, end: int) -> str:
        """The text of a part of a unit."""
        edits = self.edits(module, piece, unit)
        indent = piece.indent
        if unit is self._needs.entry.unit and self._needs.entry.stands_apart:
            indent = module.source.indent(module.source.span(unit.nodes[0])[0])
        return module.source.render(start, end, edits, indent).decode()

    def edits(self, module: Module, piece: Piece, unit: Unit) -> list[Edit]:
        """What is written differently in a unit."""
        found = [
            edit for link in self._links.get(unit, ()) for edit in self._rename(module.source, link)
        ]
        found += [self._without_import(module.source, unit, inner) for inner in unit.imports]
        found += [Edit(*module.source.span(node), b"raise ImportError") for node in unit.failing]
        if unit is piece.units[0]:
            found += self._rename_definition(module.source, piece)
        if unit is self._needs.entry.unit:
            found += self._as_function(module.source)
        return [*found, *self._rename_globals(module, unit)]

    def _stand_in(self, module: Module) -> str:
        """What stands in a class in place of what is lifted, and calls it."""
        entry, source = self._needs.entry, module.source
        begin, _ = source.span(entry.function)
        indent = source.indent(begin).removeprefix(entry.piece.indent).decode()
        name, function = entry.function.name, self._names.function
        called = f"{function}(self" if entry.stands_apart else f"self.{function}("
        if entry.getter is not None:
            decorator = self.slice(module, entry.piece, entry.unit, *source.span(entry.getter))
            return f"\n{indent}{name} = {decorator}(lambda self: {called}))\n"
        taken, given = handed_on(entry.function)
        step = "\t" if indent.startswith("\t") else " " * 4
        head, call = f"def {name}({taken}):", f"return {function}({given})"
        return f"\n{indent}{head}\n{indent}{step}{call}\n"

    def _as_function(self, source: Source) -> Iterator[Edit]:
        """The function by itself, of what was a property or a method."""
        entry = self._needs.entry
        if entry.getter is not None:
            begin, end = source.span(entry.getter)
            yield Edit(source.line_start(begin), source.line_end(end), b"")
        yield from _renamed(source, entry.function, self._names.function)
        first = first_parameter(entry.function)
        if not entry.stands_apart or first is None:
            return
        owner = self._names.of(entry.owner).encode()
        if first.annotation is None:
            end = source.offset(first.end_lineno or 0, first.end_col_offset or 0)
            yield Edit(end, end, b": " + owner)
        for call in bare_supers(entry.function):
            yield Edit(*source.span(call), b"super(%s, %s)" % (owner, first.arg.encode()))

    def _import(self, piece: Piece) -> str:
        """An import of what gets its value from elsewhere in the program."""
        (bound,) = piece.binds
        name = self._names.of(Own(piece.module, bound))
        target = self._needs.imported[piece]
        if isinstance(target, Foreign):
            return import_statement(target, name)
        value = self._names.of(target)
        return f"{name} = {value}" if name != value else ""

    def _rename(self, source: Source, link: Link) -> Iterator[Edit]:
        use = link.use
        if isinstance(link.target, Foreign) and link.target.alias == "*":
            return
        name = self._names.of(link.target)
        if name == use.name and not link.taken:
            return
        if use.start == NOWHERE:
            # What no statement evaluates may keep a name that means nothing.
            if use.unevaluated or use.line in {each.node.lineno for each in link.unit.imports}:
                return
            raise LiftError(LiftReason.NAME_COLLISION, f"{use.name} cannot be renamed")
        start = source.offset(*line_and_column(use.start))
        end = start + len(use.name.encode())
        if link.taken:
            end = source.offset(*line_and_column(use.chain[link.taken - 1][1]))
        words = [use.name, *(step for step, _ in use.chain[: link.taken])]
        pattern = r"\s*\.\s*".join(map(re.escape, words))
        if not re.fullmatch(pattern, source.data[start:end].decode(errors="replace")):
            raise LiftError(LiftReason.NAME_COLLISION, f"{'.'.join(words)} in line {use.line}")
        yield Edit(start, end, name.encode())

    def _rename_definition(self, source: Source, piece: Piece) -> Iterator[Edit]:
        node = piece.node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return
        yield from _renamed(source, node, self._names.of(Own(piece.module, node.name)))

    def _rename_globals(self, module: Module, unit: Unit) -> Iterator[Edit]:
        for node in unit.global_statements:
            start, end = module.source.span(node)
            for word in re.finditer(rb"\w+", module.source.data[start:end]):
                key = Own(module.name, word[0].decode(errors="replace"))
                if self._names.has(key) and self._names.of(key) != key.name:
                    place = start + word.start()
                    yield Edit(place, place + len(word[0]), self._names.of(key).encode())

    def _without_import(self, source: Source, unit: Unit, inner: InnerImport) -> Edit:
        """Assignments in place of an import of what is in the program anyway."""
        start, end = source.span(inner.node)
        targets = {
            link.use.name: link.target
            for link in self._links.get(unit, ())
            if link.use in inner.uses
        }
        values = {name: self._names.of(target) for name, target in targets.items()}
        is_module = source.indent(start) == b""
        statements = [
            f"{name} = {value}" for name, value in values.items() if name != value or not is_module
        ]
        for name, value in values.items():
            if name == value and not is_module:
                raise LiftError(LiftReason.NAME_COLLISION, f"{name} is imported and assigned")
        if statements:
            return Edit(start, end, "; ".join(statements).encode())
        begin, stop = source.line_start(start), source.line_end(end)
        alone = not source.data[begin:start].strip() and not source.data[end:stop].strip()
        if alone and not _is_only_statement(unit, inner.node):
            return Edit(begin, stop, b"")
        return Edit(start, end, b"pass")


def _renamed(source: Source, node: Definition | ast.ClassDef, name: str) -> Iterator[Edit]:
    """A definition under another name."""
    match = _KEYWORDS.match(source.data, source.offset(node.lineno, node.col_offset))
    if name != node.name and match:
        end = match.end() + len(node.name.encode())
        yield Edit(match.end(), end, name.encode())


def _is_only_statement(unit: Unit, node: ast.stmt) -> bool:
    """Whether a block would be left without a statement."""
    for each in (each for root in unit.nodes for each in ast.walk(root)):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(each, name, None)
            if isinstance(block, list) and node in block:
                return all(isinstance(other, ast.Import | ast.ImportFrom) for other in block)
    return True


def import_statement(foreign: Foreign, name: str) -> str:
    """The statement that imports something under a name."""
    if foreign.attribute is None:
        is_plain = name in (foreign.module, foreign.module.partition(".")[0])
        return f"import {foreign.module}" if is_plain else f"import {foreign.module} as {name}"
    if foreign.attribute in (name, "*"):
        return f"from {foreign.module} import {foreign.attribute}"
    return f"from {foreign.module} import {foreign.attribute} as {name}"
