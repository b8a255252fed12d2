"""Checks: recorded calls and their outcomes as the code of a test in HumanEval's format.

One assertion a call, as a person would write it. Python's ``==`` is believed but where it calls
things equal that nobody would: a helper then looks at types as well. It is not asked for by
integers alone, thus ``3.0`` passes for ``3``, as in HumanEval.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from transforms.trace.snapshots import Snapshot
from transforms.trace.verification.answers import Outcome
from transforms.trace.verification.calls import WrittenCall, write_value

_ROUNDED = frozenset(
    {"math", "cmath", "statistics", "pow", "sum", "fsum", "hypot", "sqrt", "exp", "log", "numpy"}
)
"""Names behind which the last digits of floats depend on the machine, or Python's version."""

_EXACT_CALLS = ("datetime:", "pathlib:", "re:", "uuid:", "ipaddress:", "types:SimpleNamespace")
"""Objects that are equal to none of another type."""

_TYPED_TAGS = ("frozenset", "bytearray", "complex", "iterator")
_EQUAL_TYPES = """\
    if type(value) is not type(expected):
        return False
"""
_EQUAL_PARTS = """\
    if isinstance(value, (list, tuple)):
        return len(value) == len(expected) and all(map({name}, value, expected))
    if isinstance(value, dict):
        return value.keys() == expected.keys() and all(
            {name}(value[key], expected[key]) for key in expected
        )
"""
_EQUAL_FLOATS = """\
    if isinstance(value, float):
        return repr(value) == repr(expected)
"""
_NEAR_FLOATS = """\
    if isinstance(value, float):
        is_near = math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-12)
        return is_near or repr(value) == repr(expected)
"""
_EQUAL_ITERATORS = """\
    if hasattr(value, "__next__"):
        value, expected = list(value), list(expected)
"""
_EQUAL_OBJECTS = """\
    if type(value).__eq__ is object.__eq__ and hasattr(value, "__dict__"):
        return value is expected or not callable(value) and {name}(vars(value), vars(expected))
"""
_LAST = """\
    return value == expected
"""


@dataclass(frozen=True)
class Case:
    """A call and what it is to lead to."""

    call: WrittenCall
    outcome: Outcome


