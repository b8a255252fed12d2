"""Mutants: other bodies of a function, which its test is to fail.

Those that know nothing of the task, all of which a test has to fail; and copies of the reference
with one small change, of which it is counted how many it fails (DeMillo, Lipton and Sayward,
Hints on test data selection, Computer 11(4), 1978).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transforms.trace.snapshots import Snapshot
from transforms.trace.verification.calls import write_value
from transforms.trace.verification.checks import Case

_OTHER_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OTHER_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}


@dataclass(frozen=True)
class Place:
    """Where the body of a function is in its program."""

    prompt: str
    body: str
    function: ast.FunctionDef | ast.AsyncFunctionDef

    def with_body(self, lines: Sequence[str]) -> str:
        """The program with another body."""
        first = next(line for line in self.body.splitlines() if line.strip())
        indent = first[: len(first) - len(first.lstrip())]
        return self.prompt + "".join(f"{indent}{line}\n" for line in lines)


def find_place(
    prompt: str, body: str, tree: ast.Module, name: str, lines: tuple[int, int]
) -> Place | None:
    """The function of a name around the lines of a body, if there is one."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            is_around = node.lineno <= lines[0] <= lines[1] <= (node.end_lineno or 0)
            if node.name == name and is_around:
                return Place(prompt, body, node)
    return None


def trivial_programs(place: Place, cases: Sequence[Case]) -> list[str]:
    """Programs whose function does nothing, gives an argument back, or what one case expects."""
    bodies = [["pass"], *([f"return {name}"] for name in _parameters(place.function))]
    bodies.append(["return iter([])"])
    seen: set[str] = set()
    for case in cases:
        outcome = case.outcome
        body = _raising(outcome.raised) if outcome.raised is not None else _giving(outcome.value)
        if repr(body) not in seen:
            seen.add(repr(body))
            bodies.append(body)
    return [place.with_body(body) for body in bodies]


def _giving(value: Snapshot) -> list[str]:
    written = write_value(value)
    return [*(f"import {name}" for name in sorted(written.modules)), f"return {written.text}"]


def _raising(kind: Snapshot) -> list[str]:
    written = write_value(kind)
    imports = [f"import {name}" for name in sorted(written.modules)]
    # Not every exception can be made of nothing.
    return [*imports, f"raise {written.text}.__new__({written.text})"]


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    given = function.args
    names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return names + [each.arg for each in (given.vararg, given.kwarg) if each is not None]


def changed_programs(place: Place, most: int) -> list[str]:
    """Programs with one small change in the function's body, spread evenly over all changes."""
    program = (place.prompt + place.body).encode().splitlines(keepends=True)
    changes = list(_changes(place))
    step = max(1.0, len(changes) / most)
    chosen = [changes[int(number * step)] for number in range(min(most, len(changes)))]
    return [_replaced(program, old, new) for old, new in chosen]


def _changes(place: Place) -> Iterator[tuple[ast.expr, str]]:
    body = place.function.body
    if ast.get_docstring(place.function) is not None:
        body = body[1:]
    for statement in body:
        for node in _expressions(statement):
            for changed in _changed(node):
                yield node, ast.unparse(ast.fix_missing_locations(changed))


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    """Expressions but for those in formatted strings, whose places 3.11 does not know."""
    if isinstance(node, ast.JoinedStr):
        return
    if isinstance(node, ast.expr):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _expressions(child)


def _changed(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left=left, ops=[operation, *others], comparators=comparators):
            other = _OTHER_COMPARISONS[type(operation)]()
            yield ast.Compare(left, [other, *others], comparators)
        case ast.BinOp(left=left, op=operation, right=right):
            if type(operation) in _OTHER_OPERATORS:
                yield ast.BinOp(left, _OTHER_OPERATORS[type(operation)](), right)
        case ast.BoolOp(op=ast.And(), values=values):
            yield ast.BoolOp(ast.Or(), values)
        case ast.BoolOp(op=ast.Or(), values=values):
            yield ast.BoolOp(ast.And(), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.IfExp(test=test, body=one, orelse=other):
            yield ast.IfExp(test, other, one)


def _replaced(lines: Sequence[bytes], node: ast.expr, text: str) -> str:
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before = b"".join(lines[:first]) + lines[first][: node.col_offset]
    after = lines[last][node.end_col_offset :] + b"".join(lines[last + 1 :])
    return before.decode() + f"({text})" + after.decode()
