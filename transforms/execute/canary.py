"""Canaries: tests that no program passes, to find those which pass without being right.

Each is the test's own code with one more assertion, which is false of any plain value: that
the first value the test compares is another one, and that there is no function at all. A
program that ends itself, switches assertions off or returns what is equal to everything
passes one of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from transforms.execute.problems import CodeTest


def write_canaries(test: CodeTest) -> Iterator[str]:
    """The code of each canary, which is run as the test's own is."""
    yield _with_assertion(test, f"assert {test.entry_point} is None")
    compared = _compared_value(ast.parse(test.code))
    if compared is not None:
        # Text of this length stands in for a value that nothing is equal to.
        yield _with_assertion(test, f"assert ({compared}) == {test.entry_point!r}")


def _with_assertion(test: CodeTest, assertion: str) -> str:
    """The code with an assertion behind the first one that it makes."""
    tree = ast.parse(test.code)
    added = ast.parse(assertion).body[0]
    for body in _bodies(tree):
        for place, statement in enumerate(body):
            if isinstance(statement, ast.Assert):
                body.insert(place + 1, added)
                return ast.unparse(ast.fix_missing_locations(tree))
    bodies = [
        node.body
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == "check"
    ]
    (bodies[-1] if bodies else tree.body).append(added)
    return ast.unparse(ast.fix_missing_locations(tree))


def _bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            yield body


def _compared_value(tree: ast.AST) -> str | None:
    """What the first assertion of equality compares with what is expected."""
    for node in ast.walk(tree):
        match node:
            case ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq()])):
                return ast.unparse(left)
    return None
