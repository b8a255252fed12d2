"""Lifting ends with a program or a reason, whatever a module is like."""

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.trace.lifting.repositories import Place, sources
from transforms.trace.lifting import Lifted, LiftReason, Rejected, lift

NAMES = st.sampled_from(["a", "b", "C", "f", "__g", "__h__", "self", "os", "super", "é"])
EXPRESSIONS = st.recursive(
    NAMES | st.sampled_from(["1", "'s'", "b''", "...", "__class__", "__name__", "super()"]),
    lambda inner: st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("{}({}, *{}, k={})".format, NAMES, inner, inner, inner),
        st.builds("{}.{}".format, NAMES, NAMES),
        st.builds("{}[{}]".format, NAMES, inner),
        st.builds("(lambda {0}={1}: {2})".format, NAMES, inner, inner),
        st.builds("[{} for {} in {} if {}]".format, inner, NAMES, inner, inner),
        st.builds("{{{}: {} for {} in {}}}".format, inner, inner, NAMES, inner),
        st.builds("({} := {})".format, NAMES, inner),
        st.builds("f'{{{}!r}}'".format, NAMES),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("getattr({}, {})".format, inner, inner),
    ),
    max_leaves=4,
)
SIMPLE = st.one_of(
    st.builds("{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("{} += {}".format, NAMES, EXPRESSIONS),
    st.builds("{}: {} = {}".format, NAMES, EXPRESSIONS, EXPRESSIONS),
    st.builds("{}.{} = {}".format, NAMES, NAMES, EXPRESSIONS),
    st.builds("{}; {}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("global {}".format, NAMES),
    st.builds("del {}".format, NAMES),
    st.builds("import {}".format, st.sampled_from(["os", "m", "os.path as a", "n as f"])),
    st.builds("import m.{0} as {1}".format, NAMES, NAMES),
    st.builds("from . import {} as {}".format, NAMES, NAMES),
    st.builds("from .. import {}".format, NAMES),
    st.builds("from m import {0}; {1} = 1".format, NAMES, NAMES),
    st.sampled_from(
        [
            "pass",
            "from os import *",
            "from m import *",
            "'''text\n  more'''",
            "raise",
            "from __future__ import annotations",
            "x = \\\n    1",
            "# comment",
        ]
    ),
)


def _block(lines):
    return "\n".join(f"    {line}" for text in lines for line in text.split("\n")) + "\n    pass"


def _compound(inner):
    blocks = st.lists(inner, min_size=1, max_size=3).map(_block)
    return st.one_of(
        st.builds("def {}({}, k={}):\n{}".format, NAMES, NAMES, EXPRESSIONS, blocks),
        st.builds(
            (
                "def {0}():\n    {1} = 1\n    def {0}():\n        nonlocal {1}\n        yield {1}\n"
                "{2}"
            ).format,
            NAMES,
            NAMES,
            blocks,
        ),
        st.builds(
            ("@{}\ndef {}(self: {}) -> {}:\n{}").format, EXPRESSIONS, NAMES, NAMES, NAMES, blocks
        ),
        st.builds("@property\ndef {}(self):\n{}".format, NAMES, blocks),
        st.builds("async def {}():\n{}".format, NAMES, blocks),
        st.builds("class {}({}):\n{}".format, NAMES, NAMES, blocks),
        st.builds("class {}:\n{}".format, NAMES, blocks),
        st.builds("if {}:\n{}\nelse:\n{}".format, EXPRESSIONS, blocks, blocks),
        st.builds("for {} in {}:\n{}".format, NAMES, EXPRESSIONS, blocks),
        st.builds("try:\n{}\nexcept ImportError as {}:\n{}".format, blocks, NAMES, blocks),
        st.builds("with {} as {}:\n{}".format, EXPRESSIONS, NAMES, blocks),
        st.builds("match {}:\n    case [{}, *_]:\n        pass".format, NAMES, NAMES),
    )


STATEMENTS = st.recursive(SIMPLE, _compound, max_leaves=6)
PRELUDE = "import os\na = b = f = __g = __h__ = self = é = 1\nclass C: pass"
MODULES = st.lists(STATEMENTS, min_size=1, max_size=6).map(
    lambda each: "\n".join([PRELUDE, *each, ""])
)


def places(module, text):
    """All functions of a text."""
    waiting = [("", node) for node in ast.parse(text).body]
    while waiting:
        outer, node = waiting.pop()
        inner = outer
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Place(
                module,
                outer + node.name,
                min([node.lineno, *(each.lineno for each in node.decorator_list)]),
            )
            inner = f"{outer}{node.name}.<locals>."
        elif isinstance(node, ast.ClassDef):
            inner = f"{outer}{node.name}."
        waiting += [(inner, child) for child in ast.iter_child_nodes(node)]


def check(lifted, roots):
    if isinstance(lifted, Rejected):
        assert isinstance(lifted.reason, LiftReason)
        return
    text = lifted.prompt + lifted.body
    compile(text, "program", "exec", dont_inherit=True)
    tree = ast.parse(text)
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert not node.level
            names = [node.module]
        assert {name.partition(".")[0] for name in names}.isdisjoint(
            roots - sys.stdlib_module_names
        )
    last = tree.body[-1]
    owner, _, name = lifted.entry_point.rpartition(".")
    if owner:
        assert (type(last), last.name) == (ast.ClassDef, owner)
        last = last.body[-1]
    assert (type(last), last.name) == (ast.FunctionDef, name)
    assert lifted.prompt_without_docstring == "" or lifted.prompt.startswith(
        lifted.prompt_without_docstring
    )
    first, final = lifted.lines
    assert final == len(text.splitlines())
    assert first == len(lifted.prompt.splitlines()) + 1


@settings(max_examples=150, deadline=None, report_multiple_bugs=False)
@given(MODULES)
def test_any_module_gives_programs_that_compile_or_reasons(text):
    try:
        found = list(places("m", text))
    except SyntaxError:
        return
    repository = sources({"m": text, "n": "from m import *\n" + text})
    for place in found:
        check(lift(repository, place, frozenset({"m:C", "m:a.b", "n:f"})), {"m", "n"})


@pytest.mark.parametrize(
    "name",
    ["textwrap", "dataclasses", "string", "fractions", "heapq", "bisect", "graphlib", "shlex"],
)
def test_modules_of_the_standard_library_give_programs_that_compile_or_reasons(name):
    """As if they were a project's: real code in all its forms."""
    text = Path(
        sys.modules[name].__file__ if name in sys.modules else __import__(name).__file__
    ).read_text()
    repository = sources({f"own_{name}": text})
    lifted = [lift(repository, place) for place in places(f"own_{name}", text)]
    for each in lifted:
        check(each, {f"own_{name}"})
    assert sum(isinstance(each, Lifted) for each in lifted) > len(lifted) // 3


@given(st.text(max_size=200), st.text(max_size=20), st.integers(-1, 10))
def test_text_that_may_be_anything_gives_a_reason(text, qualname, line):
    assert isinstance(lift(sources(text), Place("m", qualname, line)), Lifted | Rejected)
