"""A server that speaks like Google Cloud Storage on loopback: fake-gcs-server, on the PATH, in
~/go/bin, or named by FAKE_GCS_SERVER.

It honors the conditions of writes, but neither those of downloads nor credentials.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from tests.s3_server import free_port

BUCKET = "bucket"


def find_server() -> str | None:
    built = Path.home() / "go" / "bin" / "fake-gcs-server"
    named = os.environ.get("FAKE_GCS_SERVER")
    return named or shutil.which("fake-gcs-server") or shutil.which(str(built))


@dataclass
class GcsServer:
    """The server with its objects in a folder."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        server = find_server()
        if server is None:
            pytest.skip(
                "NO GCS SERVER: install fake-gcs-server or name it by FAKE_GCS_SERVER to test gs://"
            )
        (self.folder / "data" / BUCKET).mkdir(parents=True, exist_ok=True)
        command = [server, "-scheme", "http", "-host", "127.0.0.1", "-port", str(self.port)]
        command += ["-backend", "filesystem", "-filesystem-root", str(self.folder / "data")]
        command += ["-external-url", self.endpoint, "-log-level", "error"]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(1000):
            # Otherwise who answers may be the server of another test.
            if self.process.poll() is not None:
                raise OSError(f"the GCS server ended: {(self.folder / 'server.log').read_text()}")
            with (
                contextlib.suppress(ConnectionError),
                socket.create_connection(("127.0.0.1", self.port)),
            ):
                return
            time.sleep(0.02)
        raise TimeoutError("the GCS server did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def put(self, key: str, content: bytes) -> None:
        address = f"{self.endpoint}/upload/storage/v1/b/{BUCKET}/o"
        query = {"uploadType": "media", "name": key}
        requests.post(address, params=query, data=content, timeout=30).raise_for_status()

    def environment(self, **changes: str) -> dict[str, str]:
        """What a process needs to know of the server, without what the machine says of others."""
        foreign = ("GOOGLE_", "STORAGE_", "CLOUDSDK_")
        own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return {**own, "STORAGE_EMULATOR_HOST": self.endpoint, **changes}


def use_server(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Makes a server the one of ``gs://``, and no client remember others."""
    from transforms.stores.gcs_client import forget_client

    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", endpoint)
    forget_client()
