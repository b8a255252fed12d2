"""A real S3 server on loopback: versitygw, on the PATH, in ~/go/bin, or named by VERSITYGW."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.object_server import ObjectServer, find_program

ACCESS, SECRET, REGION = "access", "not-to-be-shown", "us-east-1"


@dataclass
class S3Server(ObjectServer):
    """The server with its data in a folder, in which the test may look and write."""

    program = "versitygw"
    variable = "VERSITYGW"
    missing = "NO S3 SERVER: install versitygw or name it by VERSITYGW to test S3 for real"
    secrets = (SECRET,)

    def arguments(self) -> list[str]:
        (self.folder / "iam").mkdir(exist_ok=True)
        account = ["--access", ACCESS, "--secret", SECRET, "--region", REGION, "--quiet"]
        places = ["--iam-dir", str(self.folder / "iam"), "posix", str(self.folder / "data")]
        return ["--port", f"127.0.0.1:{self.port}", *account, *places]

    def add_reader(self) -> dict[str, str]:
        """Adds a user without any permission; gives the variables that make a process that user."""
        key, secret = "reader", "of-reader"
        admin = [find_program(self.program, self.variable), "admin", "--access", ACCESS]
        admin += ["--secret", SECRET, "--endpoint-url", self.endpoint, "--region", REGION]
        user = ["create-user", "--access", key, "--secret", secret, "--role", "user"]
        done = subprocess.run([*admin, *user], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}

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
