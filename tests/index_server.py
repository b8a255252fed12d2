"""A package index on this machine, for tests that ask one or that must not leave it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest

from transforms.web.pace import Pace


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch):
    """Neither proxies nor pip's own settings may lead a test out of this machine."""
    for name in list(os.environ):
        if name.startswith("PIP_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("transforms.web.pip_settings.pip_settings", dict)


@pytest.fixture(autouse=True)
def hosts_that_were_left_alone(monkeypatch):
    """No test waits for the turns that another one took."""
    monkeypatch.setattr("transforms.web.pace._PACE", Pace())


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
