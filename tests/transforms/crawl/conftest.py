"""Real servers on this machine: a package index (shared), a git daemon and git over HTTP."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.index_server import (  # noqa: F401 - fixtures
    hosts_that_were_left_alone,
    index,
    no_settings_of_this_machine,
    sdist,
    serving,
)
from transforms.crawl.source import Place
from transforms.web.retries import Retries


@pytest.fixture
def place(tmp_path):
    (tmp_path / "scratch").mkdir()
    return Place(cache=tmp_path / "cache", scratch=tmp_path / "scratch")


@pytest.fixture
def waits():
    """The seconds that `impatient` was told to wait."""
    return []


@pytest.fixture
def impatient(waits):
    """Retries that note their waits instead of sleeping."""
    return Retries(sleep=waits.append)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", *arguments]
    environment = os.environ | {
        "GIT_AUTHOR_DATE": "2024-05-06T07:08:09+02:00",
        "GIT_COMMITTER_DATE": "2024-05-06T07:08:09+02:00",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    answer = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return answer.stdout.decode().strip()


@dataclass
class GitFolder:
    """The repositories that the servers of a test offer."""

    root: Path

    def git(self, name: str, *arguments: str) -> str:
        return git(self.root / name, *arguments)

    def commit(self, name: str, files: dict[str, bytes | str], *, can_filter: bool = True) -> str:
        """A repository of one commit, its id returned; a text is the target of a link."""
        work = self.root / name
        if not work.exists():
            work.mkdir()
            git(work, "init", "--quiet", "--initial-branch=main")
            git(work, "config", "uploadpack.allowFilter", str(can_filter).lower())
            git(work, "config", "uploadpack.allowAnySHA1InWant", "true")
        for path, content in files.items():
            target = work / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                target.symlink_to(content)
            else:
                target.write_bytes(content)
        git(work, "add", "--all", "--force")
        git(work, "commit", "--quiet", "--allow-empty", "--message", "a commit")
        return git(work, "rev-parse", "HEAD")


@pytest.fixture
def git_folder(tmp_path) -> GitFolder:
    (tmp_path / "served").mkdir()
    return GitFolder(tmp_path / "served")


@dataclass
class Daemon:
    url: str
    stop: Callable[[], None]


@pytest.fixture
def git_daemon(git_folder) -> Iterator[Daemon]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["git", "daemon", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}"]
    command += [f"--base-path={git_folder.root}", "--export-all", str(git_folder.root)]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)

    def stop() -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()

    try:
        for _ in range(500):
            with (
                contextlib.suppress(ConnectionError),
                socket.create_connection(("127.0.0.1", port)),
            ):
                break
            time.sleep(0.01)
        yield Daemon(f"git://127.0.0.1:{port}", stop)
    finally:
        stop()


@dataclass
class GitOverHttp:
    url: str = ""
    status: int = 200
    requests: int = 0


@pytest.fixture
def git_http(git_folder) -> Iterator[GitOverHttp]:
    """`git http-backend` behind a server; set `status` to make it refuse."""
    state = GitOverHttp()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            state.requests += 1
            if state.status != 200:
                self.send_response(state.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            environment = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(git_folder.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "REQUEST_METHOD": self.command,
                "PATH_INFO": unquote(address.path),
                "QUERY_STRING": address.query,
            }
            answer = subprocess.run(
                ["git", "http-backend"], input=body, env=environment, capture_output=True
            )
            head, _, content = answer.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *arguments):
            pass

    with serving(Handler) as port:
        state.url = f"http://127.0.0.1:{port}"
        yield state
