import socket

import pytest

from runners.members import free_port
from runners.names import EngineName
from runners.settings import EngineSettings
from runners.spark import SparkCluster


def cluster(url="", **more):
    return SparkCluster(EngineSettings(EngineName.SPARK, url=url, **more))


@pytest.mark.parametrize("url", ["127.0.0.1:7077", "spark://host", "yarn"])
def test_an_address_that_is_none_of_sparks_is_refused(url):
    assert "Spark's address is spark://HOST:PORT" in cluster(url).problems()[0]


def test_a_closed_port_is_told_with_what_to_start():
    port = free_port()
    (problem,) = cluster(f"spark://127.0.0.1:{port}").problems()
    assert problem.startswith(f"nobody listens at 127.0.0.1:{port}: start the cluster")


def test_a_master_that_listens_is_no_problem():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert cluster(f"spark://127.0.0.1:{server.getsockname()[1]}").problems() == []


def test_an_embedded_one_runs_as_many_tasks_as_asked_and_tries_each_again():
    assert cluster(workers=3).server_arguments() == ["--spark-master-url=local[3,4]"]


def test_what_runs_here_listens_here_only():
    assert "-Dspark.driver.bindAddress=127.0.0.1" in cluster().machine_options()
    elsewhere = cluster("spark://192.0.2.1:7077").machine_options()
    assert not [option for option in elsewhere if "bindAddress" in option]


def test_a_cluster_is_asked_for_no_more_cores_than_wanted():
    options = cluster("spark://192.0.2.1:7077", workers=8).machine_options()
    assert "-Dspark.cores.max=8" in options


def test_there_is_no_link_while_nothing_runs():
    assert cluster().link("repomill-crawl") == ""
