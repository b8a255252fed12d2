import pytest

from tests.transforms.tiers import missing
from tests.transforms.trace.verification.programs import program
from transforms.sandbox.limits import Tier
from transforms.trace.verification import (
    BenchmarkProblem,
    Benchmarks,
    Likeness,
    Match,
    Verifier,
    humaneval_problems,
    literal_calls,
)


@pytest.fixture(scope="module")
def verifier():
    if reason := missing(Tier.NAMESPACES):
        pytest.skip(reason)
    with Verifier(Tier.NAMESPACES) as found:
        yield found


@pytest.fixture(scope="module")
def benchmarks():
    return Benchmarks(humaneval_problems())


def test_all_of_humaneval_is_known():
    problems = humaneval_problems()
    assert len(problems) == 164
    assert sum(len(each.calls) >= 3 for each in problems) > 140


def test_calls_are_read_from_assertions_of_literals():
    test = (
        "def check(candidate):\n    assert candidate([1, -2], 'a') == (3, {4})\n"
        "    assert candidate(x) == 1\n    assert other(1) == 1\n    assert candidate(1) is True\n"
        "    assert candidate(2) < 3\n"
    )
    one, other = literal_calls(test, "candidate")
    assert (one.arguments, one.outcome) == (([1, -2], "a"), {"tuple": [3, {"set": [4]}]})
    assert (other.arguments, other.outcome) == ((1,), True)


def test_a_solution_in_other_names_is_found_by_its_text(benchmarks):
    text = "def g(s: str) -> int:\n    '''Length.'''\n    return len(s)\n"
    assert benchmarks.same_text(text, "g") == Match("HumanEval/23", Likeness.SAME_SOLUTION)
    assert benchmarks.same_text(text.replace("len(s)", "len(s) + 1"), "g") is None


def test_thirteen_words_of_a_prompt_are_found(benchmarks):
    words = "Given a positive floating point number, it can be decomposed into and integer part"
    text = f"def g(s):\n    '''{words}'''\n    return s\n"
    assert benchmarks.same_text(text, "g") == Match("HumanEval/2", Likeness.SAME_WORDS)
    fewer = " ".join(words.split()[:12])
    assert benchmarks.same_text(text.replace(words, fewer), "g") is None


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("return text[::-1].swapcase()[::-1]", "HumanEval/27"),
        ("return sum(1 for _ in text)", "HumanEval/23"),
        ("return text.upper()", None),
        ("while True: pass", None),
        ("import os; os._exit(0)", None),
    ],
)
def test_functions_that_do_the_same_are_found(verifier, benchmarks, body, name):
    given = program(f"def g(text):\n# body\n    {body}\n")
    found = verifier.find_benchmark(given, benchmarks)
    assert found == (Match(name, Likeness.SAME_BEHAVIOR) if name else None)


def test_arguments_with_defaults_may_be_left_out(verifier, benchmarks):
    given = program("def g(text, end=''):\n# body\n    return len(text + end)\n")
    found = verifier.find_benchmark(given, benchmarks)
    assert found == Match("HumanEval/23", Likeness.SAME_BEHAVIOR)


def test_problems_with_few_calls_are_known_by_text_alone(verifier):
    calls = literal_calls("assert f(1) == 2\nassert f(2) == 3", "f")
    problem = BenchmarkProblem("A/1", "def f(n):\n", "def f(n): return n + 1\n", "f", calls)
    given = program("def g(n):\n# body\n    return 1 + n\n")
    assert verifier.find_benchmark(given, Benchmarks([problem])) is None
    more = literal_calls("assert f(1) == 2\nassert f(2) == 3\nassert f(4) == 5", "f")
    known = BenchmarkProblem("A/1", problem.prompt, problem.solution, "f", more)
    match = verifier.find_benchmark(given, Benchmarks([known]))
    assert match == Match("A/1", Likeness.SAME_BEHAVIOR)
