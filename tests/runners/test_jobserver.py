import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from runners.jobserver import JobServer
from runners.members import can_connect, free_port
from runners.settings import RunnerError

LISTEN = """
import socket, sys, time
port = int(sys.argv[sys.argv.index("--job-port") + 1])
server = socket.create_server(("127.0.0.1", port))
print("listening", flush=True)
time.sleep(600)
"""


@pytest.fixture
def java(tmp_path, monkeypatch):
    """A `java` that runs a Python program in place of the jar."""

    def write(program):
        (tmp_path / "server.py").write_text(program)
        home = tmp_path / "home"
        (home / "bin").mkdir(parents=True, exist_ok=True)
        script = home / "bin" / "java"
        server = tmp_path / "server.py"
        script.write_text(f'#!/bin/sh\nexec {sys.executable} {server} "$@"\n')
        script.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(home))
        return JobServer(tmp_path / "any.jar", [], [])

    return write


def test_takes_jobs_as_long_as_the_context_lasts(java):
    with java(LISTEN).running() as endpoint:
        host, port = endpoint.split(":")
        assert can_connect(host, int(port))
    assert not can_connect(host, int(port))


def test_says_what_a_server_said_that_ends(java):
    with (
        pytest.raises(RunnerError, match=r"(?s)ended. It said:.*no such class"),
        java("import sys; sys.exit('no such class')").running(),
    ):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_ends_with_a_process_that_is_killed(java, tmp_path):
    java(LISTEN)
    program = (
        "from pathlib import Path; import time\n"
        "from runners.jobserver import JobServer\n"
        "with JobServer(Path('any.jar'), [], []).running() as endpoint:\n"
        "    print(endpoint, flush=True); time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        host, port = process.stdout.readline().strip().split(":")
        os.kill(process.pid, signal.SIGKILL)
    end = time.monotonic() + 30
    while can_connect(host, int(port)):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_free_port_is_nobodys():
    port = free_port()
    assert not can_connect("127.0.0.1", port)
    with socket.create_server(("127.0.0.1", port)):
        assert can_connect("127.0.0.1", port)
