"""SIGKILL at random moments: what was committed stays, and what was not is never taken for it."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from pipeline.folder import RunFolder
from pipeline.verification import committed_tables, verify_run
from tests.pipeline.runs import CORPUS_TABLES, digests

KILLS = 12
# Long enough to reach any stage, short enough to be killed in most of them.
LONGEST_SECONDS = 5.0


def start(configuration, output):
    command = [sys.executable, "-m", "pipeline", "run", str(configuration)]
    return subprocess.Popen(
        [*command, "--output", str(output)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.timeout(600)
def test_a_process_killed_at_any_moment_loses_no_committed_stage(finished, tmp_path):
    configuration = finished.path / "config.yaml"
    expected = digests(finished)
    run = RunFolder(tmp_path / "killed")
    moments = random.Random(7)
    committed: dict[str, str] = {}
    kills = 0
    for _ in range(KILLS):
        process = start(configuration, run.path)
        try:
            process.wait(moments.uniform(0.3, LONGEST_SECONDS))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
        else:
            assert process.returncode == 0, process.communicate()[1]
        if not run.path.exists():
            continue
        run.recover()
        # A table that exists is the right one, whole, and was not lost since it was committed.
        found = {manifest.table: manifest.digest for manifest in committed_tables(run)}
        assert found.items() <= expected.items()
        assert committed.items() <= found.items()
        assert [verdict for verdict in verify_run(run) if verdict.problems] == []
        committed = found
        if len(committed) == len(expected):
            break
    assert kills > 0
    process = start(configuration, run.path)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert digests(run) == expected
    assert set(expected) == set(CORPUS_TABLES)
    assert not list(run.path.glob("**/*.tmp"))


def test_ctrl_c_ends_quickly_and_leaves_a_resumable_run(configure, tmp_path):
    configuration = configure()
    run = RunFolder(tmp_path / "interrupted")
    process = start(configuration, run.path)
    deadline = time.monotonic() + 60
    while not (run.path / "repositories" / "manifest.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted: run the same command again to resume" in errors
    assert "Traceback" not in errors
    process = start(configuration, run.path)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "crawl        up to date" in errors
