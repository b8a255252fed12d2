"""Modules of a project: their statements as pieces, and what their names are bound by."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from transforms.trace.lifting.conditions import has_name, is_importable, is_standard
from transforms.trace.lifting.flattening import Flat, flatten
from transforms.trace.lifting.pieces import Piece, ScanStatement, Unit, make_piece
from transforms.trace.lifting.results import LiftError, LiftReason
from transforms.trace.lifting.scanning import scan
from transforms.trace.lifting.scopes import Origin, Scan
from transforms.trace.lifting.text import Source

MAX_STATEMENTS = 20_000


class Sources:
    """The modules of one repository.

    Args:
      modules: path and source text of each module, by its dotted name.
    """

    def __init__(self, modules: Mapping[str, tuple[str, str]]) -> None:
        self._modules = dict(modules)
        self.roots = frozenset(name.partition(".")[0] for name in modules)
        self._sources: dict[str, Source | LiftError] = {}
        self._projects: dict[frozenset[str], Project] = {}

    def __contains__(self, module: str) -> bool:
        return module in self._modules

    def path(self, module: str) -> str:
        """Where a module is."""
        return self._modules[module][0]

    def is_package(self, module: str) -> bool:
        """Whether a module has others inside."""
        return self.path(module).rpartition("/")[2].rpartition("\\")[2] == "__init__.py"

    def source(self, module: str) -> Source:
        """The text of a module.

        Raises:
          LiftError: it is no Python, or out of bounds.
        """
        if module not in self._sources:
            try:
                self._sources[module] = Source(self._modules[module][1])
            except LiftError as error:
                self._sources[module] = error
        found = self._sources[module]
        if isinstance(found, LiftError):
            raise LiftError(found.rejected.reason, f"{module}: {found.rejected.detail}")
        return found

    def project(self, allowed_packages: frozenset[str]) -> Project:
        """The modules as they are where some packages are at hand."""
        if allowed_packages not in self._projects:
            self._projects[allowed_packages] = Project(self, allowed_packages)
        return self._projects[allowed_packages]


class Module:
    """The pieces of a module, or of a function's body that is treated as one."""

    def __init__(
        self,
        name: str,
        real_name: str,
        source: Source,
        pieces: Sequence[Piece],
        enclosing: Module | None = None,
    ) -> None:
        self.name = name
        self.real_name = real_name
        self.source = source
        self.pieces = pieces
        self.enclosing = enclosing
        self.closed: frozenset[str] = frozenset()
        """Names of a function that differ from call to call."""

        self.stars = tuple(
            (piece.number, piece.origin.module)
            for piece in pieces
            if piece.origin and piece.origin.attribute == "*"
        )
        """Numbers and modules of star imports."""

        self.binders: dict[str, list[Piece]] = defaultdict(list)
        for piece in pieces:
            for bound in piece.binds:
                self.binders[bound].append(piece)
        for bound, binders in self.binders.items():
            run = [piece for piece in binders if not piece.typing_only]
            self.binders[bound] = run or binders
        self.set_later = frozenset(name for piece in pieces for name in piece.set_later)

    def lost(self, name: str) -> str | None:
        """The foreign module of an import of a name in a branch that is not taken."""
        for node in _outside_of_definitions(self.source.tree):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            for alias in node.names:
                if name in (alias.asname, alias.name) and not getattr(node, "level", 0):
                    return getattr(node, "module", None) or alias.name
        return None

    @property
    def future_annotations(self) -> bool:
        """Whether annotations are not evaluated."""
        return _has_lazy_annotations(self.source.tree)

    def changers(self, name: str) -> Iterator[tuple[Piece, str | None]]:
        """Pieces that change what a name stands for, each with the attribute that they set."""
        for piece in self.pieces:
            if piece.typing_only or piece.origin:
                continue
            found = {attribute for changed, attribute in piece.effects if changed == name}
            if None in found:
                yield piece, None
            else:
                yield from ((piece, attribute) for attribute in sorted(map(str, found)))
            if not found and any(
                name in binder.body_effects
                for called in piece.called
                for binder in self.binders.get(called, ())
            ):
                yield piece, None


