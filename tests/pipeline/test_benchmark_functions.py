import pytest

from pipeline.benchmark_functions import FUNCTIONS_FILE, functions_path, prepare_functions
from pipeline.contamination import Contamination
from pipeline.errors import UsageError
from tests.transforms.execute.builders import MBPP, json_lines
from transforms.parts import Workspace
from transforms.trace.verification import problems_from_json


def names(*benchmarks):
    problems = problems_from_json(prepare_functions(Contamination(benchmarks=benchmarks)))
    return [(problem.name, problem.entry_point) for problem in problems]


def test_humaneval_and_files_of_problems_are_read(tmp_path):
    path = json_lines(tmp_path / "mbpp.jsonl", MBPP)
    found = names("humaneval", str(path))
    assert len(found) == 165
    assert found[0] == ("HumanEval/0", "has_close_elements")
    assert found[-1] == ("mbpp/7", "paws")


def test_a_benchmark_without_code_counts_by_its_text(tmp_path):
    path = json_lines(tmp_path / "sums.jsonl", {"question": "What is 1 + 1?", "answer": "2"})
    assert names(str(path)) == [("sums/line 1", "")]


def test_without_benchmarks_workers_have_no_file(tmp_path):
    workspace = Workspace(str(tmp_path), str(tmp_path))
    assert functions_path(Contamination(benchmarks=()), workspace) == ""
    assert functions_path(Contamination(), workspace).endswith(FUNCTIONS_FILE)


def test_a_file_that_is_none_is_told(tmp_path):
    (tmp_path / "x.jsonl").write_text("[]\n")
    with pytest.raises(UsageError, match=r"contamination\.benchmarks"):
        names(str(tmp_path / "x.jsonl"))
