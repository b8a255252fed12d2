import pytest

from schemas.verdicts import Verdict
from tests.transforms.execute.builders import APPS, HUMANEVAL, MBPP, PLAIN
from tests.transforms.tiers import SAFE_TIERS, missing, opened
from transforms.execute.judge import Judge
from transforms.problemsets.apps import apps_problem, plain_problem
from transforms.problemsets.humaneval import humaneval_problem
from transforms.problemsets.mbpp import mbpp_problem
from transforms.problemsets.problem_files import read_humaneval
from transforms.problemsets.problems import CodeTest, Problem, ValueCase, ValueTest

LIMITS = {"cpu_seconds": 0.4, "wall_seconds": 10.0, "output_bytes": 1 << 20}
PETS = humaneval_problem(HUMANEVAL)
PAWS = mbpp_problem(MBPP)
DOUBLE = apps_problem(APPS)
ECHO = plain_problem(PLAIN)
CALLED = apps_problem(
    {
        **APPS,
        "input_output": {
            "fn_name": "pair",
            "inputs": [[1, 2], [[], "a"]],
            "outputs": [[[1, 2]], [[[], "a"]]],
        },
    }
)
CLASS = CodeTest("Cat", "cat = Cat(3)\nassert cat.lives == 3\nassert cat.die() == 2\n", False)
CATS = Problem(
    "cats",
    "Write a class of cats.",
    CLASS,
    "class Cat:\n    def __init__(self, lives): self.lives = lives\n"
    "    def die(self): return self.lives - 1\n",
    is_continued=False,
)


@pytest.fixture(scope="module", params=SAFE_TIERS)
def tier(request):
    if reason := missing(request.param):
        pytest.skip(reason)
    return request.param


@pytest.fixture(scope="module")
def judge(tier):
    with opened(tier, **LIMITS) as sandbox:
        yield Judge(sandbox)


def verdict(judge, problem, program):
    """The verdict and the reason."""
    result = judge.judge(problem, program)
    return result.verdict, result.reason


@pytest.mark.parametrize(
    ("problem", "program"),
    [
        (PETS, "    return 2 * cats\n"),
        (PETS, "    return sum([cats] * 2)\n\ndef check(candidate):\n    raise ValueError\n"),
        (PAWS, "def paws(cats): return cats << 2"),
        (PAWS, MBPP["code"]),
        (DOUBLE, "print(2 * int(input()))"),
        (DOUBLE, "import sys\nprint(int(sys.stdin.read()) * 2, end='\\n\\n')"),
        (ECHO, "print(input())"),
        (ECHO, "import sys\nsys.stderr.write('noise')\nprint('meow')"),
        (CALLED, "def pair(a, b): return a, b"),
        (CALLED, "class Solution:\n    def pair(self, a, b): return [a, b]"),
        (CATS, CATS.reference),
        (
            CATS,
            "class Cat:\n    lives = 3\n    def __init__(self, _): pass\n    def die(_): return 2",
        ),
    ],
)
def test_right_programs_pass(judge, tier, problem, program):
    result = judge.judge(problem, program)
    assert (result.verdict, result.reason, result.tier) == (Verdict.PASSED, None, tier.value)
    assert 0 < result.seconds < LIMITS["cpu_seconds"]
    assert result.memory_bytes > 1 << 20


LOOP = "while True: pass\n"


