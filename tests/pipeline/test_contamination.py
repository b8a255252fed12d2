import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from pipeline.benchmark_files import benchmark_name
from pipeline.contamination import (
    HUMANEVAL,
    Contamination,
    index_path,
    prepare_index,
    read_humaneval,
    state_of,
)
from pipeline.errors import UsageError
from tests.transforms.builders import large_binary
from transforms.annotate.contamination.matching import find_contamination
from transforms.parts import Workspace

TEXT = (
    "def rescue_kittens(trees, ladders):\n"
    "    return sum(height for height in trees if height <= max(ladders, default=0)) or None\n"
)
ROW = {"task_id": "pets/0", "prompt": TEXT}


def json_lines(path, *rows, opener=open):
    with opener(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return str(path)


def parquet(path, *rows):
    pq.write_table(pa.Table.from_pylist(rows), path)
    return str(path)


def matches(contamination, *documents):
    return find_contamination(large_binary(documents), prepare_index(contamination)).to_pylist()


def problem_of(path, **settings):
    with pytest.raises(UsageError) as caught:
        prepare_index(Contamination(benchmarks=(str(path),), **settings))
    return str(caught.value)


def test_humaneval_is_looked_for_without_any_file():
    settings = Contamination()
    problems = read_humaneval()
    assert len(problems) == 164
    prompts = [problem.texts[0] for problem in problems]
    rows = matches(
        settings, *(b"# A copy.\n" + prompt.replace(b"    ", b"\t") for prompt in prompts)
    )
    assert [row["benchmark_task"] for row in rows] == [problem.task for problem in problems]
    assert {(row["benchmark"], row["benchmark_match"]) for row in rows} == {(HUMANEVAL, "exact")}


def test_every_test_of_humaneval_is_found_but_for_those_of_numbers_only():
    problems = read_humaneval()
    rows = matches(Contamination(), *(problem.texts[2] for problem in problems))
    found = [row["benchmark_task"] for row in rows]
    assert sum(task is not None for task in found) == 161
    assert all(task in (None, problem.task) for task, problem in zip(found, problems, strict=True))


def test_humaneval_in_other_names_is_found_on_demand():
    [problem] = [each for each in read_humaneval() if each.task == "HumanEval/1"]
    solution = problem.texts[1]
    renamed = solution.replace(b"current_string", b"piece").replace(b"result", b"pieces")
    settings = Contamination(ignore_identifiers=True)
    assert renamed != solution
    assert matches(Contamination(), renamed)[0]["benchmark"] is None
    assert matches(settings, renamed)[0]["benchmark_task"] == "HumanEval/1"


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("pets.jsonl", json_lines),
        ("pets.jsonl.gz", lambda path, *rows: json_lines(path, *rows, opener=gzip.open)),
        ("pets.parquet", parquet),
    ],
)
def test_reads_json_lines_and_parquet(tmp_path, name, write):
    path = write(tmp_path / name, ROW, {"task_id": "pets/1", "prompt": TEXT.replace("trees", "x")})
    [row] = matches(Contamination(benchmarks=(path,)), b"import os\n" + TEXT.encode())
    assert (row["benchmark"], row["benchmark_task"]) == ("pets", "pets/0")


def test_reads_lists_of_texts_and_rows_without_names(tmp_path):
    rows = [{"test_list": TEXT.splitlines(), "answer": 4}, {"test_list": None, "answer": 5}]
    for path in (json_lines(tmp_path / "a.jsonl", *rows), parquet(tmp_path / "b.parquet", *rows)):
        [row] = matches(Contamination(benchmarks=(path,)), TEXT.encode())
        assert row["benchmark_task"] in ("line 1", "row 1")


def test_columns_say_where_the_text_is(tmp_path):
    path = json_lines(tmp_path / "pets.jsonl", {"story": TEXT, "text": "none of it"})
    settings = Contamination(benchmarks=(path,), columns=("story",))
    assert matches(settings, TEXT.encode())[0]["benchmark"] == "pets"


def test_no_benchmarks_are_no_index(tmp_path):
    settings = Contamination(benchmarks=())
    workspace = Workspace(str(tmp_path), str(tmp_path))
    assert prepare_index(settings) is None
    assert index_path(settings, workspace) == ""
    assert index_path(Contamination(), workspace).startswith(str(tmp_path))


