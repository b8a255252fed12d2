import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.transforms.tiers import comes_true, missing, opened, processes_of, server_of
from transforms.sandbox import process
from transforms.sandbox.client import Sandbox
from transforms.sandbox.limits import Limits
from transforms.sandbox.outcomes import Ending
from transforms.sandbox.process import SandboxError, Surroundings
from transforms.sandbox.values import ValueRefusedError, decode, encode

MB = 1 << 20
LIMITS = {"cpu_seconds": 2.0, "wall_seconds": 30.0, "memory_bytes": 256 * MB}


@pytest.fixture(scope="module")
def box(tier):
    with opened(tier, **LIMITS, output_bytes=16 * MB) as sandbox:
        yield sandbox


def output(outcome):
    assert (outcome.ending, outcome.reason) == (Ending.RETURNED, None), outcome
    return outcome.output


def values(outcome):
    """What calls gave, each as a value or the message in its place."""
    loaded, *answers = outcome.messages
    assert loaded == {}, loaded
    return [decode(each["value"]) if "value" in each else each for each in answers]


def test_an_outcome_says_what_was_used(box, tier):
    outcome = box.run_script("held = [0] * 4_000_000\nsum(held)")
    assert (outcome.tier, outcome.ending, outcome.messages) == (tier, Ending.RETURNED, ({},))
    assert 0 < outcome.seconds < LIMITS["cpu_seconds"]
    assert 32_000_000 < outcome.memory_bytes < LIMITS["memory_bytes"]


def test_a_script_reads_and_prints(box):
    program = "name = input()\nprint(f'hello {name}')\nprint(input(), end='')"
    assert output(box.run_script(program, b"w\xc3\xb6rld\n\xff\n")) == b"hello w\xc3\xb6rld\n\xff"
    assert output(box.run_script("import sys\nprint(len(sys.stdin.read()))")) == b"0\n"


def test_much_is_read_and_printed(box):
    program = "import sys\ndata = sys.stdin.buffer.read()\nsys.stdout.buffer.write(data[::-1])"
    data = os.urandom(4096) * 2048
    assert output(box.run_script(program, data)) == data[::-1]


def test_input_that_nobody_reads_is_no_matter(box):
    assert output(box.run_script("print(1)", b"x" * (8 * MB))) == b"1\n"
    assert output(box.run_script("import os\nos.close(0)\nprint(2)", b"x" * (8 * MB))) == b"2\n"


def test_standard_error_is_part_of_the_output_or_not(box):
    program = "import sys\nprint('a', flush=True)\nprint('b', file=sys.stderr)"
    assert output(box.run_script(program)) == b"a\nb\n"
    assert output(box.run_script(program, with_errors=False)) == b"a\n"


def test_what_is_printed_at_exit_is_part_of_the_output(box):
    program = "import atexit, threading\natexit.register(print, 'end')\n"
    program += "threading.Timer(0.05, print, ['thread']).start()\nprint('begin', end=' ')"
    assert output(box.run_script(program)) == b"begin thread\nend\n"


def test_a_script_is_the_main_module(box):
    program = "import __main__\nx = 3\nif __name__ == '__main__': print(__main__.x)"
    assert output(box.run_script(program)) == b"3\n"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("\n\nraise ValueError('no')", "line 3: ValueError: no"),
        ("def f():\n    return 1 / 0\n\nf()", "line 2: ZeroDivisionError: division by zero"),
        ("import re\nre.compile('(')", "line 2: error: missing ), unterminated"),
        ("def f(): f()\nf()", "line 1: RecursionError: maximum recursion depth exceeded"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("import sys\nsys.exit(3)", "SystemExit: 3"),
        ("import os\nos._exit(3)", "exit status 3"),
        ("raise KeyboardInterrupt", "line 1: KeyboardInterrupt: "),
        ("class E(Exception):\n  def __str__(self): raise E\nraise E", "line 3: E: "),
        ("x = 'a\nb'", "SyntaxError: unterminated string literal"),
        ("no Python!", "SyntaxError: invalid syntax"),
        ("x = 1\0", "null bytes"),
        ("x = '\ud800'", "Error: "),
        ("(" * 10_000, "Error: "),
    ],
)
def test_an_exception_or_exit_status_is_an_error_with_its_line(box, program, reason):
    outcome = box.run_script(program)
    assert outcome.ending is Ending.ERROR, outcome
    assert reason in outcome.reason


@pytest.mark.parametrize("program", ["raise SystemExit", "exit(0)", "import os\nos._exit(0)", ""])
def test_to_exit_without_a_fault_is_to_return(box, program):
    builtin = "import sys\nexit = sys.exit\n"
    assert output(box.run_script(builtin + program)) == b""


def test_a_text_is_read_as_it_is_whatever_encoding_it_names(box):
    program = "# -*- coding: latin-1 -*-\nprint(ascii('\u00e9\u4e2d'))"
    assert output(box.run_script(program)) == b"'\\xe9\\u4e2d'\n"