class Project:
    """The modules of a repository, parsed when they are asked for."""

    def __init__(self, sources: Sources, allowed_packages: frozenset[str]) -> None:
        self.sources = sources
        self.allowed_packages = allowed_packages
        self._modules: dict[str, Module] = {}

    def module(self, name: str) -> Module:
        """A module by its name.

        Raises:
          LiftError: it is no Python, or out of bounds.
        """
        if name not in self._modules:
            self._modules[name] = self.flattened(name, None)
        return self._modules[name]

    def flattened(self, name: str, wanted_line: int | None) -> Module:
        """A module where the branches with a line were taken."""
        source = self.sources.source(name)
        flat = self.flatten(name, source.tree.body, wanted_line)
        return self.make_module(name, name, source, flat)

    def flatten(
        self, module: str, body: Sequence[ast.stmt], wanted_line: int | None
    ) -> Iterator[Flat]:
        """Those of some statements of a module that run."""
        return flatten(body, lambda node: self._works(module, node), wanted_line)

    def make_module(
        self,
        name: str,
        real_name: str,
        source: Source,
        flat: Iterable[Flat],
        enclosing: Module | None = None,
    ) -> Module:
        """A module of some statements; of another ``real_name`` where they are a function's."""
        lazy = _has_lazy_annotations(source.tree)

        def scan_statement(node: ast.stmt) -> Scan:
            def imported(inner: ast.Import | ast.ImportFrom) -> Sequence[tuple[str, Origin]]:
                return tuple(self._imported(real_name, inner))

            def fails(inner: ast.Import | ast.ImportFrom) -> bool:
                return self._fails(real_name, inner)

            return scan([node], imported, self.is_own, fails, lazy_annotations=lazy)

        pieces: list[Piece] = []
        floor = 0
        for statement in flat:
            if len(pieces) > MAX_STATEMENTS:
                raise LiftError(LiftReason.NOT_PARSED, f"more than {MAX_STATEMENTS} statements")
            pieces += self._pieces(
                name, real_name, source, scan_statement, statement, len(pieces), floor
            )
            floor = source.span(statement.node)[1]
        return Module(name, real_name, source, pieces, enclosing)

    def _pieces(
        self,
        name: str,
        real_name: str,
        source: Source,
        scan_statement: ScanStatement,
        flat: Flat,
        number: int,
        floor: int,
    ) -> Iterator[Piece]:
        node = flat.node
        if isinstance(node, ast.Import | ast.ImportFrom):
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                return
            start, end = source.span(node)
            unit = Unit(start, end, (node.lineno, node.lineno), [node])
            for place, (bound, origin) in enumerate(self._imported(real_name, node)):
                binds = frozenset() if origin.attribute == "*" else frozenset({bound})
                yield Piece(name, number + place, node, [unit], b"", binds, frozenset(),
                            typing_only=flat.typing_only, origin=origin)  # fmt: skip
            return
        piece = make_piece(source, scan_statement, name, number, node, floor)
        piece.typing_only = flat.typing_only
        yield piece

    # Imports

    def is_own(self, module: str) -> bool:
        """Whether a module is the project's, or would be if its source were there."""
        if module in self.sources:
            return True
        root = module.partition(".")[0]
        return root in self.sources.roots and not is_standard(module)

    def absolute(self, module: str, node: ast.ImportFrom) -> str:
        """The module that a statement imports from; of one beyond the top, a name of nothing."""
        if not node.level:
            return node.module or ""
        parts = module.split(".")
        drop = node.level - self.sources.is_package(module)
        if drop >= len(parts):
            return f"{'.' * node.level}{node.module or ''}"
        return ".".join([*parts[: len(parts) - drop], *filter(None, [node.module])])

    def _imported(
        self, module: str, node: ast.Import | ast.ImportFrom
    ) -> Iterator[tuple[str, Origin]]:
        """What an import statement binds, each with where from."""
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                origin = Origin(self.absolute(module, node), alias.name)
                yield alias.asname or alias.name, origin
            elif alias.asname:
                yield alias.asname, Origin(alias.name, None)
            else:
                root = alias.name.partition(".")[0]
                yield root, Origin(root, None, alias.name)

    def _works(self, module: str, node: ast.Import | ast.ImportFrom) -> bool | None:
        """Whether an import statement does not fail, None where that is not known."""
        verdicts = [self._origin_works(origin) for _, origin in self._imported(module, node)]
        if False in verdicts:
            return False
        return None if None in verdicts else True

    def _fails(self, module: str, node: ast.Import | ast.ImportFrom) -> bool:
        """Whether an import statement is of the project's own and names what is not there."""
        for _, origin in self._imported(module, node):
            name, attribute = origin.loads or origin.module, origin.attribute
            is_own = name.startswith(".") or self.is_own(name)
            if is_own and attribute != "*" and not self._has(name, attribute):
                return True
        return False

    def _origin_works(self, origin: Origin) -> bool | None:
        module, attribute = origin.loads or origin.module, origin.attribute
        if self.is_own(module):
            return self._has(module, attribute)
        if is_standard(module):
            if attribute is None:
                return True if is_importable(module) else None
            return has_name(module, attribute)
        return module.partition(".")[0] in self.allowed_packages

    def _has(self, module: str, attribute: str | None) -> bool:
        """Whether a module of the project is there, with a name or a module inside."""
        if module not in self.sources or attribute is None:
            return module in self.sources
        if not self.sources.is_package(module) or f"{module}.{attribute}" in self.sources:
            return True
        return attribute.encode() in self.sources.source(module).data


def _has_lazy_annotations(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body[:50]
    )


def _outside_of_definitions(tree: ast.AST) -> Iterator[ast.AST]:
    waiting = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node
            waiting.extend(ast.iter_child_nodes(node))