class CheckWriter:
    """Writes tests of one program.

    Args:
      program: the parsed prompt and body.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._taken = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)} | {
            getattr(each, "name", "") for each in ast.walk(tree)
        }
        self._is_near = any(map(_is_rounded, ast.walk(tree)))
        self._same = self._free("_same")
        self._value = self._free("value")

    def _free(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        return name

    def write(self, cases: Sequence[Case]) -> str:
        """The code that defines ``check``.

        Raises:
          SnapshotError: an outcome has no expression.
        """
        modules: set[str] = set()
        lines: list[str] = []
        for case in cases:
            modules |= case.call.modules
            lines += self._lines(case, modules)
        helper = self._helper(cases)
        imports = [f"import {name}" for name in sorted(modules)]
        return f"{helper}def check(candidate):\n" + "".join(
            f"    {line}\n" for line in (*imports, *lines)
        )

    def _lines(self, case: Case, modules: set[str]) -> Iterator[str]:
        outcome = case.outcome
        if outcome.raised is not None:
            kind = write_value(outcome.raised)
            modules |= kind.modules
            yield "try:"
            yield f"    candidate({case.call.text()})"
            yield f"except {kind.text}:"
            yield "    pass"
            yield "else:"
            yield f'    raise AssertionError("{kind.text} expected")'
        elif outcome.value is None and outcome.after:
            yield from self._changes(case, modules)
        else:
            yield self._assertion(case, modules)

    def _changes(self, case: Case, modules: set[str]) -> Iterator[str]:
        """A call that is looked at by what it does to its arguments."""
        changed = dict(case.outcome.after)
        texts = [*case.call.arguments, *(text for _, text in case.call.keywords)]
        numbered = {at: f"{self._value}{number or ''}" for number, at in enumerate(sorted(changed))}
        for at, name in numbered.items():
            yield f"{name} = {texts[at]}"
        yield f"candidate({case.call.text(numbered)})"
        for at, name in numbered.items():
            expected = write_value(changed[at])
            modules |= expected.modules
            yield f"assert {self._compared(name, changed[at], expected.text)}"

    def _assertion(self, case: Case, modules: set[str]) -> str:
        outcome = case.outcome
        tree: Any = outcome.value
        text = f"candidate({case.call.text()})"
        if isinstance(tree, dict) and "iterator" in tree:
            tree = tree["iterator"]
            if outcome.is_cut:
                modules.add("itertools")
                text = f"itertools.islice({text}, {len(tree)})"
            text = f"list({text})"
        expected = write_value(tree)
        modules |= expected.modules
        if self._is_near and type(tree) is float:
            modules.add("math")
            return f"assert math.isclose({text}, {expected.text}, rel_tol=1e-9, abs_tol=1e-12)"
        return f"assert {self._compared(text, tree, expected.text)}"

    def _compared(self, text: str, tree: Snapshot, expected: str) -> str:
        if tree is None or isinstance(tree, bool):
            return f"{text} is {expected}"
        if self._needs_helper(tree):
            return f"{self._same}({text}, {expected})"
        return f"{text} == {expected}"

    def _needs_helper(self, tree: Snapshot) -> bool:
        return any(
            _is_typed(each, self._is_near) or (isinstance(each, bool) and each is not tree)
            for each in _nodes(tree)
        )

    def _helper(self, cases: Sequence[Case]) -> str:
        trees = [tree for case in cases for tree in _compared_trees(case.outcome)]
        trees = [tree for tree in trees if self._needs_helper(tree)]
        if not trees:
            return ""
        nodes = [each for tree in trees for each in _nodes(tree)]
        text = json.dumps(trees)
        parts = [
            _EQUAL_ITERATORS if '"iterator": ' in text or '"builtins:' in text else "",
            _EQUAL_TYPES,
            _EQUAL_PARTS,
            (_NEAR_FLOATS if self._is_near else _EQUAL_FLOATS) if _has_floats(nodes) else "",
            _EQUAL_OBJECTS if '"program:' in text else "",
            _LAST,
        ]
        if _NEAR_FLOATS in parts:
            # Not at the top, where the program may mean something else by the name.
            parts.insert(0, "    import math\n\n")
        body = "".join(parts).replace("{name}", self._same)
        return f"def {self._same}(value, expected):\n{body}\n\n"


def _compared_trees(outcome: Outcome) -> Iterator[Snapshot]:
    if outcome.raised is not None:
        return
    if outcome.value is None:
        yield from (tree for _, tree in outcome.after)
    elif isinstance(outcome.value, dict) and "iterator" in outcome.value:
        yield outcome.value["iterator"]
    else:
        yield outcome.value


def _nodes(tree: Any) -> Iterator[Any]:
    """All values in a snapshot, itself first."""
    yield tree
    if isinstance(tree, list):
        for each in tree:
            yield from _nodes(each)
    elif isinstance(tree, dict):
        for content in tree.values():
            yield from _nodes(content)


def _has_floats(nodes: Sequence[Any]) -> bool:
    return any(type(each) is float or (type(each) is dict and "float" in each) for each in nodes)


def _is_typed(node: Any, is_near: bool) -> bool:
    """Whether ``==`` is not enough for a value."""
    if type(node) is float:
        return node.is_integer() or is_near
    if type(node) is not dict or len(node) != 1:
        return False
    ((tag, content),) = node.items()
    if tag == "call" and isinstance(content, list):
        return not str(content[0]).startswith(_EXACT_CALLS)
    if tag == "float":
        return content in ("nan", "-0.0")
    return tag in _TYPED_TAGS


def _is_rounded(node: ast.AST) -> bool:
    match node:
        case ast.BinOp(op=ast.Pow()) | ast.AugAssign(op=ast.Pow()):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
            return name in _ROUNDED
        case ast.ImportFrom(module=module):
            return module in _ROUNDED
    return False
