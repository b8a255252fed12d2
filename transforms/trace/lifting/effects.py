"""Effects: which names of a module a statement of its top level changes without binding them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

_CHANGING_FUNCTIONS = frozenset({"setattr", "delattr", "update_wrapper"})
_QUIET = (ast.Import, ast.ImportFrom, ast.Pass, ast.Global)
_CHANGING_METHODS = frozenset(
    [
        "add",
        "append",
        "appendleft",
        "clear",
        "difference_update",
        "discard",
        "extend",
        "extendleft",
        "insert",
        "intersection_update",
        "pop",
        "popitem",
        "popleft",
        "remove",
        "reverse",
        "rotate",
        "setdefault",
        "sort",
        "subtract",
        "symmetric_difference_update",
        "update",
        "__setitem__",
        "__delitem__",
    ]
)

ANY = "*"
"""An attribute with a name that is not known."""

REGISTERED = "register()"
"""Takes the place of an attribute where an abstract class is told of another class."""

Effect = tuple[str, str | None]
"""Name, and the attribute that is set of it where it is no more than that."""


def effects(node: ast.stmt) -> frozenset[Effect]:
    """What running a statement changes."""
    if isinstance(node, _QUIET):
        return frozenset()
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return frozenset(_of_decorators(node.decorator_list))
    found = {effect for each in _run_at_once(node) for effect in _of_node(each)}
    for each in ast.walk(node):
        # What changes the items of a loop changes what they come from.
        if isinstance(each, ast.For) and {name for name, _ in found} & set(_names(each.target)):
            found |= {(name, None) for name in _names(each.iter)}
    return frozenset(found)


def body_effects(node: ast.stmt) -> frozenset[str]:
    """Names that a call of a function may change, among them its own."""
    found: set[str] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Global):
            found.update(each.names)
        elif isinstance(each, ast.Subscript) and not isinstance(each.ctx, ast.Load):
            found.update(_root(each.value))
        elif (
            isinstance(each, ast.Call)
            and isinstance(each.func, ast.Attribute)
            and each.func.attr in _CHANGING_METHODS
        ):
            found.update(_root(each.func.value))
    return frozenset(found)


def called_names(node: ast.stmt) -> frozenset[str]:
    """Functions that running a statement calls by their names."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        calls = [each.func if isinstance(each, ast.Call) else each for each in node.decorator_list]
    else:
        calls = [each.func for each in _run_at_once(node) if isinstance(each, ast.Call)]
    return frozenset(call.id for call in calls if isinstance(call, ast.Name))


def attributes_at_once(node: ast.stmt) -> Iterator[str]:
    """Attributes that running a statement reads, members of a class among them."""
    waiting: list[ast.AST] = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += [*getattr(here, "decorator_list", ()), *here.args.defaults]
            waiting += [each for each in here.args.kw_defaults if each]
            continue
        if isinstance(here, ast.Attribute):
            yield here.attr
        waiting += ast.iter_child_nodes(here)


def _run_at_once(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those in functions and classes."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(
            child
            for child in ast.iter_child_nodes(here)
            if not isinstance(
                child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
            )
        )


def _of_node(node: ast.AST) -> Iterator[Effect]:
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        yield from ((name, None) for name in _root(node.value))
    elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
        attribute = node.attr if isinstance(node.value, ast.Name) else None
        yield from ((name, attribute) for name in _root(node.value))
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, None
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield from _of_call(node.value)


def _of_call(node: ast.Call) -> Iterator[Effect]:
    function = node.func
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    if isinstance(function, ast.Attribute):
        yield from ((root, None) for root in _root(function.value))
    if name == "register":
        yield from ((each.id, REGISTERED) for each in node.args if isinstance(each, ast.Name))
    if name in _CHANGING_FUNCTIONS:
        attribute: str | None = None
        if name in ("setattr", "delattr") and len(node.args) > 1:
            named = node.args[1]
            attribute = str(named.value) if isinstance(named, ast.Constant) else ANY
        yield from ((each.id, attribute) for each in node.args if isinstance(each, ast.Name))


def _of_decorators(decorators: Iterable[ast.expr]) -> Iterator[Effect]:
    """Registering something with an object, as ``@application.route("/")`` does."""
    for decorator in decorators:
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(function, ast.Attribute):
            yield from ((root, None) for root in _root(function.value))


def _root(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Name):
        yield node.id


def _names(node: ast.expr) -> Iterator[str]:
    """A name, or those that stand for themselves in a tuple or list."""
    items = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    for item in items:
        if isinstance(item, ast.Starred):
            item = item.value
        if isinstance(item, ast.Name):
            yield item.id
