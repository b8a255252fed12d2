"""The main job on real clusters of several processes, one of which dies in the middle."""

import json
import sys
import time
from pathlib import Path

import pytest

from runners.clusters.distributions import provide_boot_program
from runners.clusters.flink import local_flink
from runners.clusters.spark import local_spark
from tests.pipeline.engines import CACHE, digest, finish, needs_java, start_run, write_configuration
from transforms.stores.store import store_at

pytestmark = [needs_java, pytest.mark.clusters, pytest.mark.timeout(1800)]

PACKAGES = ["numpy", "numba", "pip", "pygments", "hypothesis", "mypy"]


def tell(line):
    sys.stderr.write(f"{line}\n")


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    path = tmp_path_factory.mktemp("clusters") / "run.yaml"
    return write_configuration(path, PACKAGES, crawl={"parts": 16})


@pytest.fixture(scope="module")
def expected(configuration):
    output = configuration.parent / "direct"
    finish(start_run(configuration, output))
    return digest(output)


@pytest.fixture(scope="module")
def workers():
    boot = provide_boot_program(CACHE, tell)
    settings = {"command": boot, "environment": Path(sys.prefix)}
    return [f"--set=runner.worker.{name}={value}" for name, value in settings.items()]


def wait_for_work(process, output, stage):
    """Waits until some of a stage's work is done and the rest is not."""
    receipts = output / ".staging" / stage / "receipts"
    while not list(receipts.glob("*.json")):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)


def test_flink_ends_with_the_same_digest_though_a_task_manager_is_killed(
    configuration, expected, workers, tmp_path
):
    output = tmp_path / "run"
    with local_flink(tmp_path / "flink", CACHE, tell) as cluster:
        options = ["--runner=flink", f"--runner-url={cluster.url}", "--workers=2", *workers]
        process = start_run(configuration, output, *options)
        wait_for_work(process, output, "annotate")
        cluster.kill_task_manager(1)
        cluster.start_task_manager(3)
        said = finish(process)
    assert f"http://{cluster.url}/#/job/running/" in said
    assert digest(output) == expected


def test_spark_ends_with_the_same_digest_though_a_worker_is_killed(
    configuration, expected, workers, tmp_path
):
    output = tmp_path / "run"
    with local_spark(tmp_path / "spark", CACHE, tell) as cluster:
        options = ["--runner=spark", f"--runner-url={cluster.url}", *workers]
        process = start_run(configuration, output, *options)
        wait_for_work(process, output, "annotate")
        cluster.kill_worker(1)
        cluster.start_worker(3)
        finish(process)
    assert digest(output) == expected


def test_workers_of_a_cluster_read_and_write_an_object_store(
    configuration, expected, workers, tmp_path, s3_server
):
    # The cluster and the run have the server's address and credentials from the environment.
    output = "s3://bucket/runs/flink"
    with local_flink(tmp_path / "flink", CACHE, tell) as cluster:
        options = ["--runner=flink", f"--runner-url={cluster.url}", "--workers=2", *workers]
        finish(start_run(configuration, output, *options))
    assert digest(output) == expected
    history = store_at(output).read("history.jsonl").decode().splitlines()
    assert all(json.loads(line)["requests"]["by_workers"] for line in history)
