"""Lifting: a function out of its repository into a program that needs nothing else of it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Mapping, Sequence

from transforms.trace.lifting.checking import check_program
from transforms.trace.lifting.conditions import is_standard
from transforms.trace.lifting.entries import Located, check_is_last, find_entry
from transforms.trace.lifting.forms import apart
from transforms.trace.lifting.modules import Project, Sources
from transforms.trace.lifting.naming import Names
from transforms.trace.lifting.needs import Annotations, Needs
from transforms.trace.lifting.ordering import in_order_of_imports
from transforms.trace.lifting.pieces import Piece
from transforms.trace.lifting.rendering import Renderer, import_statement
from transforms.trace.lifting.resolution import Foreign, Own, Resolver
from transforms.trace.lifting.results import Lifted, LiftError, LiftReason, Rejected
from transforms.trace.lifting.splitting import Split, split, with_examples

MAX_PROGRAM_BYTES = 60_000
"""Of prompt and body together: some 15,000 tokens, more than models of the kind read."""


def lift(
    sources: Sources,
    function: Located,
    values_need: frozenset[str] = frozenset(),
    allowed_packages: frozenset[str] = frozenset(),
) -> Lifted | Rejected:
    """A function as a standalone program; no code of the repository runs.

    Args:
      sources: of the repository.
      function: which one.
      values_need: "module:qualname" of what values of calls use; what cannot be put into the
        program, because it needs the function itself, is left out of ``own_names``.
      allowed_packages: names of foreign packages that programs may import.
    """
    try:
        return _Lifting(sources.project(allowed_packages), function, values_need).lift()
    except LiftError as error:
        return error.rejected
    except (RecursionError, MemoryError) as error:
        return Rejected(LiftReason.NOT_PARSED, f"nested too deeply: {type(error).__name__}")


_OF_ORDER = frozenset({LiftReason.NEEDED_BEFORE_DEFINED, LiftReason.NEEDS_CODE_AFTER})
_WAYS = tuple(itertools.product((False, True), Annotations))
"""Whether attributes with names that are not known are left aside, and annotations."""


class _Lifting:
    def __init__(self, project: Project, function: Located, values_need: frozenset[str]) -> None:
        self._project = project
        self._resolver = Resolver(project)
        self._entry = find_entry(project, self._resolver, function)
        self._values = [value for value in sorted(values_need) if self._is_own(value)]

    def lift(self) -> Lifted:
        """The function as a program; a method as a function where more can be had that way.

        Raises:
          LiftError: there is none.
        """
        found: Lifted | LiftError
        try:
            found = self._lift()
        except LiftError as error:
            found = error
        is_short = isinstance(found, Lifted) and len(found.own_names) < len(self._values)
        is_late = isinstance(found, LiftError) and found.rejected.reason in _OF_ORDER
        if (is_short or is_late) and (other := apart(self._entry)):
            self._entry = other
            with contextlib.suppress(LiftError):
                again = self._lift()
                if is_late or len(again.own_names) > len(getattr(found, "own_names", ())):
                    found = again
        if isinstance(found, LiftError):
            raise found
        return found

    def _lift(self) -> Lifted:
        """With as many of the values as there can be."""
        check_is_last(self._resolver, self._entry)
        faults = []
        for way in _WAYS:
            try:
                return self._program(way, self._values)
            except LiftError as error:
                faults.append(error)
        for way in _WAYS if self._values else ():
            try:
                return self._one_by_one(way, self._program(way, ()))
            except LiftError as error:
                faults.append(error)
        raise faults[-len(_WAYS) + 1]

    def _one_by_one(self, way: tuple[bool, Annotations], lifted: Lifted) -> Lifted:
        """With those values that can be had."""
        had: list[str] = []
        for name in self._values:
            try:
                lifted = self._program(way, [*had, name])
            except LiftError:
                continue
            had.append(name)
        return lifted

    def _needs(self, way: tuple[bool, Annotations], values: Iterable[str]) -> Needs:
        only_named, annotations = way
        needs = Needs(self._resolver, self._entry, annotations, only_named=only_named)
        found = [self._own(value) for value in values]
        needs.collect([own for own, _ in found], [step for _, steps in found for step in steps])
        return needs

    def _is_own(self, value: str) -> bool:
        try:
            self._own(value)
        except LiftError:
            return False
        return True

    def _own(self, value: str) -> tuple[Own, list[str]]:
        """What a value's name stands for, and attributes of that."""
        module, _, qualname = value.partition(":")
        name, *attributes = qualname.split(".")
        if module not in self._project.sources or "<locals>" in attributes:
            raise LiftError(LiftReason.MISSING_MODULE, value)
        target = self._resolver.resolve(module, name)
        if not isinstance(target, Own):
            raise LiftError(LiftReason.UNKNOWN_NAME, value)
        return target, attributes

    def _program(self, way: tuple[bool, Annotations], values: Sequence[str]) -> Lifted:
        needs, entry = self._needs(way, values), self._entry
        pieces = in_order_of_imports(
            self._project, self._resolver, entry.piece.module, needs.units.keys()
        )
        names = Names(needs, pieces)
        if not entry.stands_apart:
            pieces.remove(entry.piece)
        renderer = Renderer(needs, names)
        parts = with_examples(
            split(renderer, self._resolver.module(entry.piece.module), entry),
            self._project.sources.roots,
            names.all(),
        )
        lazy = needs.lazy_annotations or any(
            self._resolver.module(piece.module).future_annotations for piece in needs.units
        )
        before = self._before(needs, names, renderer, pieces, lazy)
        if entry.is_member:
            before = f"{before}{renderer.piece(entry.piece)}\n\n"
        owns = {value: self._expression(names, value) for value in values}
        lifted = self._lifted(before, parts, needs, names.function, owns)
        program = lifted.prompt + lifted.body
        if len(program.encode()) > MAX_PROGRAM_BYTES:
            raise LiftError(LiftReason.TOO_LARGE, f"{len(program.encode())} bytes")
        check_program(
            program,
            self._project.allowed_packages,
            self._resolver.lost,
            lazy_annotations=lazy,
        )
        return lifted

    def _before(
        self,
        needs: Needs,
        names: Names,
        renderer: Renderer,
        pieces: Sequence[Piece],
        lazy: bool,
    ) -> str:
        """All that stands before the function, or before its class."""
        texts = [(renderer.piece(piece), piece.is_definition) for piece in pieces]
        blocks = _imports(needs.foreign, names)
        if lazy:
            blocks.insert(0, "from __future__ import annotations")
        return _joined("\n\n".join(blocks), [each for each in texts if each[0]])

    def _expression(self, names: Names, value: str) -> str:
        own, attributes = self._own(value)
        return ".".join([names.of(own), *attributes])

    def _lifted(
        self,
        before: str,
        parts: Split,
        needs: Needs,
        function: str,
        own_names: Mapping[str, str],
    ) -> Lifted:
        entry = self._entry
        prompt = f"{before}{parts.head}{parts.docstring_lines}"
        first = prompt.count("\n") + 1
        modules = {self._resolver.module(piece.module).real_name for piece in needs.units}
        return Lifted(
            entry_point=f"{entry.name}.{function}" if entry.is_member else function,
            signature=parts.signature,
            docstring=parts.docstring,
            prompt=prompt,
            prompt_without_docstring=f"{before}{parts.head}",
            body=parts.body,
            uses=tuple(sorted(self._project.sources.path(module) for module in modules)),
            receiver=entry.receives,
            own_names=own_names,
            lines=(first, first + parts.body.count("\n") - 1),
        )


