import ast

import pyarrow as pa
import pytest

from schemas.syntax import SYNTAX
from tests.transforms.builders import large_binary
from tests.transforms.parse.sources import standard_library
from transforms.parse import syntax
from transforms.parse.lexer import lex
from transforms.parse.measures import COUNTS, count_lines, count_statements
from transforms.parse.syntax import measure_syntax

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def counts(text):
    data = text.encode()
    found = pa.array([0] * len(COUNTS), pa.int64()).to_numpy().copy()
    view, tokens = memoryview(data), lex(data)
    buffer = pa.array(view, pa.uint8()).to_numpy()
    count_lines(buffer, 0, len(data), tokens, found)
    count_statements(buffer, 0, tokens, found)
    return dict(zip(COUNTS, found.tolist(), strict=True))


def measure(*texts, wanted=tuple(SYNTAX.names)):
    batch = measure_syntax(large_binary([text.encode() for text in texts]), wanted)
    assert batch.schema == SYNTAX
    return batch.to_pylist()


def slow_docstring_characters(text):
    return sum(
        len(ast.get_source_segment(text, node.body[0].value))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Module, ast.ClassDef, *_FUNCTIONS))
        and ast.get_docstring(node) is not None
        and node.body[0].lineno != getattr(node, "lineno", 0)
    )


def slow_function_counts(text):
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, _FUNCTIONS)]
    trivial = [node for node in nodes if [type(each) for each in node.body] == [ast.Return]]
    return len(nodes), len(trivial)


def test_counts_docstrings_and_functions_of_the_standard_library_as_a_tree_has_them():
    compared = 0
    for name, text in standard_library(step=15).items():
        if measure(text, wanted=("parses",))[0]["parses"] and not _is_unusual(text):
            found = counts(text)
            assert found["docstring_characters"] == slow_docstring_characters(text), name
            assert (found["functions"], found["trivial_functions"]) == slow_function_counts(text)
            compared += 1
    assert compared > 40


def _is_unusual(text):
    """Whether the tree cannot be compared: this Python is older, or a docstring is in parts."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return True
    docstrings = (
        ast.get_source_segment(text, node.body[0])
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, *_FUNCTIONS))
        and ast.get_docstring(node) is not None
    )
    return any(docstring.startswith("(") for docstring in docstrings)


@pytest.mark.parametrize(
    ("text", "code_lines"),
    [
        ("", 0),
        ("# only a comment\n\n", 0),
        ("x = 1\n\n# c\ny = 2  # c\n", 2),
        ("x = [\n\n  1,\n  # c\n]\n", 3),
        ('"""a\n\nb\n"""\n', 3),
        ('x = f"""a\n\nb{\nc}\n""" + 1\n', 4),
        ("x = 1 + \\\n  2; y = 3", 2),
        ("x = '''\r\n\r\na\r\n'''\r\n", 3),
    ],
)
def test_counts_lines_with_code(text, code_lines):
    assert counts(text)["code_lines"] == code_lines


def test_counts_lines_by_keyword_and_not_by_letters():
    text = """\
import os, sys; import re
from a import (
    b,
)
password = "pass"  # pass import print
class A: pass
class B: pass; pass
print(1); print(2)
print "Python 2"
a.print(3)
pprint(4)
"""
    found = counts(text)
    assert found["code_lines"] == 11
    assert (found["import_lines"], found["pass_lines"], found["print_lines"]) == (2, 2, 2)
    [row] = measure(text)
    assert (row["import_line_share"], row["pass_line_share"]) == (2 / 11, 2 / 11)
    assert row["print_line_share"] == 2 / 11
    assert row["parses"] is False


def test_a_docstring_is_the_first_string_of_a_module_class_or_function():
    text = '''\
"""m\u00e9"""
x = """not"""
"""nor this"""
class A:
    r"c" 'd'
    "nor this"
    async def f(self) -> int:
        # comment
        "f"
    if x:
        "nor this"
def g(): return 1
def h():
    b"nor this"
def i():
    "nor this".strip()
'''
    found = counts(text)
    assert found["docstring_characters"] == len('"""m\u00e9"""' + 'r"c"' + "'d'" + '"f"')
    assert found["characters"] == len(text)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("print(1)\nf(a=1)\n", 0),
        ("x = y = 1\nx: int = 1\nx: int\nx += 1\n", 2),
        ("for a, b in c: pass\nasync def f():\n async for a in b: pass\n", 2),
        ("def f(a, b: dict[str, int] = g(1, 2), *c, d=(1, 2), **e) -> T[U, V]: pass\n", 5),
        ("def f(): pass\ndef g[T](self): pass\n", 1),
        ("x[a == b]\nassert a == b\nf(lambda a=1: a)\n", 0),
    ],
)
def test_counts_what_gives_names_to_values(text, variables):
    assert counts(text)["variables"] == variables


def test_a_trivial_function_only_returns():
    text = """\
def a(): return 1
def b():
    return (1,
            2)
def c():
    x = 1
    return x
class D:
    async def e(self):

        return 1
    def f(self):
        return 1; pass
"""
    [row] = measure(text)
    assert row["trivial_function_line_share"] == 3 / 12
    assert row["function_line_share"] == 5 / 12


def test_only_what_is_wanted_is_not_null():
    [row] = measure("x = 1\n", wanted=("docstring_share",))
    assert row == dict.fromkeys(SYNTAX.names) | {"docstring_share": 0.0}
    [row] = measure("x = 1\n", wanted=("parses",))
    assert row == dict.fromkeys(SYNTAX.names) | {"parses": True}


def test_an_empty_text_parses_and_has_shares_of_nothing():
    [row] = measure("")
    assert row == dict.fromkeys(SYNTAX.names, 0) | {"parses": True}


def test_a_text_that_is_too_long_has_nulls():
    text = "x = 1\n" * (syntax.MAX_TEXT_BYTES // 6 + 1)
    long, short = measure(text, "x = 1\n")
    assert set(long.values()) == {None}
    assert short["parses"] is True


def test_refuses_a_column_that_there_is_not():
    with pytest.raises(ValueError, match=r"no columns \['parse'\]; there are parses"):
        measure("", wanted=("parse",))
