import json

import pytest

from transforms.collect.pass_rates import PassRateError, read_pass_rates


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def result(task, verdict, tier="A"):
    return {"task_id": task, "completion": "", "verdict": verdict, "tier": tier}


def test_rates_are_those_of_samples_that_were_run(tmp_path):
    rows = [
        result("a", "passed"),
        result("a", "failed"),
        result("a", "timeout"),
        result("a", "passed"),
        result("b", "error"),
        result("c", "unknown_task", tier=None),
        result(None, "malformed", tier=None),
    ]
    assert read_pass_rates(write(tmp_path / "r.jsonl", *rows)) == {"a": 0.5, "b": 0.0}


@pytest.mark.parametrize("row", [{"task_id": "a"}, {"task_id": "a", "verdict": "fine"}, [1]])
def test_a_file_of_something_else_is_told(tmp_path, row):
    with pytest.raises(PassRateError, match="line 1"):
        read_pass_rates(write(tmp_path / "r.jsonl", row))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(PassRateError, match=r"nothing\.jsonl"):
        read_pass_rates(tmp_path / "nothing.jsonl")
