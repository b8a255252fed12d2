import pickle
from pathlib import Path

import pyarrow as pa
import pytest

from schemas.results import OUTCOME
from tests.pipeline.scores import ENDLESS, LOUD, RIGHT, WRONG, addition, need
from tests.transforms.builders import run_stage
from tests.transforms.execute.builders import json_lines
from transforms.execute.stage import (
    SAMPLES,
    VERDICTS,
    ExecuteOptions,
    ExecuteSamples,
    JudgeBatch,
)
from transforms.parts import Workspace, read_part
from transforms.sandbox.limits import Limits
from transforms.stage import read_errors

SCHEMA = pa.schema([("task_id", pa.string()), ("completion", pa.string())])
OPTIONS = ExecuteOptions(Limits(cpu_seconds=0.15), "problems")
COMPLETIONS = (RIGHT, WRONG, LOUD, "    return (\n", ENDLESS)
EXPECTED = ("passed", "failed", "error", "error", "timeout")


def prepare(folder: Path, batches: int, samples: int = 5) -> tuple[Workspace, list[str]]:
    """Batches of samples in a staging folder; batch ``n`` begins with the n-th completion."""
    workspace = Workspace(str(folder), str(folder))
    json_lines(folder / "problems", addition("sum/0"))
    names = [f"batch-{number:06}" for number in range(batches)]
    for number, name in enumerate(names):
        texts = [COMPLETIONS[(number + place) % len(COMPLETIONS)] for place in range(samples)]
        rows = [{"task_id": "sum/0", "completion": text} for text in texts]
        with workspace.write_table(SAMPLES, f"{name}.parquet", SCHEMA) as writer:
            writer.write(pa.RecordBatch.from_pylist(rows, schema=SCHEMA))
    return workspace, names


def verdicts(workspace: Workspace, names: list[str]) -> list[list[tuple[str, str | None]]]:
    """Verdict and reason of each sample, by batch."""
    tables = [read_part(workspace.staged(VERDICTS, f"{name}.parquet")) for name in names]
    assert all(table.schema.equals(OUTCOME) for table in tables)
    columns = [table.select(["verdict", "reason"]).to_pydict() for table in tables]
    return [list(zip(*each.values(), strict=True)) for each in columns]


@pytest.fixture
def _sandbox():
    need()


@pytest.mark.usefixtures("_sandbox")
def test_verdicts_are_those_of_the_samples_in_their_order_with_any_number_of_workers(tmp_path):
    found = []
    for workers in (1, 4):
        (tmp_path / str(workers)).mkdir()
        workspace, names = prepare(tmp_path / str(workers), 3)
        run_stage(ExecuteSamples(workspace, names, OPTIONS), workers)
        found.append(verdicts(workspace, names))
        assert sorted(workspace.receipts()) == names
    assert found[0] == found[1]
    for number, batch in enumerate(found[0]):
        expected = [EXPECTED[(number + place) % len(EXPECTED)] for place in range(5)]
        assert [verdict for verdict, _ in batch] == expected


@pytest.mark.usefixtures("_sandbox")
def test_a_receipt_counts_verdicts_and_what_has_one_is_not_done_again(tmp_path):
    workspace, names = prepare(tmp_path, 2, samples=3)
    work = JudgeBatch(workspace, OPTIONS)
    assert list(work.process(names[0])) == [names[0]]
    work.teardown()
    assert workspace.receipts()[names[0]].statistics == {"passed": 1, "failed": 1, "error": 1}
    assert workspace.progress()[names[0]] == {"samples": 3}
    workspace.staged(SAMPLES, f"{names[0]}.parquet").unlink()
    again = JudgeBatch(workspace, OPTIONS)
    assert list(again.process(names[0])) == [names[0]]
    # Nor does it start a sandbox for it.
    assert again._sandbox is None


@pytest.mark.usefixtures("_sandbox")
def test_a_worker_keeps_its_sandbox_until_its_teardown(tmp_path):
    workspace, names = prepare(tmp_path, 2, samples=1)
    work = JudgeBatch(workspace, OPTIONS)
    list(work.process(names[0]))
    sandbox = work._sandbox
    list(work.process(names[1]))
    assert sandbox is work._sandbox is not None
    travelled = pickle.loads(pickle.dumps(work))
    assert travelled._sandbox is None
    work.teardown()
    assert work._sandbox is None
    work.teardown()


def test_what_a_worker_lacks_is_told_beside_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("transforms.sandbox.tiers._fault", lambda tier: "not here")
    workspace, names = prepare(tmp_path, 1)
    work = JudgeBatch(workspace, OPTIONS)
    with pytest.raises(RuntimeError, match="has no sandbox"):
        list(work.process(names[0]))
    ((unit, text),) = read_errors(workspace)
    assert unit == names[0]
    assert "tier A: not here; tier B: not here" in text
    assert not workspace.has_receipt(names[0])