def test_functions_are_called_one_after_another(box):
    program = "seen = []\ndef f(x, y=2):\n    seen.append(x)\n    return {y: (x, seen)}"
    found = values(box.call_functions(program, [("f", [1], {}), ("f", (2.5,), {"y": "\ud800"})]))
    assert found == [{2: (1, [1])}, {"\ud800": (2.5, [1, 2.5])}]


def test_names_of_the_program_are_those_of_a_module(box):
    program = "print(__name__)\nclass A:\n    def f(self): return 1\nf = A().f"
    outcome = box.call_functions(program, [("f", [], {})])
    assert (values(outcome), outcome.output) == ([1], b"program\n")


def test_large_values_go_there_and_back(box):
    words = [f"word {number}" for number in range(100_000)]
    (found,) = values(box.call_functions("def f(x): return x[::-1]", [("f", [words], {})]))
    assert found == words[::-1]


def test_many_calls_are_answered(box):
    calls = [("f", [number, "x" * 1000], {}) for number in range(2000)]
    assert values(box.call_functions("def f(x, _): return x + 1", calls)) == list(range(1, 2001))


def test_exceptions_of_calls_are_answers_and_end_nothing(box):
    program = "def f(x):\n    return 1 // x"
    outcome = box.call_functions(program, [("f", [0], {}), ("g", [], {}), ("f", [1], {})])
    divided, missing_name, last = values(outcome)
    assert (divided["exception"], divided["line"]) == ("ZeroDivisionError", 2)
    assert "ArithmeticError" in divided["bases"]
    assert missing_name["exception"] == "AttributeError"
    assert last == 1
    assert outcome.ending is Ending.RETURNED


@pytest.mark.parametrize("value", ["object()", "lambda: 1", "type('T', (str,), {})('a')", "[x]"])
def test_values_that_are_not_plain_are_refused_by_name(box, value):
    program = f"x = []\nx.append(x)\ndef f(): return {value}"
    (found,) = values(box.call_functions(program, [("f", [], {})]))
    assert found.keys() == {"refused"}


def test_arguments_come_back_as_the_call_left_them(box):
    program = "def f(rows, row):\n    rows.append(row.pop())\n    rows = None"
    outcome = box.call_functions(program, [("f", [[1], [2, 3]], {})])
    assert decode(outcome.messages[1]["arguments"]) == [[1, 3], [2]]


def test_only_plain_arguments_are_given(box):
    with pytest.raises(ValueRefusedError):
        box.call_functions("def f(x): pass", [("f", [object()], {})])
    assert values(box.call_functions("def f(x): return x", [("f", [1], {})])) == [1]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("x = 1\n1 / 0", "line 2: ZeroDivisionError: division by zero"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("import os; os._exit(4)", "exit status 4"),
    ],
)
def test_a_program_that_does_not_load_answers_no_calls(box, program, reason):
    outcome = box.call_functions(program, [("f", [], {})])
    assert outcome.ending is Ending.ERROR
    assert reason in outcome.reason
    assert len(outcome.messages) <= 1


def test_a_program_that_ends_amid_its_calls_answers_those_before(box):
    program = "import os\ndef f(x):\n    return x if x else os._exit(0)"
    outcome = box.call_functions(program, [("f", [x], {}) for x in (1, 0, 1)])
    assert values(outcome) == [1]


@pytest.mark.parametrize(
    "data",
    [b"\xff" * 100, b"\0\0\0\x02{}" * 50, b"\0\0\0\x01[", b"\0\0\0\x14" + b'{"exception": [{}]} '],
    ids=["noise", "messages", "no JSON", "names"],
)
def test_what_a_program_writes_itself_is_no_trouble(box, data):
    program = f"import os\nos.write(3, {data!r})\ndef f(): return 1"
    for outcome in (box.run_script(program), box.call_functions(program, [("f", [], {})])):
        assert outcome.ending in {Ending.RETURNED, Ending.ERROR}
    assert values(box.call_functions("def f(): return 1", [("f", [], {})])) == [1]


def test_nothing_of_a_run_is_there_in_the_next(box):
    program = """
import os, random, sys, json
before = sorted(os.listdir('.')), 'left' in sys.modules, hasattr(json, 'left'), random.random()
before += len(os.listdir(os.environ['HOME'])), os.environ.get('LEFT'), os.umask(0o77), os.getcwd()
print(before)
sys.modules['left'] = json.left = sys
random.seed(7)
os.environ['LEFT'] = 'left'
os.makedirs('a/b/c')
open('a/b/c/file', 'w').write('left')
open('.hidden', 'w').close()
os.symlink('/', 'a/link')
os.mkdir('closed', 0o000)
os.chdir('a')
"""
    first, second = output(box.run_script(program)), output(box.run_script(program))
    assert first == second
    assert first.startswith(b"([], False, False, 0.844")


def test_chance_and_the_order_of_sets_are_the_same_in_every_server(tier, box):
    program = "import random\nprint(random.random(), {'a', 'b', 'c', 'd', 'e'}, hash('a'))"
    with opened(tier) as other:
        assert output(other.run_script(program)) == output(box.run_script(program))


