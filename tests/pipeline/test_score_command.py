"""`repomill score` as users call it, most of it on HumanEval itself."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from pipeline.errors import UsageError, UserError
from pipeline.score import BATCH_SAMPLES
from tests.pipeline.scores import (
    ADDED,
    RIGHT,
    WRONG,
    call_score,
    judged,
    need,
    read_rows,
    sample,
    start_score,
    write_problems,
)
from tests.pipeline.test_commands import call
from tests.transforms.execute.builders import json_lines
from transforms.problemsets.problem_files import read_humaneval


def test_the_example_is_scored_as_it_was_made_to_be(tmp_path):
    """Some of it; docs/score.md shows what is printed of all."""
    need()
    whole, samples = tmp_path / "whole.jsonl", tmp_path / "example.jsonl"
    output, _ = call_score("--example", whole)
    assert output == f"328 samples of HumanEval, half of them right: repomill score {whole}\n"
    samples.write_text("".join(whole.read_text().splitlines(keepends=True)[:40]))
    rows = read_rows(samples)
    output, errors = call_score(samples)
    results = read_rows(tmp_path / "example_results.jsonl")
    assert [{name: row[name] for name in row if name not in ADDED} for row in results] == rows
    assert [tuple(row)[-5:] for row in results] == [ADDED] * 40
    assert [row["verdict"] == "passed" for row in results] == [True, False] * 20
    assert {row["verdict"] for row in results[1::2]} <= {"failed", "error"}
    assert all(row["reason"] for row in results[1::2])
    assert "40 samples of 20 problems in 40 rows" in output
    assert " 0.5000   0.5000 to 0.5000 " in output
    assert f"Results of each sample: {tmp_path}/example_results.jsonl" in output
    assert f"Summary: {tmp_path}/example_summary.json" in output
    assert errors.splitlines()[-1].startswith("score        40 samples  ")


def test_an_example_replaces_no_file(tmp_path):
    samples = tmp_path / "example.jsonl"
    samples.write_text("mine\n")
    with pytest.raises(UserError, match="is there already: name another file"):
        call("score", "--example", samples)
    assert samples.read_text() == "mine\n"
    with pytest.raises(UserError, match=r"cannot write .*example\.jsonl/e\.jsonl: "):
        call("score", "--example", samples / "e.jsonl")


def test_rows_that_are_no_samples_are_named_and_programs_get_json(tmp_path):
    need()
    humaneval = list(read_humaneval().problems.values())
    body = humaneval[0].reference
    samples = json_lines(
        tmp_path / "s.jsonl",
        {"task_id": "HumanEval/0", "completion": body, "id": 1},
        {"task_id": "HumanEval/0", "completion": body, "id": 1},
        {"task_id": "HumanEval/999", "completion": body},
        "{",
        {"task_id": "HumanEval/1", "completion": "    return []\n"},
    )
    found = json.loads(call("score", samples, "--json", "--k", "2,1").stdout)
    assert found == json.loads((tmp_path / "s_summary.json").read_text())
    assert found["results"] == str(tmp_path / "s_results.jsonl")
    intake = found["intake"]
    assert intake["malformed"]["examples"][0].startswith("line 4: no JSON")
    assert intake["unknown_tasks"]["examples"] == ["line 3: 'HumanEval/999'"]
    assert intake["missing_tasks"]["count"] == 162
    assert intake["duplicates"] == {"count": 1, "examples": ["line 2 as line 1"]}
    assert [each["k"] for each in found["attempted"]] == [1, 2]
    assert found["attempted"][0]["value"] == 0.5
    assert found["attempted"][1]["short"] == ["HumanEval/1"]
    assert [row["verdict"] for row in read_rows(tmp_path / "s_results.jsonl")] == [
        *("passed", "passed", "unknown_task", "malformed", "failed")
    ]


def test_options_reach_the_runs_and_the_summary(tmp_path):
    samples = json_lines(tmp_path / "s.jsonl", sample(RIGHT), sample(WRONG, temperature=0.1))
    problems = write_problems(tmp_path, 1)
    asked = [samples, "--problems", problems, "--unsafe", "--limit", "cpu_seconds=30"]
    output = tmp_path / "deep" / "own.jsonl"
    said = call("score", *asked, "--output", output, "--no-bleu", "--workers", 1).output
    assert "2 in tier unsafe: NOTHING kept the programs in" in said
    assert "Limits of each: 30 s of CPU, 120 s of waiting" in said
    assert "none given" in said
    assert "BLEU" not in said
    assert [row["tier"] for row in read_rows(output)] == ["unsafe", "unsafe"]
    found = json.loads((tmp_path / "deep" / "own_summary.json").read_text())
    assert found["tiers"] == {"unsafe": 2}
    assert (found["limits"]["cpu_seconds"], found["limits"]["wall_seconds"]) == (30, 120)


WRONG_CALLS = [
    ([], "name a file of samples"),
    (["none.jsonl"], "there is no none.jsonl; `repomill score --example FILE` makes one"),
    (["{samples}", "--problems", "none.jsonl"], "there is no none.jsonl, which --problems names"),
    (["{samples}", "--k", "many"], "--k must be numbers from 1"),
    (["{samples}", "--tier", "C"], "--tier must be A or B, got 'C'"),
    (["{samples}", "--tier", "A", "--unsafe"], "--unsafe uses no tier"),
    (["{samples}", "--limit", "time=1"], "no limit is called 'time'"),
    (["{samples}", "--output", "{samples}"], "would replace"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG_CALLS)
def test_a_wrong_call_is_one_line_that_says_so(tmp_path, arguments, said):
    samples = json_lines(tmp_path / "s.jsonl", sample(RIGHT))
    with pytest.raises(UsageError) as caught:
        call("score", *(each.format(samples=samples) for each in arguments))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["s.jsonl"]


def test_a_wrong_call_has_exit_status_2_and_files_that_are_wrong_1(tmp_path):
    _, errors = call_score(tmp_path / "none.jsonl", status=2)
    assert errors.count("\n") == 1
    assert errors.startswith("error: there is no ")
    samples = json_lines(tmp_path / "s.jsonl", sample(RIGHT, "none"))
    _, errors = call_score(samples, status=1)
    assert errors.count("\n") == 1
    assert errors.startswith(f"error: {samples} has no sample of HumanEval in its 1 rows")


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def mentions(text: str) -> list[int]:
    """Processes whose command line has a text in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def test_ctrl_c_ends_quickly_and_the_same_command_goes_on(tmp_path, monkeypatch):
    need()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    # All but those of the first batch wait until it is late enough, on any machine.
    late = time.time() + 25
    waiting = f"    import time; time.sleep(max({late} - time.time(), 0))\n"
    texts = [waiting * (n >= BATCH_SAMPLES) + (WRONG if n % 7 == 0 else RIGHT) for n in range(200)]
    samples = json_lines(tmp_path / "s.jsonl", *map(sample, texts))
    command = [samples, "--problems", write_problems(tmp_path, 1), "--workers", 4]
    process = start_score(*command)
    work = tmp_path / ".s_results.jsonl.work"
    wait_for(lambda: list(work.glob("receipts/*.json")))
    # Another one on the same results would write over what this one has.
    _, errors = call_score(*command, status=1)
    assert errors == (
        f"error: another process is at work on {tmp_path}/s_results.jsonl. Wait for it, or name "
        "another file with --output\n"
    )
    assert process.poll() is None
    assert mentions(str(temporary))
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted: run the same command again to resume" in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "s_results.jsonl").exists()
    assert [path.name for path in work.glob("verdicts/*")] == ["batch-000000.parquet"]
    wait_for(lambda: not mentions(str(temporary)))
    # What was just being started may leave the place where it would have been.
    assert not list(temporary.glob("repomill-sandbox-*/*"))
    call_score(*command)
    found = judged(tmp_path / "s_results.jsonl")
    assert [verdict for verdict, *_ in found] == [
        "failed" if n % 7 == 0 else "passed" for n in range(200)
    ]
    assert not list(tmp_path.glob(".*"))
