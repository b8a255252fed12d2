"""Rules: named expressions over a document's columns that say what is wrong with it.

``line_too_long: max_line_characters > 1000`` rejects a document for ``line_too_long``
where the expression is true. Expressions are a subset of Python's: ``and``, ``or``,
``not``, comparisons (also chained), ``+ - * /``, numbers, strings, ``True`` and
``False``, ``x in ['a', 'b']``, ``x is None`` and the names of columns. They are parsed and
translated to Arrow expressions; nothing is evaluated as Python. An expression that is
null, because a column it needs is null, does not reject.
"""

from __future__ import annotations

import ast
import difflib
import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds

from transforms.syntax_trees import parse_expression

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], pc.Expression]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], pc.Expression]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    # Arrow divides integers as C does, and stops at a zero.
    ast.Div: lambda left, right: pc.divide(left.cast(pa.float64()), right.cast(pa.float64())),
}
_MAX_EXPRESSION_CHARACTERS = 2_000

Mask = npt.NDArray[np.bool_]


class RuleError(ValueError):
    """A rule's expression is not one; the message says where and what is allowed."""


@dataclass(frozen=True)
class Rule:
    """A name for what is wrong, and the expression that finds it."""

    name: str
    expression: str


def check_rule(rule: Rule, schema: pa.Schema) -> None:
    """Raises `RuleError` unless a rule is an expression over a schema that is true or false."""
    first_failing_rule(schema.empty_table(), [rule])


def first_failing_rule(table: pa.Table, rules: Sequence[Rule]) -> pa.StringArray:
    """For each row the name of the first rule that rejects it, null where none does.

    Raises:
      RuleError: an expression is not one, or does not fit the table's columns.
    """
    return first_of(rules, [find_rejected(table, rule) for rule in rules], table.num_rows)


def first_of(rules: Sequence[Rule], rejected: Sequence[Mask], rows: int) -> pa.StringArray:
    """For each row the name of the first rule whose mask is true, null where none is."""
    verdicts = np.full(rows, len(rules), dtype=np.int64)
    for index in reversed(range(len(rules))):
        verdicts[rejected[index]] = index
    names = pa.array([rule.name for rule in rules] + [None], pa.string())
    return names.take(pa.array(verdicts))


def find_rejected(table: pa.Table, rule: Rule) -> Mask:
    """bool[rows]: where a rule is true, whatever other rules say; raises `RuleError`."""
    expression = translate(rule, table.schema.names)
    try:
        found = pds.dataset(table).to_table(columns={"rejected": expression})["rejected"]
    except pa.ArrowException as error:
        raise RuleError(f"rule {rule.name}: {rule.expression}: {error}") from error
    if not pa.types.is_boolean(found.type):
        raise RuleError(
            f"rule {rule.name}: {rule.expression} has type {found.type}, and is not true or false"
        )
    rejected: Mask = found.fill_null(False).to_numpy()
    return rejected


def translate(rule: Rule, columns: Sequence[str]) -> pc.Expression:
    """A rule's text as an Arrow expression over some columns; raises `RuleError`."""
    tree = _parse(rule)
    try:
        return _translate(tree, columns)
    except RuleError as error:
        raise RuleError(f"rule {rule.name}: {error}") from error
    except (ValueError, OverflowError, RecursionError) as error:
        raise _no_expression(rule, error) from error


def wanted_columns(rules: Sequence[Rule], schema: pa.Schema) -> tuple[str, ...]:
    """The columns of a schema that rules name, in its order; raises `RuleError`."""
    nodes = (node for rule in rules for node in ast.walk(_parse(rule)))
    named = {node.id for node in nodes if isinstance(node, ast.Name)}
    return tuple(name for name in schema.names if name in named)


def _parse(rule: Rule) -> ast.expr:
    if len(rule.expression) > _MAX_EXPRESSION_CHARACTERS:
        raise RuleError(f"rule {rule.name} is longer than {_MAX_EXPRESSION_CHARACTERS} characters")
    try:
        return parse_expression(rule.expression.strip())
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise _no_expression(rule, error) from error


def _no_expression(rule: Rule, error: BaseException) -> RuleError:
    return RuleError(f"rule {rule.name}: {rule.expression!r} is no expression: {error}")


def _translate(node: ast.expr, columns: Sequence[str]) -> pc.Expression:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return pc.scalar(value)
        case ast.Name(id=name):
            return _column(name, columns)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return ~_translate(operand, columns)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return pc.scalar(-value)
        case ast.BoolOp(op=operation, values=values):
            join = operator.and_ if isinstance(operation, ast.And) else operator.or_
            return functools.reduce(join, (_translate(value, columns) for value in values))
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _ARITHMETIC:
            compute = _ARITHMETIC[type(operation)]
            return compute(_translate(left, columns), _translate(right, columns))
        case ast.Compare(left=left, ops=operations, comparators=comparators):
            sides = [left, *comparators]
            pairs = zip(sides, operations, sides[1:], strict=False)
            return functools.reduce(operator.and_, (_compare(*pair, columns) for pair in pairs))
    raise RuleError(
        f"{ast.unparse(node)!r} is not allowed: use columns, numbers, strings, "
        "and, or, not, comparisons, in, is None, + - * /"
    )


def _compare(
    left: ast.expr, operation: ast.cmpop, right: ast.expr, columns: Sequence[str]
) -> pc.Expression:
    value = _translate(left, columns)
    match operation, right:
        case ast.Is(), ast.Constant(value=None):
            return value.is_null()
        case ast.IsNot(), ast.Constant(value=None):
            return value.is_valid()
        case ((ast.In() | ast.NotIn()), (ast.List(elts=items) | ast.Tuple(elts=items))):
            if not all(_is_literal(item) for item in items):
                raise RuleError(f"{ast.unparse(right)!r} must hold numbers or strings only")
            # Comparisons carry a null through, which Arrow's own set look-up does not.
            equal = [value == _translate(item, columns) for item in items]
            found = functools.reduce(operator.or_, equal, pc.scalar(False))
            return ~found if isinstance(operation, ast.NotIn) else found
    if type(operation) not in _COMPARISONS:
        raise RuleError(f"{ast.unparse(right)!r} cannot be compared with like this")
    return _COMPARISONS[type(operation)](value, _translate(right, columns))


def _is_literal(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant)


def _column(name: str, columns: Sequence[str]) -> pc.Expression:
    if name not in columns:
        near = difflib.get_close_matches(name, columns, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(columns)}"
        raise RuleError(f"no column {name!r}; {hint}")
    return pc.field(name)
