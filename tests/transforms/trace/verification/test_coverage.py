import textwrap

import pytest

from transforms.trace.verification.coverage import END, LineTrace, lines_and_branches

FILE = "<program>"


def trace(body, *arguments):
    """Lines and branches of a function's body, which starts at line 2: all, and those taken."""
    source = f"def f(*given):\n{textwrap.indent(body, '    ')}\n"
    code = compile(source, FILE, "exec")
    names = {}
    exec(code, names)
    last = source.count("\n")
    with LineTrace(FILE, 2, last) as taken:
        for each in arguments:
            try:
                result = names["f"](each)
                list(result) if hasattr(result, "__next__") else None
            except ZeroDivisionError:
                continue
    lines, branches = lines_and_branches(code, "f", 2, last)
    return lines, branches, taken.lines, taken.branches & branches


IF = "if given[0]:\n    return 1\nreturn 2"
LOOP = "for each in range(given[0]):\n    print(end='')\nreturn 3"
WHILE = "n = given[0]\nwhile n:\n    n -= 1\n    if n == 3:\n        break"
TRY = "try:\n    n = 1 / given[0]\nexcept ZeroDivisionError:\n    return 0\nreturn n"
GENERATOR = "for each in range(given[0]):\n    yield each"


@pytest.mark.parametrize(
    ("body", "arguments", "lines", "branches"),
    [
        (IF, [1], {2, 3}, {(2, 3)}),
        (IF, [0], {2, 4}, {(2, 4)}),
        (IF, [0, 1], {2, 3, 4}, {(2, 3), (2, 4)}),
        (LOOP, [0], {2, 4}, {(2, 4)}),
        (LOOP, [2], {2, 3, 4}, {(2, 3), (2, 4)}),
        (WHILE, [1], {2, 3, 4, 5}, {(3, 4), (3, END), (5, 3)}),
        (WHILE, [9], {2, 3, 4, 5, 6}, {(3, 4), (5, 6), (5, 3)}),
        (GENERATOR, [0], {2}, {(2, END)}),
        (GENERATOR, [2], {2, 3}, {(2, 3), (2, END)}),
    ],
)
def test_lines_and_branches_that_calls_take_are_known(body, arguments, lines, branches):
    *_, taken, chosen = trace(body, *arguments)
    assert taken == lines
    assert chosen <= branches
    missing = branches - chosen
    # What versions of Python make of the end of loops differs in the line alone.
    assert all(line == 3 for line, _ in missing), missing


@pytest.mark.parametrize(
    ("body", "arguments"),
    [(IF, [0, 1]), (LOOP, [0, 2]), (GENERATOR, [2]), (TRY, [0, 1])],
)
def test_all_can_be_covered(body, arguments):
    lines, branches, taken, chosen = trace(body, *arguments)
    assert lines == taken
    assert branches == chosen


def test_an_exception_is_no_way_to_an_end():
    body = "if 1 / given[0]:\n    return 1"
    *_, chosen = trace(body, 0)
    assert chosen == set()


def test_functions_within_are_part_of_the_body():
    body = "def g(n):\n    return n + 1\nreturn g(given[0])"
    lines, _, taken, _ = trace(body, 1)
    assert lines == taken == {2, 3, 4}


def test_other_functions_are_not():
    source = "def g(n):\n    return n\n\n\ndef f(n):\n    return g(n)\n"
    lines, _ = lines_and_branches(compile(source, FILE, "exec"), "f", 6, 6)
    assert lines == {6}
