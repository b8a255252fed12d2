"""A real S3 server on loopback: versitygw, on the PATH, in ~/go/bin, or named by VERSITYGW."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ACCESS, SECRET, REGION = "access", "not-to-be-shown", "us-east-1"
BUCKET = "bucket"


def find_server() -> str | None:
    built = Path.home() / "go" / "bin" / "versitygw"
    return os.environ.get("VERSITYGW") or shutil.which("versitygw") or shutil.which(str(built))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class S3Server:
    """The server with its data in a folder, in which the test may look and write."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def bucket(self) -> Path:
        return self.folder / "data" / BUCKET

    def start(self) -> None:
        server = find_server()
        if server is None:
            pytest.skip(
                "NO S3 SERVER: install versitygw or name it by VERSITYGW to test S3 for real"
            )
        self.bucket.mkdir(parents=True, exist_ok=True)
        (self.folder / "iam").mkdir(exist_ok=True)
        command = [server, "--port", f"127.0.0.1:{self.port}", "--access", ACCESS]
        command += ["--secret", SECRET, "--region", REGION, "--quiet"]
        command += ["--iam-dir", str(self.folder / "iam"), "posix", str(self.folder / "data")]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(1000):
            # Otherwise who answers may be the server of another test.
            if self.process.poll() is not None:
                raise OSError(f"the S3 server ended: {(self.folder / 'server.log').read_text()}")
            with (
                contextlib.suppress(ConnectionError),
                socket.create_connection(("127.0.0.1", self.port)),
            ):
                return
            time.sleep(0.02)
        raise TimeoutError("the S3 server did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def put(self, key: str, content: bytes) -> None:
        path = self.bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def environment(self, **changes: str) -> dict[str, str]:
        """What a process needs to know of the server, without what the machine says of others."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **own,
            "AWS_ACCESS_KEY_ID": ACCESS,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            **changes,
        }


def use_environment(monkeypatch: pytest.MonkeyPatch, environment: dict[str, Any]) -> None:
    """Makes the variables of AWS those of a server, and no client remember others."""
    from transforms.stores.client import forget_clients

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    forget_clients()


@dataclass
class FaultyProxy:
    """Stands before a server and spoils the first answers: by these bytes, or by silence."""

    server: S3Server
    faults: list[bytes | None]
    connections: int = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """The address at which it listens."""
        listener = socket.create_server(("127.0.0.1", 0))

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    self.connections += 1
                    threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _serve(self, connection: socket.socket) -> None:
        fault = self.faults.pop(0) if self.faults else b""
        with contextlib.suppress(OSError), connection:
            if fault is None:
                time.sleep(5)
            elif fault:
                connection.recv(1 << 16)
                connection.sendall(fault)
            else:
                with socket.create_connection(("127.0.0.1", self.server.port)) as other:
                    back = threading.Thread(target=_pump, args=(other, connection), daemon=True)
                    back.start()
                    _pump(connection, other)
                    back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