def test_the_next_run_has_a_new_server_where_one_died(tier):
    with opened(tier) as box:
        number, folder = server_of(box)
        os.kill(number, 9)

        def is_served_by_another() -> bool:
            assert output(box.run_script("print(1)")) == b"1\n"
            return server_of(box)[0] != number

        # One whose end is under way may still serve.
        assert comes_true(is_served_by_another)
        assert comes_true(lambda: not processes_of(folder))
        assert not folder.exists()


def test_a_run_whose_server_dies_is_run_once_more(tier):
    with opened(tier) as box:
        number, _ = server_of(box)
        killer = f"import os, time; time.sleep(0.3); os.kill({number}, 9)"
        with subprocess.Popen([sys.executable, "-c", killer]):
            outcome = box.run_script("import time\nprint(1, flush=True)\ntime.sleep(1)")
        assert outcome.ending is Ending.RETURNED
        assert outcome.output == b"1\n"
        assert server_of(box)[0] != number


def test_no_process_and_no_folder_is_left_at_the_end(tier):
    with opened(tier) as box:
        box.run_script("open('file', 'w').close()")
        run_test(box)
        folders = [Path(each._folder) for each in (box._server, box._tester)]
        assert all(processes_of(folder) for folder in folders)
    assert not any(processes_of(folder) for folder in folders)
    assert not any(folder.exists() for folder in folders)


def run_test(box):
    test = {"entry_point": "f", "setup": "", "code": "assert f(1) == 1", "check": False}
    return box.run_test("def f(x): return x", test)


OWNER = """
import sys
from transforms.sandbox.client import Sandbox
from transforms.sandbox.limits import Limits, Tier
with Sandbox(Tier(sys.argv[1]), Limits(forks=True)) as box:
    test = {"entry_point": "f", "setup": "", "code": "f()", "check": False}
    box.run_test("def f(): pass", test)
    print(box._server._folder, box._tester._folder, flush=True)
    box.run_script('''
import os, time
open('file', 'w').close()
if os.fork() == 0:
    os.setsid()
    os.fork()
time.sleep(19)
''')
"""


def test_nothing_is_left_of_a_sandbox_whose_owner_is_killed(tier):
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, tier.value],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    ) as owner:
        folders = [Path(each) for each in owner.stdout.readline().decode().split()]
        assert comes_true(lambda: len(processes_of(folders[0])) >= 4)
        owner.kill()
    for folder in folders:
        assert comes_true(lambda folder=folder: not processes_of(folder)), folder
        assert comes_true(lambda folder=folder: not folder.exists()), folder


def test_sandboxes_side_by_side_are_independent(tier, box):
    with opened(tier, cpu_seconds=0.2) as other:
        assert other.run_script("while True: pass").ending is Ending.TIMEOUT
        assert output(box.run_script("open('x', 'w')\nprint(1)")) == b"1\n"
        assert output(other.run_script("import os\nprint(os.listdir('.'))")) == b"[]\n"
        assert server_of(box)[1] != server_of(other)[1]
    assert output(box.run_script("print(2)")) == b"2\n"


def test_modules_are_there_before_the_first_program(tier):
    if reason := missing(tier):
        pytest.skip(reason)
    with Sandbox(tier, Limits(), preload=["fractions", "no_such_module", "numpy"]) as box:
        program = "import sys\nprint('fractions' in sys.modules, 'numpy' in sys.modules)"
        assert output(box.run_script(program)) == b"True False\n"


def test_a_tier_that_cannot_be_had_says_why(tier, monkeypatch):
    monkeypatch.setattr(process, "START_CODE", "raise OSError('no {role} here')")
    with pytest.raises(SandboxError, match="no server here"), Sandbox(tier):
        pass
    monkeypatch.setattr(process, "START_CODE", "'{role}'")
    with pytest.raises(SandboxError, match="it ended at once"), Sandbox(tier):
        pass


def test_values_in_messages_are_those_of_the_encoder(box):
    outcome = box.call_functions("def f(): return (1, {2.5})", [("f", [], {})])
    assert outcome.messages[1]["value"] == encode((1, {2.5}))


def test_packages_are_not_there_to_be_imported(box):
    program = """
import sys
print(sum("-packages" in path for path in sys.path), sys.argv, sys.orig_argv)
try:
    import numpy
except ModuleNotFoundError:
    print("none")
"""
    assert box.run_script(program).output == b"0 [''] ['']\nnone\n"


def test_what_programs_should_not_depend_on_can_be_chosen(tier):
    source = "import os, time; print(hash('a'), time.tzname, os.environ['LC_ALL'])"
    chosen = [
        Surroundings(),
        Surroundings(1, {"TZ": "ABC+3", "LC_ALL": "C"}),
        Surroundings(2, {"TZ": "ABC+3", "LC_ALL": "C"}),
    ]
    outputs = []
    for surroundings in chosen:
        with Sandbox(tier, surroundings=surroundings) as sandbox:
            outputs.append(sandbox.run_script(source, with_errors=False).output.decode())
    assert outputs[0] == ""
    assert all("('ABC', 'ABC') C" in output for output in outputs[1:])
    assert outputs[1] != outputs[2]
