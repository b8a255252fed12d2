from tests.transforms.execute.builders import APPS, MBPP, json_lines
from transforms.problemsets.problem_files import read_problems
from transforms.trace.verification import (
    BenchmarkProblem,
    Benchmarks,
    Likeness,
    Match,
    benchmark_problems,
    humaneval_problems,
    literal_calls,
    problems_from_json,
    problems_to_json,
)

TESTS = ["assert paws(1) == 4", "assert paws(2) == 8", "assert paws(0) == 0"]


def problems_of(tmp_path, *rows):
    path = json_lines(tmp_path / "some.jsonl", *rows)
    return list(benchmark_problems("some", read_problems(path).problems.values()))


def test_a_statement_with_assertions_has_its_solution_and_calls(tmp_path):
    (found,) = problems_of(tmp_path, {**MBPP, "test_list": TESTS})
    assert found == BenchmarkProblem(
        "some/7", MBPP["text"], MBPP["code"] + "\n", "paws", literal_calls("\n".join(TESTS), "paws")
    )


def test_its_solution_in_other_names_is_known(tmp_path):
    benchmarks = Benchmarks(problems_of(tmp_path, {**MBPP, "test_list": TESTS}))
    program = "def f(dogs):\n    '''Paws.'''\n    return 4 * dogs\n"
    assert benchmarks.same_text(program, "f") == Match("some/7", Likeness.SAME_SOLUTION)


def test_of_programs_that_read_and_print_the_text_counts(tmp_path):
    statement = " ".join(f"word{number}" for number in range(13))
    (found,) = problems_of(tmp_path, {**APPS, "question": statement})
    assert (found.entry_point, found.calls) == ("", ())
    program = f"def f(x):\n    '''{statement}'''\n    return x\n"
    assert Benchmarks([found]).same_text(program, "f") == Match("some/12", Likeness.SAME_WORDS)


def test_a_file_for_workers_has_all_of_it():
    problems = humaneval_problems()
    assert problems_from_json(problems_to_json(problems)) == problems
