# ruff: noqa: D102 - what visits nodes is called by ast
"""Bindings: the part of a scan that makes scopes and binds names, in the order of running."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence

from transforms.trace.lifting.conditions import catches_import_faults
from transforms.trace.lifting.scopes import Kind, Scan, Scope, mangle, parameters


class Binder(ast.NodeVisitor, ABC):
    """Walks over statements; what names mean that they read is a subclass's."""

    def __init__(self) -> None:
        self._module = Scope(Kind.MODULE, None, None)
        self._scope = self._module
        self._deferred = False
        self._guarded = 0
        self._steps = 0
        self._found = Scan()

    @abstractmethod
    def _visit_called(self, node: ast.expr) -> None:
        """What is called at once, as decorators are."""

    @abstractmethod
    def _visit_annotation(self, node: ast.expr | None, *, local: bool = False) -> None:
        """What may never be evaluated."""

    def _step(self) -> int:
        """Numbers what happens one after another in the statement."""
        self._steps += 1
        return self._steps

    # Scopes

    def _inside(self, kind: Kind, mangled: str | None, visit: Callable[[], None]) -> None:
        outer, deferred = self._scope, self._deferred
        self._scope = Scope(kind, outer, mangled)
        self._deferred = deferred or kind is Kind.FUNCTION
        visit()
        self._scope, self._deferred = outer, deferred

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self._visit_called(decorator)
        self._visit_all([*node.args.defaults, *node.args.kw_defaults])
        for parameter in parameters(node.args):
            self._visit_annotation(parameter.annotation)
        self._visit_annotation(node.returns)
        self._bind(node.name)
        self._inside(
            Kind.FUNCTION, self._scope.mangled, lambda: self._function_body(node.args, node.body)
        )

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - ast calls it

    def _function_body(self, arguments: ast.arguments, body: Iterable[ast.AST]) -> None:
        for parameter in parameters(arguments):
            self._bind(parameter.arg)
        self._visit_all(body)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_all([*node.args.defaults, *node.args.kw_defaults])
        self._inside(
            Kind.FUNCTION, self._scope.mangled, lambda: self._function_body(node.args, [node.body])
        )

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self._visit_called(decorator)
        self._visit_all([*node.bases, *node.keywords])
        self._bind(node.name)
        self._inside(Kind.CLASS, node.name, lambda: self._visit_all(node.body))

    def _comprehension(self, node: ast.AST, results: Sequence[ast.expr]) -> None:
        generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        self.visit(generators[0].iter)

        def inside() -> None:
            for number, generator in enumerate(generators):
                self.visit(generator.target)
                if number:
                    self.visit(generator.iter)
                self._visit_all(generator.ifs)
            self._visit_all(results)

        self._inside(Kind.COMPREHENSION, self._scope.mangled, inside)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node, [node.elt])

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node, [node.elt])

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node, [node.elt])

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node, [node.key, node.value])

    # Bindings

    def _bind(self, name: str | None, scope: Scope | None = None) -> None:
        if name is None:
            return
        target = scope or self._scope
        name = mangle(name, target.mangled)
        if name in target.globals:
            self._found.set_later.add(name)
        else:
            target.bind(name, self._step())

    def visit_Assign(self, node: ast.Assign) -> None:
        self._visit_all([node.value, *node.targets])

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self._visit_all([node.iter, node.target, *node.body, *node.orelse])

    visit_AsyncFor = visit_For  # noqa: N815 - ast calls it

    def visit_Global(self, node: ast.Global) -> None:
        self._scope.globals.update(mangle(name, self._scope.mangled) for name in node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self._scope.nonlocals.update(mangle(name, self._scope.mangled) for name in node.names)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._visit_all([node.type])
        self._bind(node.name)
        self._visit_all(node.body)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self._visit_all([node.pattern])
        self._bind(node.name)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        self._bind(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._visit_all([*node.keys, *node.patterns])
        self._bind(node.rest)

    def visit_Try(self, node: ast.Try) -> None:
        guards = any(map(catches_import_faults, node.handlers))
        self._guarded += guards
        # What stands in a handler is for where the import fails.
        self._visit_all([*node.body, *node.handlers])
        self._guarded -= guards
        self._visit_all([*node.orelse, *node.finalbody])
