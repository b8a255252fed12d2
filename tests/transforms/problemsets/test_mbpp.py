import pytest

from tests.transforms.execute.builders import MBPP
from transforms.problemsets.fields import FieldError
from transforms.problemsets.mbpp import mbpp_problem
from transforms.problemsets.problems import CodeTest, Problem


def entry_point(code, *tests):
    return mbpp_problem({**MBPP, "code": code, "test_list": list(tests)}).test.entry_point


def test_reads_a_problem():
    assert mbpp_problem(MBPP) == Problem(
        task_id="7",
        prompt=MBPP["text"],
        test=CodeTest("paws", "\n".join(MBPP["test_list"]) + "\n", has_check=False),
        reference=MBPP["code"],
        is_continued=False,
    )


def test_reads_the_sanitized_form():
    row = {**MBPP, "prompt": MBPP["text"], "test_imports": ["import math", "import re"]}
    del row["text"], row["test_setup_code"]
    problem = mbpp_problem(row)
    assert problem.prompt == MBPP["text"]
    assert problem.test.code.startswith("import math\nimport re\nassert paws(1) == 4\n")


def test_setup_runs_before_the_tests():
    problem = mbpp_problem(
        {**MBPP, "test_setup_code": "cat = 1", "test_list": ["assert paws(cat)"]}
    )
    assert problem.test.code == "cat = 1\nassert paws(cat)\n"


def test_the_entry_point_is_what_the_reference_defines_and_tests_call():
    helpers = "import math\nclass Cat: pass\ndef a(x): return x\ndef b(x): return a(x)\n"
    assert entry_point(helpers, "assert b(math.pi)", "assert set(b(Cat())) == set()") == "b"
    assert entry_point(helpers, "assert a(b(1)) == 1") == "a"
    assert entry_point(helpers, "assert a(b(1)) == 1", "assert b(2)") == "b"
    assert entry_point("double = lambda x: 2 * x", "assert double(1) == 2") == "double"


def test_a_problem_without_tests_is_none():
    assert mbpp_problem({**MBPP, "test_list": []}) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_list": "assert paws(1)"}, "'test_list' must be a list, not text"),
        ({"test_list": [1]}, "'test_list' must be text, not a number"),
        ({"test_list": ["paws(1)"]}, "'test_list' has no assert in its test 1"),
        ({"test_list": ["assert meow(1)"]}, "'test_list' calls no function that 'code' defines"),
        ({"test_list": ["assert paws(1"]}, r"'test_list' is no Python: .* \(line 1\)"),
        ({"code": "def paws(:"}, r"'code' is no Python: .* \(line 1\)"),
        ({"code": "-" * 200_000 + "1"}, "'code' is no Python"),
        ({"code": "x = '\ud800'"}, "'code' has half of a surrogate pair"),
        ({"task_id": None}, "'task_id' must be text, not null"),
        ({"task_id": True}, "'task_id' must be text, not a truth value"),
        ({"text": None}, "no 'prompt'"),
    ],
)
def test_what_is_malformed_says_why(change, message):
    with pytest.raises(FieldError, match=message):
        mbpp_problem({**MBPP, **change})