def test_the_state_is_that_of_the_content(tmp_path):
    path = json_lines(tmp_path / "pets.jsonl", ROW)
    before = state_of(Contamination(benchmarks=(path, HUMANEVAL)))
    assert state_of(Contamination(benchmarks=(HUMANEVAL, path))) == before
    json_lines(tmp_path / "pets.jsonl", ROW, ROW)
    assert state_of(Contamination(benchmarks=(path, HUMANEVAL))) != before
    assert json.loads(json.dumps(before))["benchmarks"].keys() == {"pets", HUMANEVAL}


def test_a_missing_file_is_told_before_anything_runs(tmp_path):
    settings = Contamination(benchmarks=(str(tmp_path / "pets.jsonl"),))
    for ask in (state_of, prepare_index):
        with pytest.raises(UsageError, match=r"pets\.jsonl: No such file"):
            ask(settings)


def test_relative_paths_are_those_of_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Contamination(benchmarks=("humaneval", "pets.jsonl"))
    assert settings.benchmarks == (HUMANEVAL, str(tmp_path / "pets.jsonl"))


def test_two_benchmarks_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValidationError, match="would both be called 'pets'"):
        Contamination(benchmarks=(str(tmp_path / "pets.jsonl"), str(tmp_path / "pets.parquet")))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/mbpp.jsonl.gz", "mbpp"),
        ("v1.5.parquet", "v1.5"),
        ("plain", "plain"),
        (".jsonl", ".jsonl"),
    ],
)
def test_a_benchmark_is_called_what_its_file_is(path, name):
    assert benchmark_name(path) == name


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no rows"),
        (b'{"prompt": "a"}\n{"prompt": \n', "line 2 is no JSON"),
        (b"[1, 2]\n", "line 1 is no object but list"),
        (b'{"prompt": "\xff"}\n', "line 1 is no JSON"),
        (b'{"a":' * 100_000, "line 1 is no JSON"),
        (b'{"story": "a", "number": 3}\n', "there are number, story"),
        (b'{"prompt": "a b c"}\n', "fewer `ngram_words`"),
        (b"PAR1" + bytes(30), "does not end as a Parquet file does"),
        (b"PAR1" + bytes(30) + b"\xff\xff\xff\x7fPAR1", "a footer of"),
        (b"PAR1" + bytes(300) + b"\x10\x00\x00\x00PAR1", "a problem a row"),
        (gzip.compress(b'{"prompt": "a"}\n' * 999, mtime=0)[:-20], "a problem a row"),
    ],
    # Workers have to agree on names, which are made of the content otherwise.
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_a_file_that_is_no_benchmark_is_told(tmp_path, content, message):
    path = tmp_path / "hostile.jsonl"
    path.write_bytes(content)
    problem = problem_of(path)
    assert message in problem
    assert str(path) in problem


def test_a_line_without_end_is_refused(tmp_path):
    path = tmp_path / "hostile.jsonl.gz"
    with gzip.open(path, "wb") as file:
        file.write(b'{"prompt": "')
        for _ in range(40):
            file.write(b"a" * (1 << 20))
    assert "line 1 is longer than 16 MiB" in problem_of(path)


def test_a_column_that_holds_no_text_is_told(tmp_path):
    path = json_lines(tmp_path / "pets.jsonl", ROW, {"prompt": {"a": 1}})
    assert "line 2: 'prompt' holds no text but dict" in problem_of(path, columns=("prompt",))


def test_a_parquet_file_without_the_columns_names_its_own(tmp_path):
    path = parquet(tmp_path / "pets.parquet", {"story": "a", "number": 3})
    assert "there are number, story" in problem_of(path)
    assert "there are number, story" in problem_of(path, columns=("tale",))


@pytest.mark.parametrize("place", range(0, 2_000, 97))
def test_a_damaged_parquet_file_is_told_or_read(tmp_path, place):
    path = tmp_path / "pets.parquet"
    parquet(path, *[ROW] * 9)
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 0xFF
    path.write_bytes(data)
    told = str(path)
    try:
        prepare_index(Contamination(benchmarks=(str(path),)))
    except UsageError as error:
        told = str(error)
    assert str(path) in told


def test_a_folder_is_no_benchmark(tmp_path):
    assert "s a directory" in problem_of(tmp_path)
