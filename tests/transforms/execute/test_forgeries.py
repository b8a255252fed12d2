"""No program passes that is not right, whatever it does to what judges it."""

import pytest

from schemas.verdicts import Verdict
from tests.transforms.execute.forgeries import FORGERIES, SLOW
from tests.transforms.tiers import SAFE_TIERS, missing, opened
from transforms.execute.judge import Judge
from transforms.problemsets.problems import (
    CodeTest,
    Problem,
    StreamCase,
    StreamTest,
    ValueCase,
    ValueTest,
)

RIGHT = "def double(x): return 2 * x\n"
BOX = "class Box:\n    def __init__(self, held): self.held = held\n"
CHECK = """
def check(candidate):
    assert candidate(2) == 4
    assert candidate(3) == 6, "three"
    assert candidate(0) == 0
    assert candidate(-7) == -14
"""
CASES = ((2, 4), (3, 6), (0, 0), (-7, -14))


def problem(name, test, reference):
    return Problem(name, "Double a number.", test, reference, is_continued=False)


APART = problem("apart", CodeTest("double", CHECK, has_check=True), RIGHT)
ASSERTS = CodeTest("double", "assert double(2) == 4\nassert double(3) == 6\n", has_check=False)
TOGETHER = problem(
    "together",
    CodeTest("double", f"{CHECK}    assert Box(candidate(1)).held == 2\n", has_check=True),
    BOX + RIGHT,
)
VALUES = problem(
    "values",
    ValueTest("double", tuple(ValueCase((x,), (y,)) for x, y in CASES), is_json=False),
    RIGHT,
)
JSON = problem(
    "json", ValueTest("double", tuple(ValueCase((x,), (y,)) for x, y in CASES), is_json=True), RIGHT
)
STREAM = problem(
    "stream",
    StreamTest(tuple(StreamCase(f"{x}\n", f"{y}\n") for x, y in CASES)),
    "print(2 * int(input()))\n",
)
WAYS = {
    "apart": (APART, RIGHT),
    "asserts": (problem("asserts", ASSERTS, RIGHT), RIGHT),
    "together": (TOGETHER, BOX + RIGHT),
    "values": (VALUES, RIGHT),
    "json": (JSON, RIGHT),
    "stream": (STREAM, "print(2 * int(input()))\n"),
}
SKIPPED = (*SLOW, "thread")
"""Of which two runs say little: threads may write before or after others do."""
SIMILAR = ("asserts", "json")
LIMITS = {"cpu_seconds": 0.25, "wall_seconds": 2.0, "memory_bytes": 256 << 20}


@pytest.fixture(scope="module", params=SAFE_TIERS)
def judge(request):
    if reason := missing(request.param):
        pytest.skip(reason)
    with opened(request.param, **LIMITS) as sandbox:
        yield Judge(sandbox)


def forgeries_of(way):
    if way == "apart":
        return FORGERIES
    names = [name for name in FORGERIES if not name.startswith(SLOW)]
    # What is judged like others is tried where that might make a difference.
    return [name for name in names if name.startswith("equal")] if way in SIMILAR else names


@pytest.mark.parametrize("way", WAYS)
def test_right_programs_pass_in_the_way_that_is_meant(judge, way):
    problem, right = WAYS[way]
    assert judge.judge(problem, right).verdict is Verdict.PASSED
    if way in ("apart", "asserts", "together"):
        assert judge._apart[problem.task_id] == (way != "together")


@pytest.mark.parametrize(
    ("way", "name"), [(way, name) for way in WAYS for name in forgeries_of(way)]
)
def test_a_forgery_does_not_pass(judge, way, name):
    before = BOX if way == "together" else ""
    result = judge.judge(WAYS[way][0], before + FORGERIES[name])
    assert result.verdict is not Verdict.PASSED, result
    assert result.reason
    # The other ways have the same server, and no tester.
    problem, right = WAYS["apart" if way in ("apart", "asserts") else "values"]
    assert judge.judge(problem, right).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    "name",
    ["equal", "equal_int", "copied_from_code", "frames_nothing_and_exit", "frames_unless_canary"],
)
def test_what_would_pass_in_one_process_is_known_as_forged(judge, name):
    result = judge.judge(TOGETHER, BOX + FORGERIES[name])
    assert result.verdict is Verdict.FORGED, result
    assert result.reason == "it also passes a test that no program can pass"


@pytest.mark.parametrize("way", [way for way in WAYS if way not in SIMILAR])
def test_two_runs_have_the_same_verdicts(judge, way):
    problem, right = WAYS[way]
    programs = [right, *(FORGERIES[name] for name in FORGERIES if not name.startswith(SKIPPED))]
    first, second = (
        [
            (result.verdict, result.reason)
            for result in (judge.judge(problem, each) for each in programs)
        ]
        for _ in range(2)
    )
    assert first == second


KEEP = """
import gc, os, sys, tempfile, threading
ANSWERS = {1: 2, 2: 4, 3: 6, 0: 0, -7: -14}
for folder in ('.', '..', '/tmp', '/dev/shm', '/var/tmp', '/run', os.path.expanduser('~')):
    try:
        with open(os.path.join(folder, 'answers'), 'w') as file: file.write(repr(ANSWERS))
    except OSError: pass
os.environ['ANSWERS'] = repr(ANSWERS)
sys.modules['answers'] = sys.answers = gc.answers = ANSWERS
"""
FIND = """
import ast, gc, os, sys
def found():
    for folder in ('.', '..', '/tmp', '/dev/shm', '/var/tmp', '/run', os.path.expanduser('~')):
        try:
            with open(os.path.join(folder, 'answers')) as file: return ast.literal_eval(file.read())
        except OSError: pass
    if 'ANSWERS' in os.environ: return ast.literal_eval(os.environ['ANSWERS'])
    for held in (sys.modules.get('answers'), getattr(sys, 'answers', 0), getattr(gc, 'answers', 0)):
        if held: return held
    for each in gc.get_objects():
        if isinstance(each, dict) and each.get(3) == 6: return each
    return {}
def double(x): return found().get(x, -1)
"""


@pytest.mark.parametrize("way", ["apart", "together", "values"])
def test_answers_of_earlier_samples_are_not_to_be_found(judge, way):
    problem, right = WAYS[way]
    before = BOX if way == "together" else ""
    assert judge.judge(problem, right + KEEP).verdict is Verdict.PASSED
    assert judge.judge(problem, before + FIND).verdict is not Verdict.PASSED
    # It does find them where they are.
    assert judge.judge(problem, before + KEEP + FIND).verdict is Verdict.PASSED


@pytest.mark.parametrize("way", ["apart", "together", "values", "json"])
@pytest.mark.parametrize(
    "program",
    [
        "count = 0\ndef double(x):\n    global count\n    count += 1\n    return x + x\n",
        "def first(x):\n    global double\n    double = second\n    return 2 * x\n"
        "def second(x): return x + x\ndouble = first\n",
        "def double(x):\n    print('passed', {'passed': False})\n    return 2 * x\n",
        "import sys\nsys.setrecursionlimit(5000)\ndouble = lambda x: x * 2\n",
        "from functools import lru_cache\n@lru_cache\ndef double(x): return 2 * x\n",
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
        "def double(x): return 2 * x\n",
        "class Solution:\n    def double(self, x): return 2 * x\ndouble = Solution().double\n",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    def double(x): return 2 * x\n",
    ],
)
def test_unusual_programs_that_are_right_pass(judge, way, program):
    problem, _ = WAYS[way]
    before = BOX if way == "together" else ""
    result = judge.judge(problem, before + program)
    assert result.verdict is Verdict.PASSED, result
