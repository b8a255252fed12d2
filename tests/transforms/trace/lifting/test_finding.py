"""The definition of a function that ran."""

import ast

import pytest

from transforms.trace.lifting.finding import find
from transforms.trace.lifting.results import LiftError

TEXT = """
def f(): return 1
if x:
    @decorated
    # Why.
    def f(): return 2
class C:
    def f(self):
        def g(): return 3
        return [g for g in ()]
    try:
        def h(self): pass
    except Exception:
        def h(self): pass
"""


def line(qualname, line):
    return find(ast.parse(TEXT), qualname, line).node.lineno


def test_a_definition_is_found_by_its_line():
    assert line("f", 2) == 2
    assert line("f", 4) == 6
    assert line("C.h", 14) == 14


def test_the_only_one_of_a_name_is_found_without():
    assert line("C.f", 99) == 8
    assert line("C.f.<locals>.g", 1) == 9


@pytest.mark.parametrize(
    "qualname", ["f", "gone", "C", "C.f.<lambda>", "<lambda>", "", "f.<locals>"]
)
def test_what_is_not_there_is_a_fault(qualname):
    with pytest.raises(LiftError):
        line(qualname, 99)


def test_what_it_stands_in_is_told_from_the_outside_in():
    found = find(ast.parse(TEXT), "C.f.<locals>.g", 9)
    assert [scope.name for scope in found.scopes] == ["C", "f"]
