import ast
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from transforms.syntax_trees import parse_expression, parse_module

DEEP = "x = " + "[" * 60 + "]" * 60 + "\n"


def test_many_threads_parse_at_once():
    texts = [f"def f{n}(a):\n    return {'a + ' * 20}{n}\n{DEEP}" * 20 for n in range(40)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            trees = list(pool.map(parse_module, texts))
    finally:
        sys.setswitchinterval(interval)
    assert [len(tree.body) for tree in trees] == [40] * 40


def test_expressions_are_parsed_and_nothing_warns():
    assert isinstance(parse_expression("1 is 1"), ast.Compare)
    assert isinstance(parse_module("'\\d'\n").body[0], ast.Expr)
    with pytest.raises(SyntaxError):
        parse_expression("x = 1")
