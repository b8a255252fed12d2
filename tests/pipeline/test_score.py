import gzip
import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

import pipeline.score
from pipeline.errors import StageError, UserError
from pipeline.score import score, summary_path
from schemas.samples import SAMPLES
from tests.pipeline.scores import (
    ADDED,
    ENDLESS,
    LOUD,
    RIGHT,
    WRONG,
    addition,
    judged,
    need,
    read_rows,
    sample,
    score_quietly,
    scoring,
    write_problems,
)
from tests.transforms.execute.builders import APPS, MBPP, PLAIN, json_lines
from transforms.execute import results
from transforms.execute.judge import Judge
from transforms.execute.results import result_line
from transforms.sandbox import tiers
from transforms.sandbox.limits import Limits, Tier
from transforms.sandbox.tiers import SAFE_TIERS

FUNCTION = {
    "problem_id": "double",
    "question": "Write double(number).",
    "solutions": "",
    "input_output": json.dumps({"fn_name": "double", "inputs": [[2], [5]], "outputs": [4, 10]}),
}


@pytest.fixture(autouse=True)
def _sandbox():
    need()


@pytest.fixture
def problems(tmp_path):
    return write_problems(tmp_path)


def test_results_are_the_rows_as_they_were_and_what_became_of_them(tmp_path, problems):
    odd = '{"completion":"    return first + second\\n",  "id": 12345678901234567890, "x": 1e2, '
    odd += '"task_id":"sum/0"}'
    lines = [
        sample(RIGHT, mine={"z": [1, None]}),
        "{no json",
        odd,
        "",
        sample(WRONG, "sum/7"),
        sample(WRONG),
        [1],
        sample(LOUD, verdict="passed", tier="Z"),
        odd,
    ]
    samples = json_lines(tmp_path / "s.jsonl", *lines)
    summary = score_quietly(scoring(samples, problems))
    texts = (tmp_path / "results.jsonl").read_text().splitlines()
    rows = [json.loads(text) for text in texts]
    assert [row["verdict"] for row in rows] == [
        *("passed", "malformed", "passed", "unknown_task", "failed", "malformed", "error", "passed")
    ]
    assert all(tuple(row)[-5:] == ADDED for row in rows)
    assert texts[2].startswith(odd[:-1] + ", ")
    assert {name: rows[0][name] for name in rows[0] if name not in ADDED} == lines[0]
    assert (rows[1]["line"], rows[1]["text"]) == (2, "{no json")
    assert rows[3]["seconds"] is None
    assert rows[4]["reason"] == "assert candidate(1, 2) == 3"
    assert "KeyError" in rows[6]["reason"]
    assert rows[6]["tier"] in SAFE_TIERS
    assert 0 < rows[0]["seconds"] < 3
    assert rows[0]["memory_bytes"] > 1 << 20
    intake = summary.intake
    assert (intake.rows, intake.samples) == (8, 5)
    assert [each.count for each in (intake.malformed, intake.unknown_tasks)] == [2, 1]
    assert intake.missing_tasks.examples == ("sum/1",)
    assert intake.duplicates.examples == ("line 9 as line 3",)
    assert intake.repeats.count == 2
    assert intake.replaced_fields.count == 1
    names = ("passed", "failed", "error", "unknown_task", "malformed")
    assert summary.verdicts == dict(zip(names, (3, 1, 1, 1, 2), strict=True))
    assert not list(tmp_path.glob(".*"))


def test_the_summary_is_beside_the_results_with_tier_and_limits(tmp_path, problems):
    samples = json_lines(tmp_path / "s.jsonl", sample(RIGHT), sample(WRONG))
    wanted = scoring(samples, problems, tier=Tier.UNSAFE, limits=Limits(files=7))
    summary = score_quietly(wanted)
    body = json.loads((tmp_path / "results_summary.json").read_text())
    assert body["tiers"] == {"unsafe": 2}
    assert body["limits"]["files"] == 7
    assert body["estimates"][0]["short"] == ["sum/1"]
    assert body["attempted"][0]["value"] == summary.attempted[0].value == 0.5
    assert body["results"] == str(tmp_path / "results.jsonl")
    assert {row["tier"] for row in read_rows(tmp_path / "results.jsonl")} == {"unsafe"}


