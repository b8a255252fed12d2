"""A small input on Flink and Spark, each embedded in its job server."""

import pytest

from tests.pipeline.engines import digest, finish, needs_java, start_run, write_configuration


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    path = tmp_path_factory.mktemp("engines") / "run.yaml"
    return write_configuration(path, ["yaml", "rich"], shard={"context_length": 256})


@pytest.fixture(scope="module")
def expected(configuration):
    output = configuration.parent / "direct"
    finish(start_run(configuration, output))
    return digest(output)


@needs_java
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("engine", ["flink", "spark"])
def test_writes_the_same_bytes_as_the_local_runner(engine, configuration, expected, tmp_path):
    finish(start_run(configuration, tmp_path / "run", f"--runner={engine}"))
    assert digest(tmp_path / "run") == expected