def _imports(foreign: Iterable[Foreign], names: Names) -> list[str]:
    """Import statements, those of the standard library first."""
    plain: dict[bool, set[str]] = {True: set(), False: set()}
    members: dict[bool, dict[str, set[str]]] = {True: {}, False: {}}
    for each in foreign:
        standard = is_standard(each.module)
        name = each.alias if each.alias == "*" else names.of(each)
        statement = import_statement(each, name)
        if each.attribute is None:
            plain[standard].add(statement)
        else:
            what = statement.partition(" import ")[2]
            members[standard].setdefault(each.module, set()).add(what)
    return [
        "\n".join(
            [
                *sorted(plain[standard]),
                *(
                    f"from {module} import {', '.join(sorted(what))}"
                    for module, what in sorted(members[standard].items())
                ),
            ]
        )
        for standard in (True, False)
        if plain[standard] or members[standard]
    ]


def _joined(imports: str, texts: Sequence[tuple[str, bool]]) -> str:
    """Imports and pieces with the lines between them that are usual."""
    result, after_definition = imports, False
    for text, is_definition in texts:
        lines = 2 if is_definition or after_definition else 1 if result == imports else 0
        result = f"{result}{chr(10) * (lines + 1)}{text}" if result else text
        after_definition = is_definition
    return f"{result}\n\n\n" if result else ""
