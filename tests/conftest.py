"""What all tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.gcs_server import GcsServer, use_server
from tests.s3_server import S3Server, use_environment
from transforms.stores.client import forget_clients
from transforms.stores.gcs_client import forget_client

# The first call of a kernel compiles it, which is no fault of the example. Each run draws other
# examples, so that half as many as usual find the same in twice the runs.
settings.register_profile("repomill", deadline=None, max_examples=50)
settings.load_profile("repomill")


@pytest.fixture
def s3_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A real S3 server, with its credentials in the environment."""
    server = S3Server(tmp_path / "s3")
    server.start()
    use_environment(monkeypatch, server.environment())
    try:
        yield server
    finally:
        server.kill()
        forget_clients()


@pytest.fixture
def gcs_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GcsServer]:
    """A server that speaks like Google Cloud Storage, named in the environment."""
    server = GcsServer(tmp_path / "gcs")
    server.start()
    use_server(monkeypatch, server.endpoint)
    try:
        yield server
    finally:
        server.kill()
        forget_client()
