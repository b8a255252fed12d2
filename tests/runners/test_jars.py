import pytest

from runners.jars import JobServerJar
from runners.settings import RunnerError

JAR = JobServerJar("beam-runners-flink-1.19-job-server", "flink")


@pytest.fixture
def maven(tmp_path, monkeypatch):
    """A Maven whose shell script a test writes; it finds the job server nowhere if not told so."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def write(*lines):
        (folder / "mvn").write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
        (folder / "mvn").chmod(0o755)

    write("exit 1")
    return write


BUILD = (
    'case "$*" in *:copy*) exit 1;; esac',
    "while [ $1 != --file ]; do shift; done",
    'folder=$(dirname "$2")/target; mkdir -p "$folder"; echo built > "$folder/job-server-1.jar"',
)
FETCH = (
    'for each; do case "$each" in -DoutputDirectory=*) folder=${each#*=};; esac; done',
    'echo fetched > "$folder/server.jar"',
)


def test_a_ready_made_jar_is_taken_where_the_registry_has_it(maven, tmp_path):
    maven(*FETCH)
    told = []
    assert JAR.provide(tmp_path, told.append).read_text() == "fetched\n"
    assert told == ["the job server for flink is fetched by Maven, once", ""]


def test_one_is_built_where_it_has_none_and_kept(maven, tmp_path):
    maven(*BUILD)
    told = []
    jar = JAR.provide(tmp_path, told.append)
    assert jar.read_text() == "built\n"
    assert "is built by Maven" in told[1]
    maven("exit 1")
    assert JAR.provide(tmp_path, told.append) == jar
    assert JAR.problem(tmp_path) is None


def test_says_what_maven_says_where_it_can_do_neither(maven, tmp_path):
    maven("echo no network >&2", "exit 1")
    with pytest.raises(RunnerError, match=r"(?s)name a jar that you have.*no network"):
        JAR.provide(tmp_path, lambda line: None)
    assert not list((tmp_path / "job-servers").glob("*.jar"))


def test_needs_maven_where_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "there is no `mvn`" in JAR.problem(tmp_path)


def test_another_engine_has_another_place(tmp_path):
    other = JobServerJar("beam-runners-spark-3-job-server", "spark")
    assert other.cached(tmp_path) != JAR.cached(tmp_path)
