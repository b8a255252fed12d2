"""A server that speaks like Google Cloud Storage on loopback: fake-gcs-server, on the PATH, in
~/go/bin, or named by FAKE_GCS_SERVER.

It honors the conditions of writes, but neither those of downloads nor credentials.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest
import requests

from tests.object_server import BUCKET, ObjectServer


@dataclass
class GcsServer(ObjectServer):
    """The server with its objects in a folder."""

    program = "fake-gcs-server"
    variable = "FAKE_GCS_SERVER"
    missing = "NO GCS SERVER: install fake-gcs-server or name it by FAKE_GCS_SERVER to test gs://"

    def arguments(self) -> list[str]:
        place = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(self.port)]
        data = ["-backend", "filesystem", "-filesystem-root", str(self.folder / "data")]
        return [*place, *data, "-external-url", self.endpoint, "-log-level", "error"]

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
