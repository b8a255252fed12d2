"""Needs: all pieces that a function takes to run, found from one to the next."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from transforms.trace.lifting.classes import Members, is_overload
from transforms.trace.lifting.conditions import is_standard
from transforms.trace.lifting.effects import ANY, REGISTERED, attributes_at_once
from transforms.trace.lifting.forms import Entry
from transforms.trace.lifting.pieces import Piece, Unit
from transforms.trace.lifting.resolution import Builtin, Foreign, Own, Resolver, Target
from transforms.trace.lifting.results import LiftError, LiftReason
from transforms.trace.lifting.scopes import Use

MAX_PIECES = 200
_MAKERS = frozenset({"__init__", "__new__", "__post_init__"})


class Annotations(Enum):
    """What becomes of names in annotations."""

    FOLLOWED = auto()
    """They are put into the program, too."""

    EVALUATED = auto()
    """Only where something evaluates them."""

    LAZY = auto()
    """Nothing evaluates them, as the program starts with the import that says so."""


@dataclass(frozen=True)
class Link:
    """A use in the program, and what it means."""

    piece: Piece
    unit: Unit
    use: Use
    target: Target
    taken: int
    """How many attributes belong to the name."""


class Needs:
    """Collects what a program needs.

    With ``only_named``, members of classes are not kept only because something looks
    attributes up by names that are not known.

    Raises (all methods):
      LiftError: something that is needed cannot be in a program.
    """

    def __init__(
        self,
        resolver: Resolver,
        entry: Entry,
        annotations: Annotations,
        *,
        only_named: bool = False,
    ) -> None:
        self.resolver = resolver
        self.entry = entry
        self.units: dict[Piece, set[int]] = {}
        self.links: list[Link] = []
        self.foreign: dict[Foreign, None] = {}
        self.imported: dict[Piece, Target] = {}
        """What imports stand for whose names are bound by something else as well."""

        self.lazy_annotations = annotations is Annotations.LAZY
        """Whether the program has to say that annotations are not evaluated."""

        self.has_stand_in = False
        """Whether something in the class has to call the function under its old name."""

        self._annotations = annotations
        self._only_named = only_named
        self._attributes: set[str] = set()
        self._dynamic = False
        self._names: dict[Own, None] = {}
        self._members: dict[Piece, Members] = {}
        self._waiting: list[tuple[Piece, int]] = []
        self._left: list[Link] = []

    def collect(self, own: Iterable[Own], attributes: Iterable[str]) -> None:
        """Everything that the function, some more names and some attributes need."""
        self._attributes.update(attributes)
        self._need_piece(self.entry.piece)
        self._need_unit(self.entry.piece, self.entry.piece.units.index(self.entry.unit))
        self._need_name(self.entry.owner, None)
        for name in own:
            self._need_name(name, None)
        while True:
            self._work()
            if not (self._find_members() or self._find_changes() or self._find_stand_in()):
                break
        self._check_order()
        names = {Own(piece.module, name) for piece in self.units for name in piece.binds}
        self.links += [link for link in self._left if link.target in names]

    def _work(self) -> None:
        while self._waiting:
            piece, number = self._waiting.pop()
            unit = piece.units[number]
            self._attributes |= unit.attributes
            self._dynamic = self._dynamic or (unit.is_dynamic and not self._only_named)
            self._check_unit(piece, unit)
            for use in unit.uses:
                if unit is not self.entry.unit or not self._is_of_getter(use):
                    self._follow(piece, unit, use)

    def _need_piece(self, piece: Piece) -> None:
        if piece in self.units:
            return
        if len(self.units) >= MAX_PIECES:
            raise LiftError(LiftReason.TOO_MANY_PIECES, f"more than {MAX_PIECES}")
        self.units[piece] = set()
        if piece.origin:
            target = self.resolver.resolve_origin(piece.origin)
            self.imported[piece] = target
            if isinstance(target, Own):
                self._need_name(target, piece)
        else:
            self._need_unit(piece, 0)

    def _need_unit(self, piece: Piece, number: int) -> None:
        if number not in self.units[piece]:
            self.units[piece].add(number)
            self._waiting.append((piece, number))

    def _follow(self, piece: Piece, unit: Unit, use: Use) -> None:
        lazy = use.unevaluated or (use.annotation and self._annotations is Annotations.LAZY)
        try:
            target, taken = self.resolver.resolve_use(piece.module, use)
        except LiftError:
            if lazy:
                return
            raise
        link = Link(piece, unit, use, target, taken)
        if use.stores or (
            lazy and isinstance(target, Own) and self._annotations is not Annotations.FOLLOWED
        ):
            self._left.append(link)
            return
        self.links.append(link)
        _check_use(target)
        if isinstance(target, Own) and use.immediate and target.module == piece.module:
            if target.name in piece.binds and piece.binds_before_use:
                return
            self._need_name(target, piece)
        else:
            self._need_target(piece.module, target)

    def _need_target(self, module: str, target: Target) -> None:
        if isinstance(target, Own):
            self._need_name(target, None)
        elif isinstance(target, Foreign):
            self.foreign.update(dict.fromkeys(self.resolver.foreign_imports(module, target)))

    def _need_name(self, name: Own, before: Piece | None) -> None:
        """All that binds a name, or all before a piece that uses it when it runs."""
        is_entry = name == self.entry.key
        if is_entry and before is not self.entry.piece:
            return
        binders = self.resolver.module(name.module).binders.get(name.name, [])
        binders = [piece for piece in binders if not _is_stub(piece)]
        if before is not None and before.module == name.module:
            earlier = [piece for piece in binders if piece.number < before.number]
            last = max((piece.number for piece in earlier), default=-1)
            if self.resolver.is_of_star(name, last, before.number):
                raise LiftError(LiftReason.NAME_COLLISION, f"{name.name} is of a star import, too")
            binders = earlier if is_entry else earlier or binders
        if not is_entry:
            self._names[name] = None
        for piece in binders:
            self._need_piece(piece)

    @property
    def attributes(self) -> frozenset[str]:
        """All names of attributes in the program."""
        return frozenset(self._attributes)

    # What is only known to be needed after something else is

    def _find_members(self) -> bool:
        attributes = frozenset(self._attributes)
        for piece in list(self.units):
            if not isinstance(piece.node, ast.ClassDef) or len(piece.units) == 1:
                continue
            if piece not in self._members:
                self._members[piece] = Members(self.resolver, piece)
            target = self.entry.unit if piece is self.entry.piece else None
            for number in self._members[piece].needed(
                attributes,
                target,
                self.units[piece],
                dynamic=self._dynamic,
                has_stand_in=self.entry.has_stand_in,
            ):
                self._need_unit(piece, number)
        return bool(self._waiting)

    def _find_stand_in(self) -> bool:
        """Whether the function has turned out to be needed in its class, too."""
        entry, piece = self.entry, self.entry.piece
        if not entry.has_stand_in or self.has_stand_in or piece not in self._members:
            return False
        others = (piece.units[number] for number in self.units[piece])
        read = {name for unit in others if unit is not entry.unit for name in unit.read_at_once}
        self.has_stand_in = self._members[piece].is_needed(
            entry.unit, frozenset(self._attributes | read), None, self._dynamic
        )
        for use in entry.unit.uses if self.has_stand_in else ():
            if self._is_of_getter(use):
                self._follow(piece, entry.unit, use)
        return self.has_stand_in

    def _is_of_getter(self, use: Use) -> bool:
        getter = self.entry.getter
        return getter is not None and getter.lineno <= use.line <= (getter.end_lineno or 0)

    def _find_changes(self) -> bool:
        before = len(self.units)
        for name in {**self._names, self.entry.key: None}:
            module = self.resolver.module(name.module)
            for piece, attribute in module.changers(name.name):
                if piece in self.units or not self._matters(piece, attribute, name):
                    continue
                if name == self.entry.key:
                    detail = f"line {piece.node.lineno} changes {name.name}"
                    raise LiftError(LiftReason.NEEDS_CODE_AFTER, detail)
                self._need_piece(piece)
        return len(self.units) > before

    def _matters(self, piece: Piece, attribute: str | None, name: Own) -> bool:
        if attribute == ANY:
            return not self._only_named
        if attribute == "__doc__":
            return False
        if attribute == REGISTERED:
            return any(map(self._is_asked_for, self._others(piece, name)))
        if attribute is not None:
            return attribute in self._attributes
        binders = self.resolver.module(name.module).binders.get(name.name, ())
        if piece.is_definition and any(binder.is_definition for binder in binders):
            return "register" in piece.units[0].attributes
        return True

    def _others(self, piece: Piece, name: Own) -> Iterator[Target]:
        """What a statement uses besides a name."""
        for use in piece.units[0].uses:
            target, _ = self.resolver.resolve_use(piece.module, use)
            if target != name:
                yield target

    def _is_asked_for(self, target: Target) -> bool:
        """Whether the program has something, or its like of the same foreign module."""
        if isinstance(target, Foreign):
            return target.module in {each.module for each in self.foreign}
        return target in self._names

    # Faults

    def _check_unit(self, piece: Piece, unit: Unit) -> None:
        allowed = self.resolver.allowed_packages
        for name, guarded in unit.packages:
            known = is_standard(name) or name.partition(".")[0] in allowed
            if not known and not guarded:
                raise LiftError(LiftReason.USES_PACKAGE, name.partition(".")[0] or name)
        dynamic = {"globals", "sys.modules"}
        if not piece.is_definition:
            dynamic |= {"vars", "locals"}
        for call in sorted(dynamic & unit.calls):
            raise LiftError(LiftReason.DYNAMIC_NAMES, call)

    def _check_order(self) -> None:
        """Nothing that runs before the function is defined may use it."""
        entry, late = self.entry.key, self._changed_later()
        if self.entry.stands_apart:
            self._check_is_apart(self.entry.function.name)
        before: dict[Piece, None] = {}
        last: dict[Piece, None] = {}
        for link in self.links:
            use = link.use
            if not use.immediate or use.unevaluated:
                continue
            is_last = link.unit is self.entry.unit
            if is_last or (link.piece is self.entry.piece and not self.entry.stands_apart):
                run = last
                self._check_use(link, late, LiftReason.NEEDS_CODE_AFTER)
            elif link.target == entry and use.annotation:
                self.lazy_annotations = True
                continue
            else:
                run = before
                self._check_use(link, {entry}, LiftReason.NEEDED_BEFORE_DEFINED)
            if use.called and isinstance(link.target, Own):
                run.update(dict.fromkeys(self._binders(link.target)))
        self._check_runs(before, {entry}, LiftReason.NEEDED_BEFORE_DEFINED)
        if len(self.resolver.module(entry.module).binders.get(entry.name, ())) > 1:
            # What stood there under this name before would have been meant.
            late.add(entry)
        self._check_runs(last, late, LiftReason.NEEDS_CODE_AFTER)

    def _changed_later(self) -> set[Target]:
        """What statements below the function give another value, before which it ran at first."""
        entry = self.entry.piece
        binders = self.resolver.module(entry.module).binders
        later = (piece for piece in self.units if piece.number > entry.number)
        changed = {
            name
            for piece in later
            if piece.module == entry.module
            for name in piece.binds | {name for name, attribute in piece.effects if not attribute}
        }
        return {
            Own(entry.module, name)
            for name in changed
            if any(piece.number < entry.number for piece in binders.get(name, ()))
        }

    def _check_use(self, link: Link, forbidden: Container[Target], reason: LiftReason) -> None:
        if link.target in forbidden:
            raise LiftError(
                reason, f"line {link.use.line} of {link.piece.module} uses {link.use.name}"
            )

    def _check_is_apart(self, name: str) -> None:
        """Nothing that runs before a method that stands behind its class may call it."""
        for piece in self.units:
            makers = (piece.units[number] for number in self.units[piece])
            made = {
                attribute
                for unit in makers
                if unit.function and unit.function.name in _MAKERS
                for attribute in unit.attributes
            }
            if name in made.union(attributes_at_once(piece.node)):
                detail = f"line {piece.node.lineno} of {piece.module} uses {name}"
                raise LiftError(LiftReason.NEEDED_BEFORE_DEFINED, detail)

    def _check_runs(
        self, run: dict[Piece, None], forbidden: Container[Target], reason: LiftReason
    ) -> None:
        """What runs may not use something, nor may the functions that it calls."""
        waiting, done = list(run), set(run)
        while waiting:
            piece = waiting.pop()
            for link in self.links:
                if link.piece is not piece or link.use.annotation:
                    continue
                self._check_use(link, forbidden, reason)
                if link.use.called and isinstance(link.target, Own):
                    new = [each for each in self._binders(link.target) if each not in done]
                    done.update(new)
                    waiting += new

    def _binders(self, name: Own) -> list[Piece]:
        binders = self.resolver.module(name.module).binders.get(name.name, ())
        return [piece for piece in binders if piece in self.units and piece is not self.entry.piece]


def _is_stub(piece: Piece) -> bool:
    node = piece.node
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_overload(node)


def _check_use(target: Target) -> None:
    if isinstance(target, Builtin) and target.name == "__builtins__":
        raise LiftError(LiftReason.DYNAMIC_NAMES, "__builtins__")