def test_the_summary_of_results_by_their_usual_name_has_the_name_of_the_samples():
    assert summary_path(Path("a/S_results.jsonl")) == Path("a/S_summary.json")
    assert summary_path(Path("a/mine.jsonl")) == Path("a/mine_summary.json")


def test_problems_of_all_formats_are_scored_in_one_go(tmp_path):
    problems = json_lines(
        tmp_path / "p.jsonl", addition("sum/0"), MBPP, APPS, PLAIN, FUNCTION, {**MBPP, "task_id": 8}
    )
    lying = "class Lie:\n    def __eq__(self, other): return True\ndef double(n): return Lie()\n"
    tried = [
        ("sum/0", RIGHT, "passed"),
        ("7", MBPP["code"], "passed"),
        (7, "def paws(cats):\n    return 4\n", "failed"),
        ("8", "def feet(cats):\n    return 4 * cats\n", "error"),
        ("12", "print(2 * int(input()))", "passed"),
        ("12", "print(2)", "failed"),
        ("12", "print(input(1, 2))", "error"),
        ("echo", "import sys\nsys.stdout.write(sys.stdin.read())", "passed"),
        ("echo", "import sys; sys.exit(3)", "error"),
        ("double", "def double(number):\n    return number * 2\n", "passed"),
        ("double", "class Solution:\n    def double(self, n):\n        return n + n\n", "passed"),
        ("double", "def double(number):\n    return number * 2.5\n", "failed"),
        ("double", lying, "failed"),
    ]
    samples = json_lines(tmp_path / "s.jsonl", *(sample(text, task) for task, text, _ in tried))
    summary = score_quietly(scoring(samples, problems))
    rows = read_rows(tmp_path / "results.jsonl")
    expected = [verdict for *_, verdict in tried]
    assert [row["verdict"] for row in rows] == expected, [row["reason"] for row in rows]
    assert summary.intake.tasks == 6
    # 1, 1/2, 0, 1/3, 1/2, 1/2
    assert summary.estimates[0].value == pytest.approx((1 + 0.5 + 0 + 1 / 3 + 0.5 + 0.5) / 6)


def test_files_are_read_in_whatever_form_they_come(tmp_path):
    rows = [sample(RIGHT, temperature=0.5), sample(WRONG), sample(LOUD, "sum/1", logprob=-1.0)]
    plain = json_lines(tmp_path / "s.jsonl", *rows)
    packed = json_lines(tmp_path / "s.jsonl.gz", *rows, compress=gzip.compress)
    table = tmp_path / "samples"
    table.mkdir()
    for number, part in enumerate((rows[:1], rows[1:])):
        full = [dict.fromkeys(SAMPLES.names) | row for row in part]
        pq.write_table(
            pa.Table.from_pylist(full, schema=SAMPLES), table / f"part-{number:05}.parquet"
        )
    problems = tmp_path / "problems"
    problems.mkdir()
    both = pa.Table.from_pylist([addition("sum/0"), addition("sum/1")])
    pq.write_table(both, problems / "part-00000.parquet")
    found = {}
    for samples in (plain, packed, table):
        place = tmp_path / f"{samples.name}-results.jsonl"
        score_quietly(scoring(samples, problems, results=place))
        found[samples] = judged(place)
    assert found[plain] == found[packed] == found[table]
    assert [verdict for verdict, *_ in found[plain]] == ["passed", "failed", "error"]
    last = read_rows(tmp_path / "samples-results.jsonl")[2]
    assert (last["task_id"], last["logprob"], last["tokens"]) == ("sum/1", -1.0, None)


