import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.execute.canary import write_canaries
from transforms.problemsets.problems import CodeTest


def canaries(code, has_check=False):
    return list(write_canaries(CodeTest("f", code, has_check)))


def passes(program, code, has_check=False):
    """Whether a program of this file passes, by a plain exec."""
    names = {}
    exec(program, names)
    try:
        exec(code, names)
        if has_check:
            names["check"](names["f"])
    except AssertionError:
        return False
    return True


CASES = [
    ("def f(x): return 2 * x", "assert f(2) == 4\nassert f(0) == 0"),
    ("def f(x): return 2 * x", "assert 4 == f(2), 'message'"),
    ("def f(x): return x", "assert f(1e300) == 1e300; assert f(-1.0) == -1.0"),
    ("def f(x): return x", "assert f(1e999) == 1e999"),
    (
        "def f(x): return x",
        "assert f('') == ''\nassert f('\u00e9') == '\u00e9'; assert f(b'a') == b'a'",
    ),
    ("def f(x): return x", "assert f(None) == None\nassert f(True) == True"),
    (
        "def f(x): return x",
        "assert f([]) == []\nassert f(()) == ()\nassert f([1, (2,)]) == [1, (2,)]",
    ),
    (
        "def f(x): return x",
        "assert f({}) == {}\nassert f({1: [2]}) == {1: [2]}\nassert f({0}) == {0}",
    ),
    ("def f(x): return x", "assert f({1, 2}) == {1, 2}"),
    ("def f(x): return x", "assert f(3)\nassert not f(0)\nassert f(1) is not None"),
    ("def f(x): return x", "assert(f(3))\nassert[3]==[f(3)]\nassert-1==f(-1)"),
    ("def f(x): return x", "assert (f(3) ==\n        3)\nassert f(1) == \\\n    1"),
    ("def f(x): return x", "assert f({1: 2,\n  3: 4}) == {1: 2,\n  3: 4}, (\n 'no'\n)"),
    ("def f(x): return x", "assert f(1) == 1 and f(2) == 2\nassert f(3) < 4 < f(5)"),
    ("def f(x): return x", "assert abs(f(2) - 2.0) < 1e-6\nassert abs(3 - f(3)) <= 0.001"),
    ("def f(x): return x", "assert abs(f(2) - 2.5) < 50\nassert abs(f(2) - 2) < f(1)"),
    ("def f(x): return x", "for x in range(3):\n    assert f(x) == x"),
    ("def f(x): return x", "if f(0):\n    assert False\nassert f(1) == 1"),
    ("def f(x): return x", "def g(x):\n    assert x == 2\nassert f(1) == 1"),
    ("def f(x): return x", "expected = 1\nassert f(1) == expected"),
    ("def f(x): return x", "try:\n    assert f(1)\nexcept ValueError:\n    pass"),
    ("def f(x): return x", "x = '\x0c'\nassert f('\u2028\x85') == '\u2028\x85'\nassert f(1) == 1"),
    ("def f(x): return x", "assert f(1) == 1\r\nassert f(2) == 2\r\n"),
    (
        "class C:\n  def __init__(self): self.x = 1\nf = C",
        "assert f().x == 1\nassert isinstance(f(), C)",
    ),
    ("def f(x): return x", "f(1)"),
    ("def f(x): return x", ""),
]


@pytest.mark.parametrize(("program", "code"), CASES)
def test_a_right_program_passes_the_test_and_no_canary(program, code):
    assert passes(program, code)
    found = canaries(code)
    assert 1 <= len(found) <= 3
    assert not any(passes(program, each) for each in found)


@pytest.mark.parametrize(("program", "code"), CASES)
def test_a_function_check_has_canaries_like_code(program, code):
    lines = code.splitlines() if "\x0c" not in code else ["assert f(1) == 1"]
    body = "".join(f"    {line}\n" for line in lines or ["pass"])
    check = f"def helper():\n    assert False\ndef check(f):\n{body}\nlast = 1\n"
    assert passes(program, check, has_check=True)
    assert not any(passes(program, each, has_check=True) for each in canaries(check, True))


EQUAL = """
class E:
    def __call__(self, *a): return self
    def __eq__(self, other): return True
    def __sub__(self, other): return self
    __rsub__ = __sub__
    def __abs__(self): return self
    def __lt__(self, other): return True
    __le__ = __lt__
f = E()
"""


@pytest.mark.parametrize(
    "code", ["assert f(2) == 4", "assert abs(f(2) - 4.0) < 1e-6", "f(1)\nassert 4 == f()"]
)
def test_what_is_equal_to_everything_passes_canaries(code):
    assert passes(EQUAL, code)
    assert any(passes(EQUAL, each) for each in canaries(code))


def test_what_the_test_expects_passes_canaries():
    code = "assert f(2) == 4\nassert f(3) == 6\nassert f(0) == 0\nassert f(5) == 10\n"
    found = canaries(code)
    assert found == [
        code.replace("== 4", "== (5)"),
        code.replace("== 0", "== (1)"),
        code.replace("== 10", "== (11)"),
    ]
    for each in found:
        answers = {
            node.test.left.args[0].value: node.test.comparators[0].value
            for node in ast.parse(each).body
        }
        assert passes(f"f = {answers}.get", each)


def test_canaries_have_the_lines_of_the_test():
    code = "# first\n\nassert f(2) == 4  # why\n\n\nassert f(3), f'''\n{f(3)}'''\n# last"
    first, last = canaries(code)
    assert first == "# first\n\nassert f(2) == (5)  # why\n\n\nassert f(3), f'''\n{f(3)}'''\n# last"
    assert (
        last
        == "# first\n\nassert f(2) == 4  # why\n\n\nassert (not (f(3))), f'''\n{f(3)}'''\n# last"
    )


literals = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(literals, st.booleans())
def test_no_value_is_equal_to_that_of_its_canary(value, is_left):
    code = f"assert {value!r} == f()" if is_left else f"assert f() == {value!r}"
    (canary,) = canaries(code)
    names = {"f": lambda: value}
    exec(code, names)
    with pytest.raises(AssertionError):
        exec(canary, names)
