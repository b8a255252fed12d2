"""nox's sessions, read from the syntax of noxfile.py, as recipes."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator
from typing import Any

from transforms.trace.plans.context import Recipe, Step
from transforms.trace.plans.documents import as_list
from transforms.trace.plans.literals import (
    UnknownValue,
    assign,
    called_name,
    keyword_values,
    plain_value,
)
from transforms.trace.plans.repository import Repository
from transforms.trace.plans.versions import interpreter_version

PATH = "noxfile.py"
_MAX_DEPTH = 4
_MAX_STEPS = 200
_RUNS = frozenset(("run", "run_always", "run_install"))
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def nox_sessions(repository: Repository) -> list[Recipe]:
    """All sessions of a noxfile, in its order."""
    tree = repository.python(PATH)
    names: dict[str, Any] = {"__file__": PATH}
    functions: dict[str, _Function] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            assign(statement, names)
        elif isinstance(statement, _Function):
            functions[statement.name] = statement
    found = (_session(function, functions, names) for function in functions.values())
    return [recipe for recipe in found if recipe is not None]


def _session(
    function: _Function, functions: dict[str, _Function], names: dict[str, Any]
) -> Recipe | None:
    decorator = next((d for d in function.decorator_list if _decorates(d)), None)
    if decorator is None or not function.args.args:
        return None
    keywords = keyword_values(decorator, names) if isinstance(decorator, ast.Call) else {}
    name = keywords.get("name")
    steps = list(_steps(function, functions, dict(names), 0))[:_MAX_STEPS]
    versions = (interpreter_version(str(each)) for each in as_list(keywords.get("python")))
    return Recipe(
        path=PATH,
        name=name if isinstance(name, str) else function.name,
        steps=tuple(steps),
        interpreters=tuple(version for version in versions if version),
    )


def _decorates(decorator: ast.expr) -> bool:
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return str(name).endswith("session")


def _steps(
    function: _Function, functions: dict[str, _Function], names: dict[str, Any], depth: int
) -> Iterator[Step]:
    """What a session's calls install and run, in the order of the text, both ways of an ``if``."""
    session = function.args.args[0].arg if function.args.args else ""
    for statement in _in_order(function.body, 0):
        if isinstance(statement, ast.Assign):
            assign(statement, names)
        for call in _calls(statement):
            if isinstance(call.func, ast.Attribute) and _is_of(call.func.value, session):
                yield from _session_call(call, names)
            elif isinstance(call.func, ast.Name) and depth < _MAX_DEPTH:
                called = functions.get(call.func.id)
                if called is not None and any(_is_of(each, session) for each in call.args[:1]):
                    yield from _steps(called, functions, dict(names), depth + 1)


def _in_order(body: list[ast.stmt], depth: int) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if depth < 10 and not isinstance(statement, _Function | ast.ClassDef):
            for field in ("body", "orelse", "finalbody"):
                yield from _in_order(getattr(statement, field, []), depth + 1)


def _calls(statement: ast.stmt) -> Iterator[ast.Call]:
    """The call that a statement is, alone or with its value assigned."""
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Call):
        yield value


def _is_of(node: ast.expr, session: str) -> bool:
    return isinstance(node, ast.Name) and node.id == session


def _session_call(call: ast.Call, names: dict[str, Any]) -> Iterator[Step]:
    method = called_name(call)
    words = list(_words(call, names))
    if method == "install" and words:
        yield Step(f"pip install {shlex.join(words)}", call.lineno)
    elif method in {"chdir", "cd"} and words:
        yield Step(f"cd {shlex.join(words)}", call.lineno)
    elif method == "notify" and words:
        yield Step(f"nox -s {shlex.join(words[:1])}", call.lineno)
    elif method in _RUNS and words:
        variables = keyword_values(call, names).get("env")
        held = variables if isinstance(variables, dict) else {}
        environment = {k: v for k, v in held.items() if isinstance(k, str) and isinstance(v, str)}
        yield Step(shlex.join(words), call.lineno, ".", environment)


def _words(call: ast.Call, names: dict[str, Any]) -> Iterator[str]:
    """Arguments that are known; groups of the project become options that name them."""
    for argument in call.args:
        node = argument.value if isinstance(argument, ast.Starred) else argument
        if isinstance(node, ast.Call) and called_name(node) == "dependency_groups":
            groups = [each.value for each in node.args if isinstance(each, ast.Constant)]
            yield from (f"--group={group}" for group in groups if isinstance(group, str))
            continue
        try:
            value = plain_value(node, names)
        except UnknownValue:
            continue
        yield from (str(each) for each in as_list(value) if isinstance(each, str | int))