@pytest.mark.parametrize("tier", SAFE_TIERS)
def test_each_tier_can_be_asked_for(tmp_path, problems, tier):
    need(tier)
    samples = json_lines(tmp_path / "s.jsonl", sample(RIGHT), sample(ENDLESS))
    limits = Limits(cpu_seconds=0.2)
    score_quietly(scoring(samples, problems, tier=tier, limits=limits))
    assert judged(tmp_path / "results.jsonl") == [
        ("passed", None, tier),
        ("timeout", "more than 0.2 s of CPU time", tier),
    ]


def test_without_a_sandbox_nothing_is_run_and_the_cure_is_named(tmp_path, problems, monkeypatch):
    monkeypatch.setattr(tiers, "_fault", lambda tier: "no such thing")
    samples = json_lines(tmp_path / "s.jsonl", sample(RIGHT))
    with pytest.raises(UserError) as caught:
        score_quietly(scoring(samples, problems))
    said = str(caught.value)
    assert "tier A: no such thing; tier B: no such thing" in said
    assert "sysctl user.max_user_namespaces" in said
    assert "landlock" in said
    assert "docs/sandbox.md" in said
    assert "--unsafe" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["problems.jsonl", "s.jsonl"]


def test_files_without_a_sample_of_these_problems_are_no_success(tmp_path, problems):
    samples = json_lines(tmp_path / "s.jsonl", sample(RIGHT, "other"), "{")
    with pytest.raises(UserError) as caught:
        score_quietly(scoring(samples, problems))
    assert f"has no sample of {problems} in its 2 rows" in str(caught.value)
    assert "1 (line 2: no JSON" in str(caught.value)
    assert "1 (line 1: 'other') of unknown tasks" in str(caught.value)


def test_damaged_files_are_named(tmp_path, problems):
    whole = gzip.compress(json.dumps(sample(RIGHT)).encode() * 1000)
    cut = tmp_path / "s.jsonl.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"s\.jsonl\.gz: cannot be read"):
        score_quietly(scoring(cut, problems))
    bad = json_lines(tmp_path / "bad.jsonl", {**addition("sum/0"), "test": "def"})
    samples = json_lines(tmp_path / "s.jsonl", sample(RIGHT))
    with pytest.raises(UserError, match=r"bad\.jsonl: correct or remove these lines: 1 \(line 1"):
        score_quietly(scoring(samples, bad))


def test_a_folder_that_cannot_be_written_is_named(tmp_path, problems):
    samples = json_lines(tmp_path / "s.jsonl", sample(RIGHT))
    for place in (samples / "results.jsonl", Path("/proc/results.jsonl")):
        with pytest.raises(UserError, match=f"cannot write to {place.parent}: .*--output"):
            score_quietly(scoring(samples, problems, results=place))


def fail_at(monkeypatch, completion):
    """Has the work end in an error at a completion; gives the completions that were run."""
    judge, seen = Judge.judge, []

    def judge_or_fail(self, problem, text):
        if text == completion:
            raise OSError("the power is gone")
        seen.append(text)
        return judge(self, problem, text)

    monkeypatch.setattr(Judge, "judge", judge_or_fail)
    return seen


@pytest.fixture
def interrupted(tmp_path, problems, monkeypatch):
    """A scoring of eight samples in batches of two that ended at the fifth, with older results."""
    monkeypatch.setattr(pipeline.score, "BATCH_SAMPLES", 2)
    texts = [f"    return first + second + {n}\n" for n in range(8)]
    samples = json_lines(tmp_path / "s.jsonl", *map(sample, texts))
    wanted = scoring(samples, problems, engine=replace(scoring(samples, None).engine, workers=1))
    wanted.results.write_text("older\n")
    with monkeypatch.context() as failing:
        seen = fail_at(failing, texts[5])
        with pytest.raises(StageError, match="the power is gone"):
            score_quietly(wanted)
    assert 0 < len(seen) < 8
    assert wanted.results.read_text() == "older\n"
    return wanted, texts, seen


