"""Programs that lie to the judge, in what they say and in what they return."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from schemas.verdicts import Verdict
from tests.transforms.tiers import opened
from transforms.execute.judge import Judge
from transforms.problemsets.problems import CodeTest, Problem, ValueCase, ValueTest
from transforms.sandbox.limits import Tier
from transforms.sandbox.values import ValueFormatError, decode

PROMPT = "def paws(cats):\n"
REFERENCE = "    return 4 * cats\n"
CHECK = "def check(candidate):\n    assert candidate(2) == 8\n"
NEEDS_OBJECTS = """
class Cat:
    paws = 4
def check(candidate):
    assert candidate(Cat()) == 4
"""
TELLS_CANARIES = """    return 0
import os, sys
def below(code):
    yield code
    for each in code.co_consts:
        if hasattr(each, "co_code"):
            yield from below(each)
checks = [code for code in below(sys._getframe().f_code) if code.co_name == "check"]
if not any("paws" in (*code.co_consts, *code.co_names) for code in checks):
    os.write(3, b"\\0\\0\\0\\2{}")
os._exit(0)
"""


def says(*messages: object) -> str:
    """A completion that writes messages to the channel, unasked, and ends itself."""
    data = [json.dumps(each).encode() for each in messages]
    framed = b"".join(len(each).to_bytes(4, "big") + each for each in data)
    return f"    return 0\nimport os\nos.write(3, {framed!r})\nos._exit(0)\n"


def problem(test: CodeTest | ValueTest, reference: str | None = None) -> Problem:
    return Problem("pets/0", PROMPT, test, reference, is_continued=True)


CODE = problem(CodeTest("paws", CHECK, has_check=True), REFERENCE)
VALUES = problem(ValueTest("paws", (ValueCase((2,), (8,)),), is_json=False), REFERENCE)


@pytest.fixture(scope="module", params=["A", "B"])
def judge(request: pytest.FixtureRequest) -> Iterator[Judge]:
    with opened(Tier(request.param), wall_seconds=5) as sandbox:
        yield Judge(sandbox)


def test_a_program_cannot_say_that_it_passed(judge: Judge) -> None:
    assert judge.judge(CODE, says({"passed": True})).verdict is Verdict.ERROR


def test_a_program_cannot_say_that_its_test_is_late_or_has_failed(judge: Judge) -> None:
    failed = {"of": "test", "exception": "AssertionError", "bases": [], "message": ""}
    assert judge.judge(CODE, says({"late": True})).verdict is Verdict.ERROR
    assert judge.judge(CODE, says(failed)).verdict is Verdict.ERROR


def test_the_end_of_an_iterator_raised_by_a_program_ends_no_loop_of_the_test(judge: Judge) -> None:
    code = "def check(candidate):\n    assert all(map(lambda n: candidate(n) == 4 * n, [1, 2]))\n"
    loop = problem(CodeTest("paws", code, has_check=True))
    assert judge.judge(loop, "    raise StopIteration\n").verdict is not Verdict.PASSED


def test_a_program_that_tells_canaries_from_tests_does_not_pass(judge: Judge) -> None:
    together = CodeTest("paws", NEEDS_OBJECTS, has_check=True)
    cats = Problem("pets/1", PROMPT, together, "    return cats.paws\n", is_continued=True)
    assert judge.judge(cats, "    return cats.paws\n").verdict is Verdict.PASSED
    assert judge.judge(cats, TELLS_CANARIES).verdict is not Verdict.PASSED


@pytest.mark.parametrize("asked", [CODE, VALUES], ids=["code", "values"])
@pytest.mark.parametrize(
    "message",
    [
        {"exception": []},
        {"exception": {}, "bases": [[]]},
        {"of": "test", "exception": "AssertionError", "bases": None},
        {"exception": "OSError", "number": 1e999},
        {"exception": None, "message": {"": []}, "line": -1},
        {"refused": [], "value": {"set": [[]]}},
        [],
        None,
    ],
    ids=str,
)
def test_reports_of_any_shape_are_errors_of_the_program(
    judge: Judge, asked: Problem, message: object
) -> None:
    for messages in ([message], [{}, message]):
        assert judge.judge(asked, says(*messages)).verdict in {Verdict.ERROR, Verdict.FAILED}


def test_reasons_are_text_that_can_be_stored(judge: Judge) -> None:
    reason = judge.judge(CODE, "    raise ValueError('\\ud800')\n").reason
    assert reason is not None
    reason.encode()


def test_values_whose_hashes_are_the_same_are_refused() -> None:
    modulus = (1 << 61) - 1
    same = [modulus * each for each in range(1, 20_000)]
    for data in ({"set": same}, {"dict": [[each, 0] for each in same]}):
        with pytest.raises(ValueFormatError):
            decode(data)


def test_fractions_that_take_long_to_reduce_are_refused() -> None:
    numbers = [hex(3**60_000), hex(5**60_000)]
    with pytest.raises(ValueFormatError):
        decode({"fraction": numbers})
