"""A small input on Flink and Spark, each embedded in its job server."""

import re

import pytest

from tests.pipeline.engines import digest, finish, needs_java, start_run, write_configuration
from tests.pipeline.scores import (
    LOUD,
    RIGHT,
    WRONG,
    call_score,
    judged,
    need,
    sample,
    write_problems,
)
from tests.pipeline.traced_projects import write_projects
from tests.transforms.execute.builders import json_lines
from tests.transforms.tiers import missing
from transforms.sandbox.limits import Tier


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    path = tmp_path_factory.mktemp("engines") / "run.yaml"
    write_projects(path.parent / "projects")
    sections = {"shard": {"context_length": 256}, "trace": {"repositories": ["*/tool"]}}
    with pytest.MonkeyPatch.context() as patch:
        # Nothing listens there: the index of this machine is not asked.
        patch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
        yield write_configuration(path, ["yaml", "rich"], **sections)


@pytest.fixture(scope="module")
def expected(configuration):
    output = configuration.parent / "direct"
    finish(start_run(configuration, output))
    found = digest(output)
    if missing(Tier.NAMESPACES) is None:
        assert re.search(r"^problems +2 ", found, re.MULTILINE), found
    return found


@needs_java
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("engine", ["flink", "spark"])
def test_writes_the_same_bytes_as_the_local_runner(engine, configuration, expected, tmp_path):
    finish(start_run(configuration, tmp_path / "run", f"--runner={engine}"))
    assert digest(tmp_path / "run") == expected


@needs_java
@pytest.mark.timeout(1200)
def test_samples_fare_as_on_the_local_runner(tmp_path):
    need()
    rows = [sample(text) for text in (RIGHT, WRONG, LOUD)] * 30
    samples = json_lines(tmp_path / "s.jsonl", *rows)
    problems = ["--problems", write_problems(tmp_path)]
    call_score(samples, *problems)
    expected = judged(tmp_path / "s_results.jsonl")
    call_score(samples, *problems, "--runner=flink", "--output", tmp_path / "flink.jsonl")
    assert judged(tmp_path / "flink.jsonl") == expected
    assert [verdict for verdict, *_ in expected] == ["passed", "failed", "error"] * 30
