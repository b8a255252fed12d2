import json
import math

import pytest

from tests.transforms.execute.builders import APPS, PLAIN
from transforms.problemsets.apps import apps_problem, plain_problem
from transforms.problemsets.fields import FieldError
from transforms.problemsets.problems import Problem, StreamCase, StreamTest, ValueCase, ValueTest


def read_tests(tests):
    return apps_problem({**APPS, "input_output": json.dumps(tests)}).test


def calls(inputs, outputs):
    return read_tests({"fn_name": "feed", "inputs": inputs, "outputs": outputs}).cases


def test_reads_a_problem_of_streams():
    assert apps_problem(APPS) == Problem(
        task_id="12",
        prompt=APPS["question"],
        test=StreamTest((StreamCase("1\n", "2\n"), StreamCase("5\n", "10\n"))),
        reference="print(2 * int(input()))\n",
        is_continued=False,
    )


def test_fields_may_be_decoded_already():
    decoded = {name: json.loads(APPS[name]) for name in ("solutions", "input_output")}
    assert apps_problem({**APPS, **decoded}) == apps_problem(APPS)


def test_streams_may_be_lists_of_lines():
    tests = {"inputs": [["1", "2"]], "outputs": [["3", ""]]}
    assert read_tests(tests) == StreamTest((StreamCase("1\n2", "3\n"),))


def test_reads_a_problem_of_calls():
    tests = {"fn_name": "feed", "inputs": [[1, "a"], [[2]]], "outputs": [3, "b"]}
    cases = (ValueCase((1, "a"), (3,)), ValueCase(([2],), ("b",)))
    assert read_tests(tests) == ValueTest("feed", cases, is_json=True)


def test_an_output_in_a_list_of_one_may_be_the_list_or_what_is_in_it():
    accepted = [case.accepted for case in calls([[1]] * 4, [[3], [[3]], [3, 4], []])]
    assert accepted == [([3], 3), ([[3]], [3]), ([3, 4],), ([],)]


def test_arguments_get_back_their_numbers_as_keys():
    (case,) = calls([[{"1": 2, "-3": {"4": 5}}, {"1": 2, "a": 3}, {}]], [True])
    assert case.args == ({1: 2, -3: {"4": 5}}, {"1": 2, "a": 3}, {})


@pytest.mark.parametrize("digits", [3_999, 4_000, 4_001, 8_000, 12_345])
def test_integers_may_be_longer_than_python_reads_at_once(digits):
    row = {**APPS, "input_output": '{"fn_name": "f", "inputs": [[-%s]], "outputs": [1]}'}
    row["input_output"] %= "7" * digits
    (case,) = apps_problem(row).test.cases
    assert case.args[0] == -7 * (10**digits - 1) // 9


def test_numbers_may_be_infinite():
    (case,) = calls([[math.inf]], [-math.inf])
    assert (case.args, case.accepted) == ((math.inf,), (-math.inf,))


@pytest.mark.parametrize("tests", ["", " ", None, "{}", '{"inputs": [], "outputs": []}'])
def test_a_problem_without_tests_is_none(tests):
    assert apps_problem({**APPS, "input_output": tests}) is None


@pytest.mark.parametrize("solutions", ["", None, "[]", []])
def test_a_problem_may_have_no_solutions(solutions):
    assert apps_problem({**APPS, "solutions": solutions}).reference is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_output": "{"}, "'input_output' is text that holds no JSON"),
        ({"input_output": "[1]"}, "'input_output' must hold an object, not a list"),
        ({"input_output": {"inputs": ["1"], "outputs": []}}, "1 'inputs' and 0 'outputs'"),
        ({"input_output": {"inputs": "1", "outputs": []}}, "'inputs' must be a list, not text"),
        ({"input_output": {"inputs": [1], "outputs": ["1"]}}, "'input' must be text, not a number"),
        ({"input_output": {"inputs": ["1"], "outputs": [[1]]}}, "'output' must be text, not a num"),
        (
            {"input_output": {"fn_name": "f", "inputs": [1], "outputs": [1]}},
            "'inputs' must be a list, not a number",
        ),
        (
            {"input_output": {"fn_name": "f(", "inputs": [[]], "outputs": [1]}},
            r"'fn_name' must be the name of a function, not 'f\('",
        ),
        (
            {"input_output": r'{"fn_name": "f", "inputs": [[{"a": ["\ud800"]}]], "outputs": [1]}'},
            "'inputs' has half of a surrogate pair",
        ),
        ({"input_output": '{"inputs": [%s]}' % ("1" * 200_001)}, "a number of 200,001 digits"),
        ({"input_output": "[" * 100_000}, "'input_output' is text that holds no JSON"),
        ({"solutions": "{}"}, "'solutions' must be a list, not an object"),
        ({"question": 3}, "'question' must be text, not a number"),
        ({"id": None}, "no 'problem_id'"),
    ],
)
def test_what_is_malformed_says_why(change, message):
    with pytest.raises(FieldError, match=message):
        apps_problem({**APPS, **change})


def test_reads_plain_pairs():
    test = StreamTest((StreamCase("meow\n", "meow\n"),))
    assert plain_problem(PLAIN) == Problem("echo", PLAIN["prompt"], test, None, is_continued=False)
    assert plain_problem({**PLAIN, "tests": []}) is None


@pytest.mark.parametrize("test", [{"input": "a"}, ["a", "b"], {"input": "a", "output": 1}])
def test_plain_pairs_that_are_none_are_malformed(test):
    with pytest.raises(FieldError, match=r"test 2 of 'tests' must be an object|must be text"):
        plain_problem({**PLAIN, "tests": [*PLAIN["tests"], test]})
