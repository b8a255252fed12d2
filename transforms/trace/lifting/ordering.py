"""Ordering: pieces of several modules as importing the first of them would run them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from transforms.trace.lifting.modules import Project
from transforms.trace.lifting.pieces import Piece
from transforms.trace.lifting.resolution import Resolver
from transforms.trace.lifting.results import LiftError


def in_order_of_imports(
    project: Project, resolver: Resolver, module: str, pieces: Collection[Piece]
) -> list[Piece]:
    """Pieces in the order in which they run when a module is imported.

    Modules that only functions import, when they run, come before all others but those that
    they import.
    """
    walk = _Walk(project, resolver)
    found = [piece for piece in walk.run(module) if piece in pieces]
    late = sorted({piece.module for piece in pieces} - walk.seen)
    if not late:
        return found
    walk = _Walk(project, resolver)
    return [piece for name in (*late, module) for piece in walk.run(name) if piece in pieces]


class _Walk:
    def __init__(self, project: Project, resolver: Resolver) -> None:
        self._project = project
        self._resolver = resolver
        self.seen: set[str] = set()

    def run(self, module: str) -> Iterator[Piece]:
        """What runs when a module is imported that was not yet."""
        if module in self.seen:
            return
        here = self._resolver.module(module)
        parent = here.enclosing.name if here.enclosing else module.rpartition(".")[0]
        if here.enclosing or parent in self._project.sources:
            yield from self._try(parent)
        if module in self.seen:
            return
        self.seen.add(module)
        for piece in here.pieces:
            if piece.origin and not piece.typing_only:
                yield from self._imported(piece)
            yield piece

    def _imported(self, piece: Piece) -> Iterator[Piece]:
        if piece.origin is None:
            raise TypeError("an import without an origin")
        name = piece.origin.loads or piece.origin.module
        for loaded in (name, f"{name}.{piece.origin.attribute}"):
            if loaded in self._project.sources:
                yield from self._try(loaded)

    def _try(self, module: str) -> Iterator[Piece]:
        """A module that is no Python fails where something needs it."""
        try:
            yield from self.run(module)
        except LiftError:
            return