@pytest.mark.parametrize(
    ("problem", "program", "expected", "reason"),
    [
        (PETS, "    return 3 * cats\n", "failed", "assert candidate(2) == 4"),
        (PETS, "    return 2 / 0\n", "error", "ZeroDivisionError: division by zero"),
        (PETS, "    return 2 *\n", "error", "SyntaxError: invalid syntax"),
        (PETS, f"    {LOOP}", "timeout", "more than 0.4 s of CPU time"),
        (PETS, "    return [0] * 10**9\n", "memory", "MemoryError"),
        (PETS, "    print('x' * (2 << 20))\n", "output", "more than 1048576 bytes of output"),
        (PETS, "    import os; os._exit(0)\n", "error", "it ended before its tests did"),
        (PETS, "    import ctypes; ctypes.string_at(1)\n", "killed", "ended by signal SIGSEGV"),
        (PETS, "    return object()\n", "error", "values of type builtins.object are not compared"),
        (PETS, "    return open('/etc/passwd')\n", "error", "Error"),
        (PAWS, "def paws(cats): return 5", "failed", "assert paws(1) == 4"),
        (PAWS, "def paw(cats): return 4 * cats", "error", "no attribute 'paws'"),
        (PAWS, "", "error", "no attribute 'paws'"),
        (DOUBLE, "print(input())", "failed", "run 1: it printed '1\\n'"),
        (DOUBLE, "print(2)", "failed", "run 2: it printed '2\\n'"),
        (DOUBLE, "print(2 * int(input()))\nraise SystemExit(1)", "error", "SystemExit: 1"),
        (DOUBLE, "x = int(input())\nprint(2 * x)\nx / (x - 5)", "error", "ZeroDivisionError"),
        (DOUBLE, LOOP, "timeout", "CPU time"),
        (ECHO, "", "failed", "run 1: it printed ''"),
        (ECHO, "input(); print(input())", "error", "EOFError"),
        (CALLED, "def pair(a, b): return [a]", "failed", "call 1: it returned [1]"),
        (
            CALLED,
            "def pair(a, b): return {a, b} if a else 1",
            "failed",
            "call 1: JSON has no values",
        ),
        (CALLED, "def pair(a, b): return [1, 2]", "failed", "call 2: it returned [1, 2]"),
        (CALLED, "def pair(a, b): return {10**5000: 1}", "failed", "too many digits"),
        (CALLED, "def pair(a, b): return 10**5000", "failed", "a value of type int"),
        (CALLED, "def pair(a): pass", "error", "call 1: TypeError"),
        (CALLED, "pair = 1 / 0", "error", "line 1: ZeroDivisionError"),
        (
            CALLED,
            "def pair(a, b): print('x' * (2 << 20)); return a, b",
            "output",
            "bytes of output",
        ),
        (CALLED, "def pair(a, b): print('x' * (2 << 20)); return a", "output", "bytes of output"),
        (CATS, CATS.reference.replace("- 1", "- 2"), "failed", "assert cat.die() == 2"),
        (CATS, CATS.reference + "1 / 0\n", "error", "line 4: ZeroDivisionError"),
        (CATS, "class Cat: pass", "error", "cat = Cat(3): TypeError: Cat() takes no arguments"),
        (CATS, LOOP, "timeout", "CPU time"),
        (CATS, "raise SystemExit(0)", "error", "SystemExit"),
    ],
)
def test_wrong_programs_have_a_verdict_and_a_reason(judge, problem, program, expected, reason):
    found, said = verdict(judge, problem, program)
    assert found == expected, said
    assert reason in said
    assert verdict(judge, problem, program) == (found, said)


def test_reasons_are_short(judge):
    _, said = verdict(judge, PETS, "    raise ValueError('x' * 5000)\n")
    assert len(said) < 310
    assert said.endswith("x...")


def test_tests_of_classes_run_together_with_their_program(judge):
    assert verdict(judge, CATS, CATS.reference) == (Verdict.PASSED, None)
    assert not judge._apart["cats"]
    assert verdict(judge, PAWS, PAWS.reference) == (Verdict.PASSED, None)
    assert judge._apart["7"]


def test_a_method_is_called_by_the_name_of_its_class(judge):
    values = {
        "task_id": "method",
        "prompt": "class Cat:\n    def __init__(self, lives):\n        self.lives = lives\n\n"
        "    def lose(self, count):\n",
        "entry_point": "Cat.lose",
        "canonical_solution": "        return self.lives - count\n",
        "test": "def check(candidate):\n    assert candidate(Cat(9), 2) == 7\n",
    }
    problem = humaneval_problem(values)
    assert verdict(judge, problem, problem.reference) == (Verdict.PASSED, None)
    assert verdict(judge, problem, "        return self.lives\n")[0] is Verdict.FAILED


def test_without_a_reference_names_decide_where_tests_run(judge):
    code = "def check(candidate):\n    assert Cat(candidate(1)).lives == 2\n"
    together = Problem("no reference", "", CodeTest("f", code, True), None, is_continued=False)
    program = CATS.reference + "def f(x): return 2 * x\n"
    assert verdict(judge, together, program) == (Verdict.PASSED, None)
    assert not judge._apart["no reference"]
    assert verdict(judge, together, program.replace("2 *", "3 *"))[0] is Verdict.FAILED
    code = "import math\ndef check(candidate):\n    assert math.isclose(candidate(1), twice(1))\n"
    prompt = "def twice(x): return 2 * x\ndef f(x):\n"
    apart = Problem("prompt", prompt, CodeTest("f", code, True), None, is_continued=True)
    assert verdict(judge, apart, "    return twice(x)\n") == (Verdict.PASSED, None)
    assert judge._apart["prompt"]


