"""Lifting: a function out of its repository into a program that needs nothing else of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from transforms.trace.lifting.checking import check_program
from transforms.trace.lifting.conditions import is_standard
from transforms.trace.lifting.entries import Located, find_entry, receives
from transforms.trace.lifting.modules import Project, Sources
from transforms.trace.lifting.naming import Names
from transforms.trace.lifting.needs import Annotations, Needs
from transforms.trace.lifting.ordering import in_order_of_imports
from transforms.trace.lifting.pieces import Piece
from transforms.trace.lifting.rendering import Renderer, import_statement
from transforms.trace.lifting.resolution import Foreign, Own, Resolver
from transforms.trace.lifting.results import Lifted, LiftError, LiftReason, Rejected
from transforms.trace.lifting.splitting import Split, split

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


class _Lifting:
    def __init__(self, project: Project, function: Located, values_need: frozenset[str]) -> None:
        self._project = project
        self._values_need = sorted(values_need)
        self._resolver = Resolver(project)
        self._entry = find_entry(project, self._resolver, function)
        self._only_named = False

    def lift(self) -> Lifted:
        """The function as a program.

        Raises:
          LiftError: there is none.
        """
        faults = []
        for self._only_named in (False, True):
            for way in Annotations:
                try:
                    return self._with(way)
                except LiftError as error:
                    faults.append(error)
        raise faults[1]

    def _with(self, annotations: Annotations) -> Lifted:
        lifted = self._program(self._needs(annotations, ()), ())
        if not self._values_need:
            return lifted
        try:
            needs = self._needs(annotations, self._values_need)
            return self._program(needs, self._values_need)
        except LiftError:
            return self._one_by_one(annotations, lifted)

    def _one_by_one(self, annotations: Annotations, lifted: Lifted) -> Lifted:
        """With those values that can be had."""
        had: list[str] = []
        for name in self._values_need:
            try:
                lifted = self._program(self._needs(annotations, [*had, name]), [*had, name])
            except LiftError:
                continue
            had.append(name)
        return lifted

    def _needs(self, annotations: Annotations, values: Iterable[str]) -> Needs:
        needs = Needs(self._resolver, self._entry, annotations, only_named=self._only_named)
        owns, attributes = [], []
        for value in values:
            own, steps = self._own(value)
            owns.append(own)
            attributes += steps
        needs.collect(owns, attributes)
        return needs

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

    def _program(self, needs: Needs, values: Iterable[str]) -> Lifted:
        entry = self._entry
        pieces = in_order_of_imports(
            self._project, self._resolver, entry.piece.module, needs.units.keys()
        )
        pieces = [piece for piece in pieces if piece is not entry.piece]
        names = Names(needs, [*pieces, entry.piece])
        renderer = Renderer(needs, names)
        parts = split(renderer, self._resolver.module(entry.piece.module), entry)
        lazy = needs.lazy_annotations or any(
            self._resolver.module(piece.module).future_annotations for piece in needs.units
        )
        before = self._before(needs, names, renderer, pieces, lazy)
        if entry.is_method:
            before = f"{before}{renderer.piece(entry.piece)}\n\n"
        owns = {value: self._expression(names, value) for value in values}
        lifted = self._lifted(before, parts, needs, owns)
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
        self, before: str, parts: Split, needs: Needs, own_names: Mapping[str, str]
    ) -> Lifted:
        prompt = f"{before}{parts.head}{parts.docstring_lines}"
        first = prompt.count("\n") + 1
        modules = {self._resolver.module(piece.module).real_name for piece in needs.units}
        return Lifted(
            entry_point=_entry_point(needs),
            signature=parts.signature,
            docstring=parts.docstring,
            prompt=prompt,
            prompt_without_docstring=f"{before}{parts.head}",
            body=parts.body,
            uses=tuple(sorted(self._project.sources.path(module) for module in modules)),
            receiver=receives(self._entry),
            own_names=own_names,
            lines=(first, first + parts.body.count("\n") - 1),
        )


def _entry_point(needs: Needs) -> str:
    entry, name = needs.entry, needs.function_name
    return f"{entry.name}.{name}" if entry.is_method else name


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
