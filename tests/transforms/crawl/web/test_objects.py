"""Objects of a real S3 server, where there is one."""

import hashlib
import io
import os
import socket
import time
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.failures import Reason
from tests.object_server import free_port
from transforms.crawl.source import CrawlError, Limits, SourceFile
from transforms.crawl.sources.archive import ArchiveSource
from transforms.crawl.sources.rows import ParquetSource
from transforms.crawl.web import objects


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "access")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-to-be-shown")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    objects._store.cache_clear()
    yield
    objects._store.cache_clear()


@pytest.fixture
def store(s3_server):
    objects._store.cache_clear()
    return s3_server


def is_python(path):
    return path.endswith(".py")


def zip_bytes(name="a.py"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        # Its own entry, so that no time of day makes two archives of the same file differ.
        archive.writestr(zipfile.ZipInfo(f"root/{name}"), b"a = 1\n")
    return buffer.getvalue()


def read(source, request, place, limits=Limits()):  # noqa: B008
    return list(source.fetch(request, place, limits).read(is_python, limits))


def test_lists_archives_by_pattern_and_reads_them(store, place):
    for key in ("x/a.zip", "x/deep/b.zip", "y/c.zip", "y/.hidden.zip", "z.zip", "x/a.txt"):
        store.put(key, zip_bytes())

    def names(pattern):
        source = ArchiveSource(paths=(f"s3://bucket/{pattern}",))
        assert source.problem(place.cache) is None
        return [request.repository for request in source.requests(place)]

    assert names("x/a.zip") == ["archive/bucket/x/a"]
    assert names("*/*.zip") == ["archive/bucket/x/a", "archive/bucket/y/c"]
    assert names("?.zip") == ["archive/bucket/z"]
    assert names("x/**/*.zip") == ["archive/bucket/x/a", "archive/bucket/x/deep/b"]
    assert len(names("**/*.zip")) == 4
    with pytest.raises(ValueError, match="matches no file"):
        names("none/*.zip")
    source = ArchiveSource(paths=("s3://bucket/x/a.zip",))
    (request,) = source.requests(place)
    assert read(source, request, place) == [SourceFile("a.py", b"a = 1\n")]
    revision = source.fetch(request, place, Limits()).facts.revision
    assert revision == hashlib.sha256(zip_bytes()).hexdigest()


def test_reads_data_files_and_keeps_nothing(store, place):
    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": ["x = 1\n" * 500_000], "repo": ["o/p"]}), buffer)
    store.put("set/train-0.parquet", buffer.getvalue())
    store.put("set/train-1.parquet", buffer.getvalue())
    columns = {"content": "text", "repository": "repo"}
    source = ParquetSource(paths=("s3://bucket/set/*.parquet",), columns=columns, name="set")
    limits = Limits(max_file_bytes=4_000_000)
    found = [
        (name, held.facts.revision)
        for request in source.requests(place)
        for name, held in source.fetch(request, place, limits).repositories(is_python, limits)
    ]
    assert found == [
        ("parquet/set/o/p", "bucket/set/train-0.parquet"),
        ("parquet/set/o/p", "bucket/set/train-1.parquet"),
    ]
    assert list(place.scratch.iterdir()) == []


def test_names_what_a_store_refuses(store, place, monkeypatch, impatient):
    monkeypatch.setattr(ArchiveSource, "retries", impatient)
    store.put("a.zip", zip_bytes())

    def failure(address, limits=Limits()):  # noqa: B008
        source = ArchiveSource(paths=(address,))
        (request,) = source.requests(place)
        with pytest.raises(CrawlError) as caught:
            source.fetch(request, place, limits)
        assert "not-to-be-shown" not in caught.value.detail
        return caught.value.reason

    assert failure("s3://bucket/absent.zip") is Reason.NOT_FOUND
    assert failure("s3://absent/a.zip") is Reason.NOT_FOUND
    assert failure("s3://bucket/a.zip#sha256=" + "0" * 64) is Reason.HASH_MISMATCH
    small = Limits(max_repository_bytes=10)
    assert failure("s3://bucket/a.zip", small) is Reason.REPOSITORY_TOO_LARGE
    assert "no bucket absent" in ArchiveSource(paths=("s3://absent/a.zip",)).problem(place.cache)
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "wrong")
            objects._store.cache_clear()
            assert failure("s3://bucket/a.zip") is Reason.ACCESS_DENIED
            objects._store.cache_clear()


@pytest.mark.parametrize("closes", [True, False])
def test_a_store_that_does_not_answer_ends_within_its_time(place, monkeypatch, closes, impatient):
    monkeypatch.setattr(ArchiveSource, "retries", impatient)
    monkeypatch.setattr(objects, "REQUEST_SECONDS", 1.0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        if not closes:
            silent.listen(8)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        source = ArchiveSource(paths=("s3://bucket/a.zip",))
        assert "AWS_ENDPOINT_URL" in source.problem(place.cache)
        (request,) = source.requests(place)
        started = time.monotonic()
        with pytest.raises(CrawlError) as caught:
            source.fetch(request, place, Limits(attempts=1, timeout_seconds=30))
        assert time.monotonic() - started < 20
    assert caught.value.reason is Reason.UNREACHABLE


def test_a_pattern_in_a_store_that_does_not_answer_is_named(place, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    source = ArchiveSource(paths=("s3://bucket/*.zip",))
    assert source.state() == ""
    with pytest.raises(CrawlError) as caught:
        list(source.requests(place))
    assert caught.value.reason is Reason.UNREACHABLE
