"""Tests that are code run apart from the program that they test."""

import json
import os
import subprocess
import sys

import pytest

from tests.transforms.tiers import comes_true, opened, partner_of, processes_of
from transforms.sandbox.outcomes import Ending

LIMITS = {"cpu_seconds": 0.4, "wall_seconds": 5.0, "output_bytes": 1 << 20}


@pytest.fixture(scope="module")
def box(tier):
    with opened(tier, **LIMITS) as sandbox:
        yield sandbox


def run(box, program, code, *, setup="", check=False):
    """The outcome and the message of a test of the function `f`."""
    test = {"entry_point": "f", "setup": setup, "code": code, "check": check}
    outcome = box.run_test(program, test)
    return outcome, outcome.messages[-1] if outcome.messages else None


def passes(box, program, code, **settings):
    outcome, message = run(box, program, code, **settings)
    assert message in ({"passed": True}, None) or message.keys() & {"of", "ended", "late"}
    return (outcome.ending, message) == (Ending.RETURNED, {"passed": True})


def test_a_right_program_passes(box):
    assert passes(box, "def f(x): return 2 * x", "assert f(2) == 4\nassert f([1]) == [1, 1]")


def test_check_is_called_with_the_function(box):
    code = "def check(candidate):\n    assert candidate(2) == 4\n    assert f(1) == 2"
    assert passes(box, "def f(x): return 2 * x", code, check=True)
    assert not passes(box, "def f(x): return 3 * x", code, check=True)
    assert passes(box, "def f(x): return 3 * x", code, check=False)


def test_a_false_assertion_is_of_the_test_and_has_a_line(box):
    outcome, message = run(box, "def f(x): return x", "x = 1\nassert f(x) == 2, 'not two'")
    assert outcome.ending is Ending.ERROR
    assert outcome.reason == "line 2: AssertionError: not two"
    assert message == {
        "of": "test",
        "exception": "AssertionError",
        "bases": ["Exception", "BaseException", "object"],
        "message": "not two",
        "line": 2,
    }


def test_an_exception_of_the_program_is_of_the_program(box):
    outcome, message = run(box, "def f(x):\n    return 1 / x", "assert f(0) == 0")
    assert (message["of"], message["exception"]) == ("program", "ZeroDivisionError")
    assert outcome.ending is Ending.ERROR


def test_an_exception_of_the_test_is_of_the_test(box):
    _, message = run(box, "def f(x): return x", "assert f(1) == 1\nassert g(2)")
    assert (message["of"], message["exception"], message["line"]) == ("test", "NameError", 2)
    _, message = run(box, "def f(x): return x", "assert f(1) == 1\nf(object())")
    assert (message["of"], message["exception"]) == ("test", "ValueRefusedError")


def test_a_program_that_does_not_load_is_at_fault(box):
    outcome, message = run(box, "\n1 / 0", "assert f(1)")
    assert (message["of"], message["exception"]) == ("program", "ZeroDivisionError")
    assert outcome.reason == "line 2: ZeroDivisionError: division by zero"
    assert run(box, "def f(:", "assert f(1)")[1]["exception"] == "SyntaxError"


@pytest.mark.parametrize("error", ["ValueError", "KeyError", "IndexError", "AssertionError"])
def test_tests_may_expect_exceptions(box, error):
    code = f"try:\n    f(1)\nexcept {error}:\n    pass\nelse:\n    assert False"
    assert passes(box, f"def f(x): raise {error}('no')", code)
    assert passes(box, f"class E({error}): pass\ndef f(x): raise E('no')", code)
    assert not passes(box, "def f(x): raise TypeError('no')", code)
    assert not passes(box, "def f(x): return 1", code)


def test_setup_has_names_for_the_test_and_not_the_function(box):
    setup = "import math\ndef f(x):\n    return 4\ndef twice(x): return 2 * x\n"
    assert passes(box, "def f(x): return 2 * x", "assert f(3) == twice(3)", setup=setup)
    assert not passes(box, "def f(x): return 5", "assert f(2) == 4", setup=setup)