def test_a_reference_that_does_not_pass_leaves_its_tests_apart(judge):
    problem = Problem("broken", "", CodeTest("f", "assert f(1) == 2\n", False), "f = 1", False)
    assert verdict(judge, problem, "def f(x): return 2 * x") == (Verdict.PASSED, None)
    assert judge._apart["broken"]


def test_an_assertion_that_is_not_reached_makes_nobody_a_forger(judge):
    code = "def check(f):\n    for x in []:\n        assert f(x) == 1\n"
    code += "    assert Cat(f(1)).lives == 2\n"
    reference = CATS.reference + "def f(x): return 2 * x\n"
    problem = Problem("loop", "", CodeTest("f", code, True), reference, is_continued=False)
    assert verdict(judge, problem, reference) == (Verdict.PASSED, None)
    assert verdict(judge, problem, reference.replace("2 *", "3 *"))[0] is Verdict.FAILED


def test_any_of_several_values_is_accepted(judge):
    cases = (ValueCase((4,), (2.0, -2.0)), ValueCase((), (1.0,), {"x": 1}))
    problem = Problem("root", "", ValueTest("root", cases, is_json=False), None, False)
    for sign in ("", "-"):
        program = f"def root(x): return {sign}x ** 0.5 if x > 1 else 1.0"
        assert verdict(judge, problem, program) == (Verdict.PASSED, None)
    for program in ("def root(x): return 2", "def root(x): return 2.0", "def root(x): return True"):
        assert verdict(judge, problem, program)[0] is Verdict.FAILED


def test_values_are_those_of_python_where_nothing_says_json(judge):
    cases = (ValueCase(((1, 2), {3: b"a"}), (({1, 2}, {3: b"a"}),)),)
    problem = Problem("types", "", ValueTest("f", cases, is_json=False), None, False)
    assert verdict(judge, problem, "def f(a, b): return set(a), b") == (Verdict.PASSED, None)
    for wrong in ("[set(a), b]", "(set(a), {3: 'a'})", "(frozenset(a), b)", "(list(a), b)"):
        assert verdict(judge, problem, f"def f(a, b): return {wrong}")[0] is Verdict.FAILED


def test_counters_and_other_dictionaries_pass_for_dictionaries(judge):
    code = "def check(candidate):\n    assert candidate('aab') == {'a': 2, 'b': 1}\n"
    problem = Problem("count", "", CodeTest("count", code, True), None, is_continued=False)
    for made in ("Counter(text)", "OrderedDict(Counter(text))", "defaultdict(int, Counter(text))"):
        program = "from collections import Counter, OrderedDict, defaultdict\n"
        program += f"def count(text): return {made}"
        assert verdict(judge, problem, program) == (Verdict.PASSED, None)


def test_references_of_humaneval_pass_and_nothing_does_not(tier):
    problems = read_humaneval().problems.values()
    with opened(tier) as sandbox:
        judge = Judge(sandbox)
        found = {p.task_id: judge.judge(p, p.reference).verdict for p in problems}
        empty = {p.task_id: judge.judge(p, "    pass\n").verdict for p in problems}
    assert len(found) == 164
    assert set(found.values()) == {Verdict.PASSED}, found
    assert set(empty.values()) <= {Verdict.FAILED, Verdict.ERROR}, empty
    assert all(judge._apart.values())


def test_references_of_humaneval_are_no_forgers_where_tests_run_together():
    problems = list(read_humaneval().problems.values())[::8]
    with opened(next(tier for tier in SAFE_TIERS if not missing(tier))) as sandbox:
        judge = Judge(sandbox)
        judge._apart = dict.fromkeys((p.task_id for p in problems), False)
        found = {p.task_id: judge.judge(p, p.reference).verdict for p in problems}
    assert set(found.values()) == {Verdict.PASSED}, found
    assert all(judge._canaries.values())
