"""Real servers on this machine: a package index, a git daemon and git over HTTP."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from transforms.crawl.retries import Retries
from transforms.crawl.source import Place
from transforms.crawl.web.pace import Pace


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch):
    """Neither proxies nor pip's own settings may lead a test out of this machine."""
    for name in list(os.environ):
        if name.startswith("PIP_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("transforms.crawl.web.pip_settings.pip_settings", dict)


@pytest.fixture(autouse=True)
def hosts_that_were_left_alone(monkeypatch):
    """No test waits for the turns that another one took."""
    monkeypatch.setattr("transforms.crawl.web.pace._PACE", Pace())


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


@dataclass
class Answer:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    declared_bytes: int | None = None
    chunk_delay: float = 0.0


@dataclass
class IndexServer:
    """Answers by path: one after the other as they were added, the last one for ever."""

    port: int = 0
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    logins: list[str | None] = field(default_factory=list)
    files: dict[str, list[dict]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple/"

    def add(self, path: str, *answers: Answer) -> None:
        self.answers[path] = list(answers)

    def precede(self, path: str, **answer) -> None:
        """Gives one more answer at a path, before those that it has."""
        self.answers.setdefault(path, []).insert(0, Answer(**answer))

    def replace(self, path: str, **answer) -> None:
        self.answers[path] = [Answer(**answer)]

    def file_path(self, project: str) -> str:
        return self.files[project][-1]["url"]

    def publish(self, project: str, filename: str, content: bytes, **properties) -> str:
        """Lists a file, with its true hash unless told otherwise; returns the listed hash."""
        sha256 = properties.pop("sha256", hashlib.sha256(content).hexdigest())
        path = f"/files/{hashlib.sha256(filename.encode()).hexdigest()[:8]}"
        entry = {"filename": filename, "url": path, "hashes": {"sha256": sha256}, **properties}
        self.files.setdefault(project, []).append(entry)
        self.add(path, Answer(content))
        self.add(f"/simple/{project}/", self.page(project))
        return sha256

    def page(self, project: str) -> Answer:
        page = {"meta": {"api-version": "1.0"}, "name": project, "files": self.files[project]}
        kind = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
        return Answer(json.dumps(page).encode(), headers=kind)

    def next_answer(self, path: str) -> Answer:
        queue = self.answers.get(path, [Answer(status=404)])
        return queue.pop(0) if len(queue) > 1 else queue[0]


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def index() -> Iterator[IndexServer]:
    state = IndexServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path = unquote(urlsplit(self.path).path)
            state.paths.append(path)
            state.logins.append(self.headers.get("Authorization"))
            answer = state.next_answer(path)
            self.send_response(answer.status)
            length = len(answer.body) if answer.declared_bytes is None else answer.declared_bytes
            for name, value in ({"Content-Length": str(length)} | answer.headers).items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                step = 64 if answer.chunk_delay else len(answer.body) or 1
                for start in range(0, len(answer.body), step):
                    self.wfile.write(answer.body[start : start + step])
                    time.sleep(answer.chunk_delay)

        def log_message(self, *arguments):
            pass

    with serving(Handler) as state.port:
        yield state


def make_sdist(name: str, version: str, files: dict[str, bytes]) -> bytes:
    metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nLicense-Expression: MIT\n"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for path, content in {**files, "PKG-INFO": metadata.encode()}.items():
            info = tarfile.TarInfo(f"{name}-{version}/{path}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def sdist() -> Callable[[str, str, dict[str, bytes]], bytes]:
    return make_sdist


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
