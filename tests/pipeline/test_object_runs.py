"""Whole runs in an object store, on a real server that fails in every way that it can."""

import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.commands import app
from pipeline.errors import UserError
from pipeline.places import run_at
from pipeline.verification import committed_tables, verify_run
from tests.pipeline.conftest import write_configuration, write_projects
from tests.pipeline.object_stores import call, start
from tests.pipeline.runs import CORPUS_TABLES, digests
from tests.s3_server import SECRET, S3Server
from transforms.stores.store import store_at

RUN = "s3://bucket/runs/one"
KILLS = 4


def ask(*arguments: object) -> str:
    """What a command that only reads prints, asked in this process."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.exception
    return result.output


@pytest.fixture
def configuration(finished) -> Path:
    return finished.path / "config.yaml"


@pytest.mark.timeout(600)
def test_a_run_in_a_store_says_what_a_run_on_a_disk_says(s3_server, finished, configuration):
    call(s3_server, "run", configuration, "--output", RUN)
    run = run_at(RUN)
    assert digests(run) == digests(finished)
    assert set(digests(run)) == set(CORPUS_TABLES)
    assert [verdict for verdict in verify_run(run) if verdict.problems] == []
    # Nothing is left beside the tables: no staging, no lock, no probe, no unfinished upload.
    beside = {entry.name for entry in run.store.entries() if "/" not in entry.name}
    assert beside == {"config.yaml", "history.jsonl"}
    assert {entry.name.split("/")[0] for entry in run.store.entries()} == beside | {
        table.split("/")[0] for table in CORPUS_TABLES
    }
    assert run.store.uploads() == []
    lines = [json.loads(line) for line in run.store.read("history.jsonl").splitlines()]
    assert all(sum(line["requests"].values()) > 10 for line in lines)
    files = [entry.name for entry in run.store.entries()]
    assert not any(SECRET.encode() in run.store.read(name) for name in files)

    _, errors = call(s3_server, "run", configuration, "--output", RUN)
    assert errors.count("up to date") == len(lines)
    for command, *arguments in (
        ("status",),
        ("digest",),
        ("why", "alpha:alpha/core.py"),
        ("similar", finished.path.parent / "projects/beta/core.py"),
        ("rules", "--set", "line_too_long=null"),
        ("verify",),
    ):
        assert ask(command, RUN, *arguments) == ask(command, finished.path, *arguments)
    assert ask("card", RUN).startswith(f"Written: {RUN}/README.md\n")
    assert f"listed in {RUN}/attribution.csv" in ask("attribution", RUN)
    assert run.store.read("README.md").startswith(b"---\npretty_name: one\n")
    assert run.store.read("attribution.csv").startswith(b"repository,")


@pytest.mark.timeout(600)
def test_a_server_killed_again_and_again_delays_a_run_and_damages_nothing(
    s3_server, finished, configuration
):
    moments, done = random.Random(3), threading.Event()
    kills = 0

    def kill_and_start():
        nonlocal kills
        while not done.wait(moments.uniform(0.5, 4.0)):
            s3_server.kill()
            time.sleep(moments.uniform(0, 1.0))
            s3_server.start()
            kills += 1

    killing = threading.Thread(target=kill_and_start)
    killing.start()
    try:
        call(s3_server, "run", configuration, "--output", RUN)
    finally:
        done.set()
        killing.join()
    assert kills > 2
    run = run_at(RUN)
    assert digests(run) == digests(finished)
    assert [verdict for verdict in verify_run(run) if verdict.problems] == []


@pytest.mark.timeout(600)
def test_a_process_killed_at_any_moment_loses_no_committed_stage(
    s3_server, finished, configuration
):
    expected, moments = digests(finished), random.Random(11)
    committed: dict[str, str] = {}
    kills = 0
    for _ in range(KILLS):
        process = start(s3_server, "run", configuration, "--output", RUN)
        time.sleep(moments.uniform(3.0, 16.0))
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate()
        # The lock of a dead process of this machine keeps nobody out.
        assert "in use" not in errors
        kills += 1
        run = run_at(RUN)
        run.recover_if_free()
        found = {manifest.table: manifest.digest for manifest in committed_tables(run)}
        assert found.items() <= expected.items()
        assert committed.items() <= found.items()
        for manifest in committed_tables(run):
            assert run.missing_files(manifest) == []
        committed = found
    call(s3_server, "run", configuration, "--output", RUN)
    assert kills == KILLS
    assert digests(run_at(RUN)) == expected


@pytest.mark.timeout(300)
def test_a_second_run_on_one_output_is_told_who_has_it(s3_server, configuration):
    first = start(s3_server, "run", configuration, "--output", RUN)
    try:
        lock = s3_server.bucket / "runs/one/.lock"
        deadline = time.monotonic() + 60
        while not lock.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        _, errors = call(s3_server, "run", configuration, "--output", RUN, status=1)
        assert f"{RUN} is in use by process {first.pid} on " in errors
        assert "which has it since 20" in errors
        _, errors = call(s3_server, "verify", RUN, "--clean", status=1)
        assert f"{RUN} is in use by process {first.pid} on " in errors
    finally:
        first.kill()
        first.communicate()


@pytest.mark.timeout(300)
def test_every_refusal_is_one_line_with_the_cure(s3_server, configuration, tmp_path):
    def refusal(output: str = RUN, **changes: str) -> str:
        arguments = ("run", configuration, "--output", output)
        [line] = call(s3_server, *arguments, status=1, **changes)[1].splitlines()
        return line

    assert "there is no bucket other; create it" in refusal("s3://other/run")
    assert "correct AWS_SECRET_ACCESS_KEY" in refusal(AWS_SECRET_ACCESS_KEY="wrong")
    assert "does not know the access key" in refusal(AWS_ACCESS_KEY_ID="nobody")
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": str(tmp_path)}
    assert "no credentials were found; set AWS_ACCESS_KEY_ID" in refusal(**nothing)
    reader = s3_server.add_reader()
    assert "no permission; the credentials need" in refusal(**reader)
    s3_server.kill()
    started = time.monotonic()
    assert "the store does not answer" in refusal()
    assert time.monotonic() - started < 60
    s3_server.start()
    assert not (s3_server.bucket / "runs").exists()


@pytest.mark.timeout(300)
def test_a_truncated_object_is_named_and_made_again(s3_server, finished, configuration):
    arguments = ("run", configuration, "--output", RUN, "--stage", "annotate")
    call(s3_server, *arguments)
    victim = s3_server.bucket / "runs/one/documents/part-00000.parquet"
    victim.write_bytes(victim.read_bytes()[:100])
    output, errors = call(s3_server, "verify", RUN, status=1)
    assert "documents/part-00000.parquet has 100 bytes, the manifest says" in output
    assert "repomill run CONFIG --redo crawl" in errors
    _, errors = call(s3_server, "digest", RUN, status=1)
    assert "documents/part-00000.parquet is gone or has another size" in errors
    call(s3_server, *arguments, "--redo", "crawl")
    call(s3_server, "verify", RUN)


@pytest.mark.timeout(300)
def test_the_file_its_lists_and_the_server_can_all_be_named_by_the_configuration(
    s3_server, tmp_path
):
    write_projects(tmp_path / "projects")
    lists = store_at("s3://bucket/lists")
    lists.write("opt-out.txt", b"directory/alpha\n")
    problem = {"task_id": "pets/0", "prompt": "total = first + second + 5001 and so on " * 3}
    lists.write("pets.jsonl", json.dumps(problem).encode())
    path = write_configuration(
        tmp_path,
        output=RUN,
        endpoint=s3_server.endpoint,
        opt_out={"lists": ["s3://bucket/lists/opt-out.txt"]},
        contamination={"benchmarks": ["s3://bucket/lists/pets.jsonl"]},
    )
    elsewhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    output, _ = call(s3_server, "run", path, "--stage", "select", **elsewhere)
    assert "(1 opted out before the crawl)" in output
    written = run_at(RUN).store.read("config.yaml").decode()
    assert f"endpoint: {s3_server.endpoint}" in written
    assert "ACCESS" not in written
    lists.write("again.yaml", path.read_bytes())
    arguments = ("run", "s3://bucket/lists/again.yaml", "--stage", "select")
    _, errors = call(s3_server, *arguments)
    assert errors.count("up to date") == 6
    _, errors = call(s3_server, "run", "s3://bucket/none.yaml", status=2)
    assert "no configuration at s3://bucket/none.yaml" in errors


@pytest.mark.timeout(300)
def test_a_store_that_is_full_is_named_and_a_resumed_run_completes(
    tmp_path, finished, configuration
):
    server = S3Server(tmp_path / "s3")
    data = server.folder / "data"
    data.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", data], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("NO SMALL DISK: only root may mount one to test a store that is full")
    try:
        server.start()
        _, errors = call(server, "run", configuration, "--output", RUN, status=1)
        assert "the store" in errors
        assert "run the same command again" in errors
        with_room = ["mount", "-o", "remount,size=100m", data]
        subprocess.run(with_room, check=True)
        call(server, "run", configuration, "--output", RUN)
        output, _ = call(server, "digest", RUN)
        assert output == ask("digest", finished.path)
    finally:
        server.kill()
        subprocess.run(["umount", data], check=True)
        shutil.rmtree(server.folder, ignore_errors=True)


def test_a_bucket_alone_is_no_place_for_a_run(s3_server):
    with pytest.raises(UserError, match="name a place in the bucket"):
        run_at("s3://bucket/")
    assert os.listdir(s3_server.bucket) == []
