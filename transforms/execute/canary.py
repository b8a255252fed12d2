"""Canaries: tests that no right program passes, to find those which pass without being right.

Each is the test's own code, in which one assertion is false of whatever is true of a right
program: it expects another value, or the contrary. Nothing else is different, so that a
program which looks at the code finds only what a test might say: one that ends itself,
switches assertions off, returns what is equal to everything or what the test expects passes
some of them.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from typing import Any

from transforms.problemsets.problems import CodeTest
from transforms.syntax_trees import parse_module


def write_canaries(test: CodeTest) -> Iterator[str]:
    """The code of each canary, which is run as the test's own is.

    Changed are assertions that run in any case where all before them hold: the first, the last
    and one between, since a program may know some answers. A test that has none gets one.
    """
    tree = parse_module(test.code)
    body = _body(tree, test)
    found = list(_assertions(body))
    if not found:
        body += parse_module(f"assert {test.entry_point} is None").body
        yield ast.unparse(ast.fix_missing_locations(tree))
        return
    for place in sorted({0, len(found) // 2, len(found) - 1}):
        yield _falsify(test.code, found[place].test)


def _body(tree: ast.Module, test: CodeTest) -> list[ast.stmt]:
    """What runs in any case: the body of the last `check`, or of the code."""
    for statement in reversed(tree.body if test.has_check else []):
        if isinstance(statement, ast.FunctionDef) and statement.name == "check":
            return statement.body
    return tree.body


def _assertions(body: list[ast.stmt]) -> Iterator[ast.Assert]:
    for statement in body:
        if isinstance(statement, ast.Assert):
            yield statement
        elif isinstance(statement, (ast.For, ast.With)):
            yield from _assertions(statement.body)


def _falsify(code: str, condition: ast.expr) -> str:
    """The code with a condition that is false where it was true."""
    expected = _expected(condition)
    if expected is not None:
        value = ast.literal_eval(expected)
        other = _other_value(value)
        if other != value:
            return _replace(code, expected, repr(other))
    return _replace(code, condition, f"not ({ast.get_source_segment(code, condition)})")


def _expected(condition: ast.expr) -> ast.expr | None:
    """The literal that a value is to be equal or near to, if there is one."""
    match condition:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            return next(filter(_is_literal, (right, left)), None)
        case ast.Compare(
            left=ast.Call(
                func=ast.Name("abs"), args=[ast.BinOp(left=left, op=ast.Sub(), right=right)]
            ),
            ops=[ast.Lt() | ast.LtE()],
            comparators=[ast.Constant(value=float() | int() as near)],
        ):
            # The other value is one further away, or more.
            return next(filter(_is_literal, (right, left)), None) if near < 0.5 else None
    return None


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError):
        return False
    return True


def _other_value(value: Any) -> Any:
    """Another value as like a literal's as can be; the same where there is none."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            other = value + max(1.0, abs(value))
            # What is too large to be doubled is far from nothing.
            return other if math.isfinite(other) else 0.0
        case str():
            return f"{value}a"
        case None:
            return 0
        case list() | tuple():
            items = [*value[:-1], _other_value(value[-1])] if value else [0]
            return type(value)(items)
        case set():
            return value ^ {0}
        case dict():
            key, last = list(value.items())[-1] if value else (0, None)
            return {**value, key: _other_value(last)}
    return value


def _replace(code: str, node: ast.expr, text: str) -> str:
    """The code with other text in the place of an expression."""
    # Columns are of bytes, which unlike text have no line ends but those of Python.
    lines = code.encode().splitlines(keepends=True)
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before = b"".join(lines[:first]) + lines[first][: node.col_offset]
    after = lines[last][node.end_col_offset :] + b"".join(lines[last + 1 :])
    return before.decode() + f"({text})" + after.decode()
