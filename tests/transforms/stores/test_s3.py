"""S3 against a real server, and what it and its absence mean."""

import os
import subprocess
import sys
import threading
import time

import pytest

from tests.s3_server import FaultyProxy, S3Server, use_environment
from transforms.stores import s3
from transforms.stores.client import client, forget_clients
from transforms.stores.errors import StoreError
from transforms.stores.files import writing_to
from transforms.stores.requests import Family, count_requests
from transforms.stores.s3 import S3Store
from transforms.stores.store import store_at


@pytest.fixture
def store(s3_server) -> S3Store:
    return store_at("s3://bucket/run")


def test_large_objects_are_sent_in_parts(store, monkeypatch):
    monkeypatch.setattr(s3, "PART_BYTES", 5 << 20)
    data = os.urandom(12 << 20)
    with writing_to(store.output("large.bin")) as file:
        file.write(data)
    assert store.path("large.bin").read_bytes() == data
    assert [entry.etag.endswith('-3"') for entry in store.entries()] == [True]
    assert store.uploads() == []


def test_unfinished_uploads_are_found_and_given_up(store):
    begun = client(Family.CONTROL).create_multipart_upload(Bucket="bucket", Key="run/a/b")
    [upload] = store.uploads()
    assert (upload.name, upload.upload_id) == ("a/b", begun["UploadId"])
    store.abort(upload)
    store.abort(upload)
    assert store.uploads() == []


def test_listings_of_many_objects_go_over_pages(store, s3_server):
    for number in range(1100):
        s3_server.put(f"run/many/{number:04d}", b"x")
    assert [entry.name for entry in store.entries("many")] == [
        f"many/{number:04d}" for number in range(1100)
    ]
    store.delete_below("many")
    assert store.entries() == []


def test_one_client_serves_all_threads_and_its_requests_are_counted(store):
    before = count_requests()
    store.write("a", b"one")
    store.read("a")
    assert count_requests() - before == {"PutObject": 1, "HeadObject": 1, "GetObject": 1}
    assert client(Family.CONTROL) is client(Family.CONTROL)
    assert client(Family.CONTROL) is not client(Family.TRANSFER)


def test_an_object_that_was_written_here_is_not_downloaded(store):
    with writing_to(store.output("a")) as file:
        file.write(b"one")
    before = count_requests()
    assert store.path("a").read_bytes() == b"one"
    assert count_requests() - before == {"HeadObject": 1}
    store.copy((entry, f"table/{entry.name}") for entry in store.entries())
    before = count_requests()
    assert store.path("table/a").read_bytes() == b"one"
    assert count_requests() - before == {"HeadObject": 1}


def test_a_write_that_the_store_has_not_kept_is_repeated(store, monkeypatch):
    """As a server does that was killed while it put the parts of an upload together."""
    store.write("a", b"old and longer")
    calls = []
    own = client(Family.TRANSFER).put_object

    def forgetting(**arguments):
        calls.append(arguments["Key"])
        return own(**{**arguments, "Body": b"half"}) if len(calls) < 2 else own(**arguments)

    monkeypatch.setattr(client(Family.TRANSFER), "put_object", forgetting)
    store.write("a", b"whole")
    assert store.read("a") == b"whole"
    assert len(calls) == 2


def test_a_store_that_never_keeps_a_write_is_named(store, monkeypatch):
    own = client(Family.TRANSFER).put_object
    monkeypatch.setattr(
        client(Family.TRANSFER), "put_object", lambda **given: own(**{**given, "Body": b"half"})
    )
    with pytest.raises(StoreError, match="says that it has written it, and has not") as caught:
        store.write("a", b"whole")
    assert caught.value.filename == "s3://bucket/run/a"


def test_a_server_that_starts_again_while_an_object_is_written_gets_it(store, s3_server):
    s3_server.kill()
    restarting = threading.Timer(1.0, s3_server.start)
    restarting.start()
    with writing_to(store.output("a")) as file:
        file.write(b"one")
    restarting.join()
    assert store.read("a") == b"one"


@pytest.mark.parametrize("seed", range(4))
def test_a_server_killed_in_the_middle_of_parts_shows_no_half_object(
    store, s3_server, monkeypatch, seed
):
    monkeypatch.setattr(s3, "PART_BYTES", 5 << 20)
    data = os.urandom(24 << 20)

    def kill_and_start():
        s3_server.kill()
        s3_server.start()

    killing = threading.Timer(0.03 + 0.06 * seed, kill_and_start)
    killing.start()
    with writing_to(store.output("large.bin")) as file:
        file.write(data)
    killing.join()
    [entry] = store.entries()
    assert (entry.name, entry.size) == ("large.bin", len(data))
    assert (
        client(Family.TRANSFER).get_object(Bucket="bucket", Key="run/large.bin")["Body"].read()
        == data
    )


