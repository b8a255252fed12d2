import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from runners.flink import FlinkCluster
from runners.members import free_port
from runners.names import EngineName
from runners.portable import PortableEngine
from runners.settings import EngineSettings, WorkerSettings


@pytest.fixture
def manager():
    """What a job manager's REST address says, as a test sets it."""
    said = {
        "/overview": {"flink-version": "1.19.2", "slots-total": 2},
        "/jobs/overview": {"jobs": []},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(said[self.path]).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        said["url"] = f"127.0.0.1:{server.server_port}"
        yield said
        server.shutdown()
        thread.join()


def cluster(url="", **more):
    return FlinkCluster(EngineSettings(EngineName.FLINK, url=url, **more))


def test_a_cluster_that_fits_has_no_problem(manager):
    assert cluster(manager["url"]).problems() == []


def test_an_address_without_a_port_is_refused():
    assert "Flink's address is HOST:PORT" in cluster("example").problems()[0]


def test_a_closed_port_is_told_with_what_to_start():
    port = free_port()
    (problem,) = cluster(f"127.0.0.1:{port}").problems()
    assert problem.startswith(f"nobody listens at 127.0.0.1:{port}: start the cluster")


def test_something_else_that_listens_is_told_apart(manager):
    manager["/overview"] = {"something": "else"}
    assert "is no Flink job manager" in cluster(manager["url"]).problems()[0]


def test_another_version_and_no_task_managers_are_told_at_once(manager):
    manager["/overview"] = {"flink-version": "1.18.1", "slots-total": 0}
    other, empty = cluster(manager["url"]).problems()
    assert "runs Flink 1.18.1, Beam's job server speaks 1.19" in other
    assert "has no task manager: start one" in empty


def test_a_job_is_linked_once_the_cluster_knows_it(manager):
    found = cluster(manager["url"])
    assert found.link("repomill-crawl") == ""
    manager["/jobs/overview"] = {"jobs": [{"jid": "0a", "name": "repomill-crawl"}]}
    assert found.link("repomill-crawl") == f"http://{manager['url']}/#/job/running/0a/overview"


def test_an_embedded_one_is_told_how_much_to_do_at_a_time():
    assert cluster(workers=3).job_arguments() == ["--parallelism=3"]
    assert cluster().server_arguments() == ["--flink-master", "[local]"]
    assert cluster().link("repomill-crawl") == ""


def test_a_cluster_decides_by_itself_how_much_to_do_at_a_time():
    named = cluster("http://host:8081")
    assert not [each for each in named.job_arguments() if "parallelism" in each]
    assert named.server_arguments() == ["--flink-master", "host:8081"]


def test_a_job_of_a_cluster_begins_again_when_a_task_manager_is_lost():
    arguments = cluster("host:8081", workers=64).job_arguments()
    assert "--number_of_execution_retries=3" in arguments
    assert "--parallelism=64" in arguments


def test_workers_of_a_cluster_elsewhere_must_be_named(manager, tmp_path):
    jar = tmp_path / "server.jar"
    jar.touch()
    settings = EngineSettings(EngineName.FLINK, url="192.0.2.1:8081", jar=str(jar))
    quiet = type("Quiet", (FlinkCluster,), {"problems": lambda self: []})
    (problem,) = PortableEngine(quiet(settings)).problems()
    assert "workers in this process cannot be reached from 192.0.2.1:8081" in problem
    named = EngineSettings(
        EngineName.FLINK, url="192.0.2.1:8081", jar=str(jar), worker=WorkerSettings(image="i")
    )
    assert PortableEngine(quiet(named)).problems() == []


def test_a_jar_that_is_not_there_is_refused(tmp_path):
    settings = EngineSettings(EngineName.FLINK, jar=str(tmp_path / "none.jar"))
    (problem,) = PortableEngine(FlinkCluster(settings)).problems()
    assert problem.startswith("runner.jar:")
    assert "is no file that can be read" in problem