def test_arguments_change_as_the_program_changes_them(box):
    code = "rows, names = [3, 1], {'a': 1}\nassert f(rows, names) is None\n"
    code += "assert rows == [1, 3] and names == {'b': 2}"
    program = "def f(rows, names):\n    rows.sort()\n    names.clear()\n    names['b'] = 2"
    assert passes(box, program, code)


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("def f(): return (n * n for n in range(3))", "assert list(f()) == [0, 1, 4]"),
        ("def f(): return {1: (2, {3})}", "assert f() == {1: (2, {3})}"),
        ("def f(): return 10**5000", "assert f() == 10**5000"),
        ("def f(): return float('nan')", "import math\nassert math.isnan(f())"),
        ("from collections import Counter\nf = Counter", "assert f('aa') == {'a': 2}"),
        ("def f(*a, **b): return a, b", "assert f(1, x=2) == ((1,), {'x': 2})"),
        ("n = 0\ndef f():\n  global n\n  n += 1\n  return n", "assert (f(), f()) == (1, 2)"),
    ],
)
def test_plain_values_cross(box, program, code):
    assert passes(box, program, code)


@pytest.mark.parametrize("value", ["object()", "type('T', (int,), {})(1)", "lambda: 1"])
def test_other_values_raise_in_the_test(box, value):
    _, message = run(box, f"def f(): return {value}", "assert f()")
    assert (message["of"], message["exception"]) == ("program", "TypeError")


def test_what_the_program_prints_is_its_output(box):
    outcome, message = run(box, "def f(): print('printed')", "print('test')\nassert f() is None")
    assert (outcome.output, message) == (b"printed\n", {"passed": True})


def test_a_test_that_loops_forever_is_a_timeout(box):
    outcome, _ = run(box, "def f(): return 1", "while f(): pass")
    assert outcome.ending is Ending.TIMEOUT
    outcome, message = run(box, "def f(): return 1", "f()\nwhile True: pass")
    assert (outcome.ending, message) == (Ending.TIMEOUT, {"late": True})
    assert outcome.reason == "the code of the test did not end"
    assert passes(box, "def f(): return 1", "assert f() == 1")


@pytest.mark.parametrize(
    ("program", "ending"),
    [
        ("def f():\n    while True: pass", Ending.TIMEOUT),
        ("while True: pass", Ending.TIMEOUT),
        ("def f(): print('x' * (2 << 20))", Ending.OUTPUT),
        ("import os\ndef f(): os._exit(3)", Ending.ERROR),
    ],
)
def test_limits_of_the_program_are_its_own(box, program, ending):
    assert run(box, program, "assert f() == 1")[0].ending is ending
    assert passes(box, "def f(): return 1", "assert f() == 1")


def test_a_program_that_never_answers_is_a_timeout(tier):
    with opened(tier, cpu_seconds=0.2, wall_seconds=0.4) as box:
        for program in ("import time\ndef f(): time.sleep(9)", "import time\ntime.sleep(9)"):
            outcome, _ = run(box, program, "assert f() == 1")
            assert outcome.ending is Ending.TIMEOUT
            assert outcome.reason == "not done after 0.4 s of waiting"
        assert passes(box, "def f(): return 1", "assert f() == 1")


@pytest.mark.parametrize(
    "program",
    [
        "import os\nos._exit(0)",
        "import os\ndef f(): os._exit(0)",
        "import os\ndef f(): os.close(3)",
        "import os\nos.close(3)\ndef f(): return 1",
        "import os\ndef f(): os.kill(os.getpid(), 9)",
    ],
)
@pytest.mark.parametrize(
    "code",
    [
        "assert f() == 1",
        "try:\n    f()\nexcept Exception:\n    pass\nassert f() == 1",
        # What catches everything is no test, but what ends itself has not passed it.
        "try:\n    assert f() == 1\nexcept:\n    pass",
    ],
    ids=["plain", "catches errors", "catches all"],
)
def test_a_program_that_ends_amid_a_test_does_not_pass(box, program, code):
    assert not passes(box, program, code)
    assert passes(box, "def f(): return 1", "assert f() == 1")


