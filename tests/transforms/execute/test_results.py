import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.results import OUTCOME
from schemas.samples import SAMPLES
from schemas.verdicts import Verdict
from tests.transforms.execute.builders import json_lines
from transforms.execute.results import (
    Result,
    result_line,
    result_without_run,
    results_path,
    writing_results,
)
from transforms.execute.samples import MalformedRow, Sample, iterate_samples

ROW = {"task_id": "pets/0", "completion": "    return 4\n"}
PASSED = Result(Verdict.PASSED, None, 0.25, 1 << 20, "A")


@pytest.mark.parametrize(
    ("samples", "results"),
    [
        ("S.jsonl", "S_results.jsonl"),
        ("a/S.jsonl.gz", "a/S_results.jsonl"),
        ("S.JSONL.zst", "S_results.jsonl"),
        ("S-t0.8.parquet", "S-t0.8_results.jsonl"),
        ("run/samples/", "run/samples_results.jsonl"),
        (".jsonl", ".jsonl_results.jsonl"),
        ("S", "S_results.jsonl"),
    ],
)
def test_results_go_beside_the_samples(samples, results):
    assert results_path(Path(samples)) == Path(results)


def test_results_of_the_folder_one_is_in_go_beside_it(tmp_path, monkeypatch):
    folder = tmp_path / "samples"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert results_path(Path()) == tmp_path / "samples_results.jsonl"


def written(tmp_path, *rows, result=PASSED):
    path = json_lines(tmp_path / "s.jsonl", *rows)
    with writing_results(tmp_path / "r.jsonl") as write:
        for row in iterate_samples(path):
            write(row, result_without_run(row, ["pets/0"]) or result)
    return (tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines()


def test_a_row_keeps_its_text_and_gets_its_result(tmp_path):
    text = '{"b":1.10, "task_id": "pets/0","completion":"\u00e4", "a" : 1e400  '
    (line,) = written(tmp_path, text + "}")
    outcome = '"verdict": "passed", "reason": null, "seconds": 0.25, "memory_bytes": 1048576'
    assert line == f'{text.rstrip()}, {outcome}, "tier": "A"}}'


def test_rows_that_were_not_run_stay_in_their_places(tmp_path):
    other = {**ROW, "task_id": "pets/9"}
    lines = written(tmp_path, ROW, '{"x": ', other, "", ROW)
    first, malformed, unknown, last = map(json.loads, lines)
    nothing = {"seconds": None, "memory_bytes": None, "tier": None}
    assert first == last == {**ROW, **json.loads(json.dumps(vars(PASSED)))}
    reason = "no JSON (Expecting value at character 6)"
    excerpt = {"line": 2, "text": '{"x":'}
    assert malformed == excerpt | {"verdict": "malformed", "reason": reason} | nothing
    reason = "no problem has this task_id"
    assert unknown == other | {"verdict": "unknown_task", "reason": reason} | nothing


def test_a_result_has_the_columns_of_its_schema():
    row = MalformedRow(1, "no JSON", "x")
    line = json.loads(result_line(row, PASSED))
    assert list(line) == ["line", "text", *OUTCOME.names]


def test_scoring_results_again_replaces_them(tmp_path):
    (once,) = written(tmp_path, {"verdict": "forged", **ROW, "tier": "B", "id": 1})
    (again,) = written(tmp_path, once)
    assert again == once
    assert json.loads(again)["verdict"] == "passed"


def test_a_reason_is_always_text_that_others_can_read(tmp_path):
    (line,) = written(tmp_path, ROW, result=Result(Verdict.ERROR, "ValueError: \ud800\0\n"))
    assert json.loads(line)["reason"] == "ValueError: ?\0\n"


def test_results_appear_when_they_are_whole(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text("old")

    def interrupted():
        with writing_results(path) as write:
            write(MalformedRow(1, "no JSON", "x"), Result(Verdict.MALFORMED))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("r.jsonl", "old")]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
rows = st.builds(
    lambda completion, rest: {**rest, **ROW, "completion": completion},
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.dictionaries(st.text().filter(lambda name: name not in SAMPLES.names), json_values),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows, max_size=4))
def test_samples_that_are_written_back_are_read_as_before(tmp_path, rows):
    before = list(iterate_samples(json_lines(tmp_path / "s.jsonl", *rows)))
    with writing_results(tmp_path / "r.jsonl") as write:
        for row in before:
            write(row, PASSED)
    after = list(iterate_samples(tmp_path / "r.jsonl"))
    lines = (tmp_path / "r.jsonl").read_bytes().split(b"\n")[:-1]
    assert len(before) == len(after) == len(rows)
    for row, line, first, second in zip(rows, lines, before, after, strict=True):
        kept = {name: value for name, value in row.items() if name not in OUTCOME.names}
        assert json.loads(line) == {**kept, **json.loads(json.dumps(vars(PASSED)))}
        assert list(json.loads(line)) == [*kept, *OUTCOME.names]
        assert isinstance(first, Sample)
        assert first.completion == second.completion == row["completion"]