def test_the_same_command_goes_on_and_gives_what_an_uninterrupted_one_does(
    interrupted, tmp_path, monkeypatch
):
    wanted, texts, before = interrupted
    # What was whole when it ended is not done again.
    whole = {
        text
        for pair in zip(texts[::2], texts[1::2], strict=True)
        for text in pair
        if set(pair) <= set(before)
    }
    assert whole
    after = fail_at(monkeypatch, None)
    score_quietly(wanted)
    assert sorted(after) == sorted(set(texts) - whole)
    resumed = judged(wanted.results)
    score_quietly(replace(wanted, results=tmp_path / "fresh.jsonl"))
    assert resumed == judged(tmp_path / "fresh.jsonl")
    assert [verdict for verdict, *_ in resumed] == ["passed", *["failed"] * 7]


@pytest.mark.parametrize("change", ["limits", "samples", "problems"])
def test_another_command_begins_anew(interrupted, monkeypatch, change):
    wanted, texts, _ = interrupted
    if change == "samples":
        with wanted.samples.open("a") as file:
            file.write(json.dumps(sample(RIGHT)) + "\n")
    if change == "problems":
        with wanted.problems.open("a") as file:
            file.write(json.dumps(addition("sum/9")) + "\n")
    if change == "limits":
        wanted = replace(wanted, limits=Limits(files=9))
    after = fail_at(monkeypatch, None)
    score_quietly(wanted)
    assert set(texts) <= set(after)


def test_results_are_replaced_when_the_new_ones_are_whole(tmp_path, problems, monkeypatch):
    samples = json_lines(tmp_path / "s.jsonl", sample(RIGHT), sample(WRONG))
    wanted = scoring(samples, problems)
    wanted.results.write_text("older\n")

    def failing(row, result):
        if row.number == 2:
            raise OSError(28, "No space left on device")
        return result_line(row, result)

    with monkeypatch.context() as patch:
        patch.setattr(results, "result_line", failing)
        with pytest.raises(OSError, match="No space left"):
            score_quietly(wanted)
    assert wanted.results.read_text() == "older\n"
    assert not list(tmp_path.glob(".results.jsonl.*.tmp"))
    score_quietly(wanted)
    assert [verdict for verdict, *_ in judged(wanted.results)] == ["passed", "failed"]


def test_samples_that_grow_while_they_are_scored_get_no_results(tmp_path, problems, monkeypatch):
    samples = json_lines(tmp_path / "s.jsonl", sample(RIGHT))
    judge = Judge.judge

    def judge_slowly(self, problem, text):
        with samples.open("a") as file:
            file.write(json.dumps(sample(WRONG)) + "\n")
        return judge(self, problem, text)

    wanted = scoring(samples, problems)
    with monkeypatch.context() as patch:
        patch.setattr(Judge, "judge", judge_slowly)
        with pytest.raises(UserError, match="has grown while it was scored"):
            score_quietly(wanted)
    assert not wanted.results.exists()
    score_quietly(wanted)
    assert [verdict for verdict, *_ in judged(wanted.results)] == ["passed", "failed"]


def test_a_full_disk_is_named_and_the_same_command_goes_on(tmp_path, problems):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("NO SMALL DISK: only root may mount one")
    try:
        # Text that does not compress.
        texts = [
            f"    return first + second # {n * 0x9E3779B97F4A7C15:064x}\n" * 20 for n in range(200)
        ]
        samples = json_lines(tmp_path / "s.jsonl", *map(sample, texts))
        wanted = scoring(samples, problems, results=disk / "results.jsonl")
        with pytest.raises((UserError, OSError), match=r"the disk is full|No space left on device"):
            score_quietly(wanted)
        assert not wanted.results.exists()
        subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
        score_quietly(wanted)
        assert {verdict for verdict, *_ in judged(wanted.results)} == {"passed"}
    finally:
        subprocess.run(["umount", disk], check=True)


def test_the_display_gets_the_rate(tmp_path, problems):
    said = []

    class Display(pipeline.score.ProgressDisplay):
        def say(self, line):
            said.append(line)

    samples = json_lines(tmp_path / "s.jsonl", sample(RIGHT), sample(WRONG))
    score(scoring(samples, problems), Display(Console(file=io.StringIO())))
    assert said[-1].startswith("score        2 samples  ")
    assert "/s  " in said[-1]
