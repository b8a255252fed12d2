import pickle

import pytest

from transforms.problemsets.problems import (
    CodeTest,
    Problem,
    StreamCase,
    StreamTest,
    ValueCase,
    ValueTest,
    program,
)

VALUES = ValueTest("feed", (ValueCase((2,), (4,)),), is_json=True)


def problem(test, is_continued):
    return Problem("pets/0", "def feed(cats):\n", test, None, is_continued)


def run(code):
    """Names after running code of this file."""
    names = {}
    exec(code, names)
    return names


def test_a_continued_prompt_is_part_of_the_program():
    test = CodeTest("feed", "", has_check=True)
    code = program(problem(test, is_continued=True), "    return 4")
    assert code == "def feed(cats):\n    return 4\n"


@pytest.mark.parametrize(
    "test", [CodeTest("feed", "", has_check=False), StreamTest((StreamCase("", ""),))]
)
def test_a_statement_is_no_part_of_the_program(test):
    assert program(problem(test, is_continued=False), "print(1)") == "print(1)\n"


@pytest.mark.parametrize(
    "completion",
    [
        "def feed(cats):\n    return 2 * cats",
        "class Solution:\n    def feed(self, cats):\n        return 2 * cats",
        "class Solution: pass\ndef feed(cats): return 2 * cats",
    ],
)
def test_a_method_of_a_class_solution_serves_as_the_function(completion):
    names = run(program(problem(VALUES, is_continued=False), completion))
    assert names["feed"](2) == 4


def test_a_program_without_the_function_lacks_it():
    assert "feed" not in run(program(problem(VALUES, is_continued=False), "x = 1"))


def test_problems_travel_to_workers():
    sent = problem(VALUES, is_continued=False)
    assert pickle.loads(pickle.dumps(sent)) == sent