FRAMES = {
    "passed": {"passed": True},
    "ready": {"ready": True},
    "late": {"late": True},
    "of test": {"of": "test", "exception": "AssertionError", "passed": True},
    "exception of names": {"exception": [], "bases": {}, "line": {}, "message": []},
    "value without one": {"value": {"no tag": 1}},
    "deep value": {"value": eval("[" * 90 + "]" * 90)},
    "list": [],
    "nothing": None,
    "text": "passed",
}
WRITE = """
import os
def write(data): os.write(3, len(data).to_bytes(4, 'big') + data)
"""


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_what_a_program_writes_itself_passes_nothing(box, frame):
    text = json.dumps(frame).encode()
    write = f"[write({text!r}) for _ in range(9)]"
    for program in (
        f"{WRITE}{write}\ndef f(): return 1",
        f"{WRITE}def f():\n    {write}",
        f"{WRITE}{write}\nos._exit(0)",
        f"{WRITE}def f():\n    {write}\n    os._exit(0)",
    ):
        assert not passes(box, program, "assert f() == 2")
    assert passes(box, "def f(): return 1", "assert f() == 1")


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 64,
        b"\0\0\0\x01[",
        b"[" * (1 << 16),
        b"\x00\x00\xff\xff" + b"[" * 0xFFFF,
        b"\0" * 9,
    ],
    ids=["noise", "no JSON", "brackets", "deep", "empty"],
)
def test_bytes_that_are_no_frames_pass_nothing(box, data):
    for program in (
        f"import os\nos.write(3, {data!r})\ndef f(): return 1",
        f"import os\ndef f(): os.write(3, {data!r})",
    ):
        assert not passes(box, program, "assert f() == 2")
    assert passes(box, "def f(): return 1", "assert f() == 1")


def test_tests_have_no_names_of_other_tests(box):
    assert passes(box, "def f(): return 1", "left = 1\nassert f() == 1")
    assert not passes(box, "def f(): return 1", "assert left == 1")


def test_chance_is_the_same_in_every_test(box):
    code = "import random\nassert round(random.random(), 3) == 0.844"
    assert all(passes(box, "def f(): pass", code) for _ in range(2))
    program = "import random\ndef f(): return round(random.random(), 3)"
    assert all(passes(box, program, "assert f() == 0.844") for _ in range(2))


def test_the_next_test_has_a_new_tester_where_one_died(tier):
    with opened(tier, **LIMITS) as box:
        assert passes(box, "def f(): return 1", "assert f() == 1")
        number, folder = partner_of(box)
        os.kill(number, 9)
        assert comes_true(lambda: not processes_of(folder))
        first = run(box, "def f(): return 1", "assert f() == 1")[0]
        assert first.ending in {Ending.RETURNED, Ending.ERROR}
        assert passes(box, "def f(): return 1", "assert f() == 1")
        assert partner_of(box)[0] != number


def test_a_tester_that_dies_amid_a_test_is_no_return(tier):
    with opened(tier, **LIMITS) as box:
        assert passes(box, "def f(): return 1", "assert f() == 1")
        killer = f"import os, time; time.sleep(0.3); os.kill({partner_of(box)[0]}, 9)"
        with subprocess.Popen([sys.executable, "-c", killer]):
            outcome, _ = run(box, "import time\ndef f(): time.sleep(1)", "f()\n" * 3)
        assert outcome.ending is Ending.ERROR, outcome
        assert passes(box, "def f(): return 1", "assert f() == 1")
