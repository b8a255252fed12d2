"""Scanning: one walk over a statement that finds its scopes and all names in them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence

from transforms.trace.lifting.bindings import Binder
from transforms.trace.lifting.conditions import truth
from transforms.trace.lifting.scopes import (
    NOWHERE,
    InnerImport,
    Kind,
    Origin,
    Reference,
    Scan,
    Scope,
    Use,
    attribute_names,
    mangle,
    place_of,
)
from transforms.trace.lifting.text import parse_expression

ImportedNames = Callable[[ast.Import | ast.ImportFrom], Sequence[tuple[str, Origin]]]
"""What an import statement binds, with where from; its module is absolute."""

Fails = Callable[[ast.Import | ast.ImportFrom], bool]
"""Whether an import statement is known to fail."""


class _Scanner(Binder, ast.NodeVisitor):
    def __init__(
        self,
        imported: ImportedNames,
        is_own: Callable[[str], bool],
        fails: Fails,
        lazy_annotations: bool,
    ) -> None:
        super().__init__()
        self._imported = imported
        self._is_own = is_own
        self._fails = fails
        self._lazy = lazy_annotations
        self._references: list[Reference] = []
        self._inner: list[tuple[Scope, bool, ast.Import | ast.ImportFrom]] = []
        self._annotation = False
        self._unevaluated = False
        self._string_place: int | None = None
        self._string_line = 0
        self._dead = False

    def finish(self) -> Scan:
        found = self._found
        for reference in self._references:
            use = self._resolve(reference)
            if use:
                found.uses.append(use)
        for scope, immediate, node in self._inner:
            found.imports.append(self._inner_import(scope, immediate, node))
        found.bound = frozenset(self._module.bound)
        return found

    def _resolve(self, reference: Reference) -> Use | None:
        scope = reference.scope
        reads = not reference.stores
        is_global, origin = scope.resolve(reference.name, reference.step, reads=reads)
        if not is_global and origin is None:
            return None
        return Use(
            name=reference.name,
            line=reference.line,
            start=reference.place,
            chain=reference.chain,
            stores=reference.stores,
            sets_attribute=reference.sets_attribute,
            immediate=reference.immediate,
            called=reference.called,
            annotation=reference.annotation,
            unevaluated=reference.unevaluated,
            local_names=scope.visible(),
            origin=origin,
        )

    def _inner_import(
        self, scope: Scope, immediate: bool, node: ast.Import | ast.ImportFrom
    ) -> InnerImport:
        names = tuple((name, origin) for name, origin in self._imported(node))
        assigned = frozenset(name for name, _ in names if name in scope.bound)
        uses = tuple(
            Use(name, node.lineno, NOWHERE, (), False, False, immediate, False, False, False,
                scope.visible(), origin)
            for name, origin in names
            if name in assigned
        )  # fmt: skip
        return InnerImport(node, names, assigned, uses)

    # Imports

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        names = self._imported(node)
        if self._guarded > 0 and not self._dead and self._fails(node):
            self._found.failing.append(node)
            for name, _ in names:
                self._bind(name)
            return
        own = [name for name, origin in names if self._is_own(origin.module)]
        for name, origin in names:
            if name not in own:
                spared = self._guarded > 0 or self._dead
                self._found.packages.append((node.lineno, origin.module, spared))
                self._bind(name)
                here = self._scope, name, node.lineno, NOWHERE
                self._references.append(
                    Reference(*here, self._step(), stores=True, immediate=not self._deferred)
                )
        if not own:
            return
        self._inner.append((self._scope, not self._deferred, node))
        for name, origin in names:
            if (
                self._scope.kind is Kind.MODULE
                or len(own) < len(names)
                or (name in self._scope.origins and self._scope.origins[name] != origin)
            ):
                self._bind(name)
            else:
                self._scope.origins[name] = origin

    visit_ImportFrom = visit_Import  # noqa: N815 - ast calls it

    # References

    def _refer(
        self,
        node: ast.Name,
        chain: tuple[tuple[str, int], ...] = (),
        *,
        stores: bool = False,
        sets_attribute: bool = False,
        called: bool = False,
        scope: Scope | None = None,
    ) -> None:
        line, place = node.lineno, place_of(node.lineno, node.col_offset)
        if self._string_place is not None:
            line = self._string_line
            place = self._string_place + node.col_offset if self._string_place >= 0 else NOWHERE
            chain = tuple((name, self._string_place + end) for name, end in chain)
            chain = chain if place >= 0 else ()
        at = scope or self._scope
        if self._dead:
            return
        self._references.append(
            Reference(
                at,
                mangle(node.id, at.mangled),
                line,
                place,
                self._step(),
                chain,
                stores,
                sets_attribute,
                not self._deferred,
                called,
                self._annotation,
                self._unevaluated,
            )
        )

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        scope = self._scope
        while scope.kind is Kind.COMPREHENSION and scope.parent:
            scope = scope.parent
        self._bind(node.target.id, scope)
        self._refer(node.target, stores=True, scope=scope)

    def visit_Name(self, node: ast.Name) -> None:
        stores = not isinstance(node.ctx, ast.Load)
        if stores:
            self._bind(node.id)
        self._refer(node, stores=stores)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._refer(node.target)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._attribute(node, called=False)

    def _attribute(self, node: ast.Attribute, *, called: bool) -> None:
        steps: list[ast.Attribute] = []
        value: ast.expr = node
        while isinstance(value, ast.Attribute):
            steps.append(value)
            line = value.lineno if self._string_place is None else self._string_line
            self._found.attributes.append((line, mangle(value.attr, self._scope.mangled)))
            value = value.value
        if not isinstance(value, ast.Name):
            self.visit(value)
            return
        in_string = self._string_place is not None
        chain = tuple(
            (
                step.attr,
                (step.end_col_offset or 0)
                if in_string
                else place_of(step.end_lineno or 0, step.end_col_offset or 0),
            )
            for step in reversed(steps)
        )
        sets = not isinstance(node.ctx, ast.Load)
        self._refer(value, chain, sets_attribute=sets, called=called)

    def _visit_called(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            self._refer(node, called=True)
        elif isinstance(node, ast.Attribute):
            self._attribute(node, called=True)
        else:
            self.visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        for name in attribute_names(node):
            if name is None:
                self._found.dynamic_lines.append(node.lineno)
            else:
                self._found.attributes.append((node.lineno, name))
        if isinstance(node.func, ast.Name) and not (node.args or node.keywords):
            self._found.calls.append((node.lineno, node.func.id))
        self._visit_called(node.func)
        self._visit_all([*node.args, *node.keywords])

    # Annotations

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._visit_annotation(node.annotation, local=self._scope.kind is Kind.FUNCTION)
        self._visit_all([node.value, node.target])

    def _visit_annotation(self, node: ast.expr | None, *, local: bool = False) -> None:
        if node is None:
            return
        before = self._annotation, self._unevaluated
        self._annotation, self._unevaluated = True, self._lazy or local or before[1]
        self.visit(node)
        self._annotation, self._unevaluated = before

    def visit_Subscript(self, node: ast.Subscript) -> None:
        name = getattr(node.value, "id", getattr(node.value, "attr", ""))
        if self._annotation and name == "Literal":
            self.visit(node.value)
            return
        if isinstance(node.value, ast.Attribute) and node.value.attr == "modules":
            self._found.calls.append((node.lineno, "sys.modules"))
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        """What stands in a branch that is never taken uses nothing."""
        holds = truth(node.test, {})
        self.visit(node.test)
        for branch, dead in ((node.body, holds is False), (node.orelse, holds is True)):
            before, self._dead = self._dead, self._dead or dead
            self._visit_all(branch)
            self._dead = before

    def visit_Constant(self, node: ast.Constant) -> None:
        if not self._annotation or not isinstance(node.value, str) or len(node.value) > 1000:
            return
        if (tree := parse_expression(node.value)) is None:
            return
        width = (node.end_col_offset or 0) - node.col_offset
        plain = node.lineno == node.end_lineno and width == len(node.value.encode()) + 2
        before = self._string_place, self._unevaluated
        is_outer = self._string_place is None
        if is_outer:
            self._string_line = node.lineno
        place = place_of(node.lineno, node.col_offset + 1)
        self._string_place = place if plain and is_outer else NOWHERE
        self._unevaluated = True
        self.visit(tree)
        self._string_place, self._unevaluated = before


def scan(
    statements: Iterable[ast.stmt],
    imported: ImportedNames,
    is_own: Callable[[str], bool],
    fails: Fails,
    *,
    lazy_annotations: bool,
) -> Scan:
    """What some statements of a module use."""
    scanner = _Scanner(imported, is_own, fails, lazy_annotations)
    for statement in statements:
        scanner.visit(statement)
    return scanner.finish()