def test_an_object_that_shrinks_while_it_is_read_is_named(store, s3_server):
    store.write("a", b"x" * 1000)
    head = store._head("a")
    s3_server.bucket.joinpath("run/a").write_bytes(b"x" * 10)
    with pytest.raises(StoreError, match="it is damaged: its checksum is not that") as caught:
        store._download("a", head, s3_server.folder / "copy")
    assert caught.value.filename == "s3://bucket/run/a"


def test_an_answer_that_is_cut_short_is_asked_for_again(store, monkeypatch):
    store.write("a", b"x" * 1000)
    calls = []
    own = client(Family.TRANSFER).get_object

    def cutting(**arguments):
        calls.append(arguments["Key"])
        part = {"Range": "bytes=0-9"} if len(calls) < 2 else {}
        return own(**arguments, **part)

    monkeypatch.setattr(client(Family.TRANSFER), "get_object", cutting)
    assert store.path("a").read_bytes() == b"x" * 1000
    assert len(calls) == 2


def refusal(address="s3://bucket/run") -> str:
    with pytest.raises(StoreError) as caught:
        store_at(address).write("a", b"one")
    text = f"{caught.value.filename}: {caught.value.strerror}"
    assert "not-to-be-shown" not in text
    assert "\n" not in text
    return text


def test_every_refusal_says_what_to_do(s3_server, monkeypatch, tmp_path):
    def with_environment(**changes):
        use_environment(monkeypatch, s3_server.environment(**changes))

    assert "there is no bucket other; create it" in refusal(address="s3://other/run")
    with_environment(AWS_SECRET_ACCESS_KEY="wrong")
    assert "correct AWS_SECRET_ACCESS_KEY" in refusal()
    with_environment(AWS_ACCESS_KEY_ID="nobody")
    assert "does not know the access key" in refusal()
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    nothing = {k: v for k, v in s3_server.environment().items() if "KEY" not in k}
    use_environment(monkeypatch, nothing)
    assert "no credentials were found; set AWS_ACCESS_KEY_ID" in refusal()


def test_a_user_without_permission_is_told_which_it_needs(s3_server, monkeypatch):
    changes = s3_server.add_reader()
    use_environment(monkeypatch, s3_server.environment(**changes))
    assert "no permission; the credentials need, for bucket bucket, s3:ListBucket" in refusal()


def test_a_server_that_is_down_is_an_error_in_seconds(tmp_path, monkeypatch):
    server = S3Server(tmp_path)
    use_environment(monkeypatch, server.environment())
    started = time.monotonic()
    assert "the store does not answer" in refusal()
    assert time.monotonic() - started < 60
    forget_clients()


def answer(status: str, code: str) -> bytes:
    body = f"<Error><Code>{code}</Code><Message>again</Message></Error>"
    return (
        f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    ).encode()


UNAVAILABLE = answer("503 Slow Down", "SlowDown")
FAILED = answer("500 Internal Server Error", "InternalError")


@pytest.mark.parametrize(
    "faults",
    [
        [UNAVAILABLE] * 3,
        [FAILED] * 3,
        [None] * 2,
        [b"HTTP/1.1 200 OK\r\nContent-Le"],
        [FAILED, None, UNAVAILABLE],
    ],
)
def test_a_store_that_fails_for_a_while_is_asked_again(store, s3_server, monkeypatch, faults):
    proxy = FaultyProxy(s3_server, list(faults))
    monkeypatch.setattr(Family.TRANSFER, "_value_", 0.5)
    with proxy.running() as endpoint:
        use_environment(monkeypatch, s3_server.environment(AWS_ENDPOINT_URL=endpoint))
        store.write("a", b"one")
        assert store.read("a") == b"one"
    assert proxy.faults == []
    assert proxy.connections > len(faults)


def test_a_store_that_fails_for_ever_is_named_with_what_it_says(store, s3_server, monkeypatch):
    proxy = FaultyProxy(s3_server, [UNAVAILABLE] * 100)
    with proxy.running() as endpoint:
        use_environment(monkeypatch, s3_server.environment(AWS_ENDPOINT_URL=endpoint))
        with pytest.raises(
            StoreError, match=r"the store answers 503 SlowDown \(again\); it failed"
        ):
            store.write("a", b"one")
    assert proxy.connections == 10


def test_what_is_only_told_ends_no_work_when_the_store_is_away(store, s3_server):
    store.tell("progress/one.json", b"{}")
    assert store.read("progress/one.json") == b"{}"
    s3_server.kill()
    store.tell("progress/one.json", b"lost")
    s3_server.start()
    assert store.read("progress/one.json") == b"{}"


def test_without_boto3_the_command_that_installs_it_is_named(monkeypatch):
    forget_clients()
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(StoreError, match=r"pip install 'repomill\[s3\]'"):
        client(Family.CONTROL)
    forget_clients()


def test_reading_and_writing_on_a_disk_imports_no_boto3(tmp_path):
    code = "import sys; from transforms.stores.store import store_at; import pipeline.places; "
    code += f"store_at({str(tmp_path)!r}).write('a', b''); print('boto3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
