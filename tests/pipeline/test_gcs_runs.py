"""Whole runs in Google Cloud Storage, on a server that speaks like it."""

import json
import random
import signal
import time
from pathlib import Path

import pytest

from pipeline.places import run_at
from pipeline.verification import committed_tables, verify_run
from tests.pipeline.conftest import write_configuration, write_projects
from tests.pipeline.object_stores import call, start
from tests.pipeline.runs import CORPUS_TABLES, digests
from transforms.stores.errors import MissingObjectError
from transforms.stores.store import store_at

RUN = "gs://bucket/runs/one"
KILLS = 2


@pytest.fixture
def configuration(finished) -> Path:
    return finished.path / "config.yaml"


@pytest.mark.timeout(600)
def test_a_run_in_gcs_says_what_a_run_on_a_disk_says(gcs_server, finished, configuration):
    call(gcs_server, "run", configuration, "--output", RUN)
    run = run_at(RUN)
    assert digests(run) == digests(finished)
    assert set(digests(run)) == set(CORPUS_TABLES)
    assert [verdict for verdict in verify_run(run) if verdict.problems] == []
    # Nothing is left beside the tables: no staging, no lock, no probe.
    beside = {entry.name for entry in run.store.entries() if "/" not in entry.name}
    assert beside == {"config.yaml", "history.jsonl"}
    lines = [json.loads(line) for line in run.store.read("history.jsonl").splitlines()]
    assert all(sum(line["requests"].values()) > 10 for line in lines)
    assert all("objects.insert" in line["requests"] for line in lines)
    _, errors = call(gcs_server, "run", configuration, "--output", RUN)
    assert errors.count("up to date") == len(lines)


@pytest.mark.timeout(600)
def test_a_process_killed_at_any_moment_loses_no_committed_stage(
    gcs_server, finished, configuration
):
    expected, moments = digests(finished), random.Random(7)
    committed: dict[str, str] = {}
    for _ in range(KILLS):
        process = start(gcs_server, "run", configuration, "--output", RUN)
        time.sleep(moments.uniform(4.0, 14.0))
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate()
        # The lock of a dead process of this machine keeps nobody out.
        assert "in use" not in errors
        run = run_at(RUN)
        run.recover_if_free()
        found = {manifest.table: manifest.digest for manifest in committed_tables(run)}
        assert found.items() <= expected.items()
        assert committed.items() <= found.items()
        committed = found
    call(gcs_server, "run", configuration, "--output", RUN)
    assert digests(run_at(RUN)) == expected


@pytest.mark.timeout(300)
def test_a_second_run_on_one_output_is_told_who_has_it(gcs_server, configuration):
    first = start(gcs_server, "run", configuration, "--output", RUN)
    try:
        deadline = time.monotonic() + 60
        while not store_at(RUN).exists(".lock"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        _, errors = call(gcs_server, "run", configuration, "--output", RUN, status=1)
        assert f"{RUN} is in use by process {first.pid} on " in errors
        assert "which has it since 20" in errors
    finally:
        first.kill()
        first.communicate()


@pytest.mark.timeout(300)
def test_refusals_are_one_line_with_the_cure(gcs_server, configuration, tmp_path):
    def refusal(output: str = RUN, **changes: str) -> str:
        arguments = ("run", configuration, "--output", output)
        [line] = call(gcs_server, *arguments, status=1, **changes)[1].splitlines()
        return line

    assert "there is no bucket other; create it" in refusal("gs://other/run")
    nobody = {"STORAGE_EMULATOR_HOST": "", "NO_GCE_CHECK": "true", "HOME": str(tmp_path)}
    assert "no credentials were found; name a key file" in refusal(**nobody)
    with pytest.raises(MissingObjectError):
        store_at(RUN).read("config.yaml")
    gcs_server.kill()
    started = time.monotonic()
    assert "the store does not answer" in refusal()
    assert time.monotonic() - started < 60


@pytest.mark.timeout(300)
def test_the_file_and_its_lists_can_be_in_gcs(gcs_server, tmp_path):
    write_projects(tmp_path / "projects")
    lists = store_at("gs://bucket/lists")
    lists.write("opt-out.txt", b"directory/alpha\n")
    problem = {"task_id": "pets/0", "prompt": "total = first + second + 5001 and so on " * 3}
    lists.write("pets.jsonl", json.dumps(problem).encode())
    path = write_configuration(
        tmp_path,
        output=RUN,
        opt_out={"lists": ["gs://bucket/lists/opt-out.txt"]},
        contamination={"benchmarks": ["gs://bucket/lists/pets.jsonl"]},
    )
    lists.write("first.yaml", path.read_bytes())
    output, _ = call(gcs_server, "run", "gs://bucket/lists/first.yaml", "--stage", "select")
    assert "(1 opted out before the crawl)" in output
    _, errors = call(gcs_server, "run", "gs://bucket/none.yaml", status=2)
    assert "no configuration at gs://bucket/none.yaml" in errors
