"""Google Cloud Storage against a server that speaks like it, and what its answers mean."""

import os
import subprocess
import sys
import threading
import time

import pytest
import requests
from google.api_core.exceptions import from_http_status
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from google.cloud.storage.exceptions import DataCorruption

from tests.gcs_server import GcsServer, use_server
from tests.s3_server import FaultyProxy
from transforms.stores import gcs
from transforms.stores.errors import (
    BusyObjectError,
    MissingObjectError,
    PassingError,
    StoreError,
)
from transforms.stores.files import writing_to
from transforms.stores.gcs import GcsStore
from transforms.stores.gcs_client import forget_client, gcs_client
from transforms.stores.patience import naming
from transforms.stores.requests import Family, count_requests
from transforms.stores.store import store_at


@pytest.fixture
def store(gcs_server) -> GcsStore:
    return store_at("gs://bucket/run")


def test_the_age_of_an_object_is_by_the_clock_of_the_store(store, monkeypatch):
    store.write("lock", b"one")
    monkeypatch.setattr(time, "time", lambda: 0.0)
    time.sleep(2.1)
    assert 1.0 < store.hold("lock").age_seconds < 30


def test_an_object_written_between_two_requests_is_held_as_it_is_then(store, monkeypatch):
    store.write("lock", b"one")
    own = GcsStore._get

    def overtaken(self, name):
        got = own(self, name)
        if got[1] == b"one":
            self.write(name, b"two")
        return got

    monkeypatch.setattr(GcsStore, "_get", overtaken)
    held = store.hold("lock")
    assert (held.data, held.etag) == (b"two", store._head("lock").etag)


def test_a_large_object_is_copied_by_several_requests(store, monkeypatch):
    store.write("a", b"one")
    blob = type(store._blob("a"))
    own, tokens = blob.rewrite, []

    def in_steps(self, source, token=None, **options):
        tokens.append(token)
        return ("next", 1, 3) if token is None else own(self, source, **options)

    monkeypatch.setattr(blob, "rewrite", in_steps)
    store.copy((entry, "b") for entry in store.entries())
    assert tokens == [None, "next"]
    assert store.read("b") == b"one"


def test_large_objects_are_sent_in_parts(store, monkeypatch):
    monkeypatch.setattr(gcs, "PART_BYTES", 4 << 20)
    data = os.urandom(9 << 20)
    before = count_requests()
    with writing_to(store.output("large.bin")) as file:
        file.write(data)
    # One request begins it, three carry it.
    assert count_requests() - before == {"objects.insert": 4, "objects.get": 1}
    assert store.read("large.bin") == data
    assert store.abort_uploads() == []


def test_listings_go_over_pages(store, gcs_server, monkeypatch):
    for number in range(25):
        gcs_server.put(f"run/many/{number:04d}", b"x")
    own = gcs_client().list_blobs
    monkeypatch.setattr(
        gcs_client(), "list_blobs", lambda *given, **named: own(*given, page_size=10, **named)
    )
    before = count_requests()
    assert [entry.name for entry in store.entries("many")] == [
        f"many/{number:04d}" for number in range(25)
    ]
    assert count_requests() - before == {"objects.list": 3}
    store.delete_below("many")
    assert store.entries() == []


def test_one_client_serves_all_threads_and_its_requests_are_counted(store):
    before = count_requests()
    store.write("a", b"one")
    store.read("a")
    store.copy([(store.entries()[0], "b")])
    store.delete(["a", "none"])
    assert count_requests() - before == {
        "objects.insert": 1,
        "objects.get": 2,
        "objects.list": 1,
        "objects.rewrite": 1,
        "objects.delete": 2,
    }
    found = []
    threads = [threading.Thread(target=lambda: found.append(gcs_client())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {id(each) for each in found} == {id(gcs_client())}


def test_a_forked_process_makes_a_client_of_its_own(store):
    store.write("a", b"one")
    parent = gcs_client()
    process = os.fork()
    if process == 0:
        try:
            own = gcs_client() is not parent and store.read("a") == b"one"
            os._exit(0 if own else 1)
        finally:
            os._exit(2)
    assert os.waitpid(process, 0)[1] == 0
    assert gcs_client() is parent


def test_an_object_that_was_written_here_is_not_downloaded(store):
    with writing_to(store.output("a")) as file:
        file.write(b"one of its own, for no other test's copy")
    before = count_requests()
    assert store.path("a").read_bytes() == b"one of its own, for no other test's copy"
    assert count_requests() - before == {"objects.get": 1}
    store.copy((entry, f"table/{entry.name}") for entry in store.entries())
    before = count_requests()
    assert store.path("table/a").read_bytes() == store.read("a")
    assert count_requests() - before == {"objects.get": 2}


def test_an_object_that_is_another_when_it_is_read_is_named(store, tmp_path):
    store.write("a", b"one")
    head = store._head("a")
    store.write("a", b"two")
    with pytest.raises(BusyObjectError, match="it was written while it was read") as caught:
        store._download("a", head, tmp_path / "copy")
    assert caught.value.filename == "gs://bucket/run/a"


def test_a_write_that_the_store_has_not_kept_is_repeated(store, monkeypatch):
    store.write("a", b"old and longer")
    blob = type(store._blob("a"))
    own, calls = blob.upload_from_string, []

    def forgetting(self, data, *given, **named):
        calls.append(data)
        return own(self, b"half" if len(calls) < 2 else data, *given, **named)

    monkeypatch.setattr(blob, "upload_from_string", forgetting)
    store.write("a", b"whole")
    assert store.read("a") == b"whole"
    assert len(calls) == 2


def test_a_store_that_never_keeps_a_write_is_named(store, monkeypatch):
    blob = type(store._blob("a"))
    own = blob.upload_from_string
    monkeypatch.setattr(
        blob, "upload_from_string", lambda self, data, *given, **named: own(self, b"half", *given)
    )
    with pytest.raises(StoreError, match="says that it has written it, and has not") as caught:
        store.write("a", b"whole")
    assert caught.value.filename == "gs://bucket/run/a"


def test_a_server_that_starts_again_while_an_object_is_written_gets_it(store, gcs_server):
    gcs_server.kill()
    restarting = threading.Timer(1.0, gcs_server.start)
    restarting.start()
    with writing_to(store.output("a")) as file:
        file.write(b"one")
    restarting.join()
    assert store.read("a") == b"one"


@pytest.mark.parametrize("seed", range(2))
def test_a_server_killed_in_the_middle_of_parts_shows_no_half_object(
    store, gcs_server, monkeypatch, seed
):
    monkeypatch.setattr(gcs, "PART_BYTES", 4 << 20)
    data = os.urandom(24 << 20)

    def kill_and_start():
        gcs_server.kill()
        gcs_server.start()

    killing = threading.Timer(0.1 + 0.2 * seed, kill_and_start)
    killing.start()
    with writing_to(store.output("large.bin")) as file:
        file.write(data)
    killing.join()
    [entry] = store.entries()
    assert (entry.name, entry.size) == ("large.bin", len(data))
    assert store.read("large.bin") == data


def test_an_upload_that_the_store_has_forgotten_begins_anew(store, monkeypatch):
    data = os.urandom(9 << 20)
    blob = type(store._blob("a"))
    own, calls = blob.upload_from_file, []

    def forgotten(self, *given, **named):
        calls.append(named["size"])
        if len(calls) < 2:
            raise from_http_status(404, "no such upload")
        return own(self, *given, **named)

    monkeypatch.setattr(blob, "upload_from_file", forgotten)
    with writing_to(store.output("a")) as file:
        file.write(data)
    assert calls == [len(data)] * 2
    assert store.read("a") == data


def test_what_is_only_told_ends_no_work_when_the_store_is_away(store, gcs_server):
    store.tell("progress/one.json", b"{}")
    assert store.read("progress/one.json") == b"{}"
    gcs_server.kill()
    store.tell("progress/one.json", b"lost")
    gcs_server.start()
    assert store.read("progress/one.json") == b"{}"


def test_a_bucket_that_is_missing_is_named_by_writes_and_listings(gcs_server):
    with pytest.raises(StoreError, match="there is no bucket other; create it") as caught:
        store_at("gs://other/run").write("a", b"one")
    assert not isinstance(caught.value, MissingObjectError)
    with pytest.raises(StoreError, match="there is no bucket other; create it"):
        store_at("gs://other/run").entries()


def test_a_server_that_is_down_is_an_error_in_seconds(tmp_path, monkeypatch):
    use_server(monkeypatch, GcsServer(tmp_path).endpoint)
    started = time.monotonic()
    with pytest.raises(StoreError, match=r"does not answer .* check the network"):
        store_at("gs://bucket/run").write("a", b"one")
    assert time.monotonic() - started < 60
    forget_client()


def answer(status: str, reason: str) -> bytes:
    body = f'{{"error": {{"message": "again", "errors": [{{"reason": "{reason}"}}]}}}}'
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    ).encode()


UNAVAILABLE = answer("503 Service Unavailable", "backendError")
TOO_MANY = answer("429 Too Many Requests", "rateLimitExceeded")


@pytest.mark.parametrize(
    "faults",
    [
        [UNAVAILABLE] * 3,
        [TOO_MANY] * 2,
        [None] * 2,
        [b"HTTP/1.1 200 OK\r\nContent-Le"],
        [answer("403 Forbidden", "userRateLimitExceeded"), None, UNAVAILABLE],
    ],
)
def test_a_store_that_fails_for_a_while_is_asked_again(store, gcs_server, monkeypatch, faults):
    proxy = FaultyProxy(gcs_server, list(faults))
    monkeypatch.setattr(Family.TRANSFER, "_value_", 0.5)
    with proxy.running() as endpoint:
        use_server(monkeypatch, endpoint)
        store.write("a", b"one")
        assert store.read("a") == b"one"
    assert proxy.faults == []
    assert proxy.connections > len(faults)


def test_a_store_that_fails_for_ever_is_named_with_what_it_says(store, gcs_server, monkeypatch):
    proxy = FaultyProxy(gcs_server, [UNAVAILABLE] * 100)
    with proxy.running() as endpoint:
        use_server(monkeypatch, endpoint)
        with pytest.raises(StoreError, match=r"the store answers 503 .*; it failed each time"):
            store.entries()
    assert proxy.connections == 5


def refused(status: int, reason: str = "") -> Exception:
    errors = [{"reason": reason}] if reason else []
    return from_http_status(status, "POST https://x/?upload_id=secret: said", errors=errors)


@pytest.mark.parametrize(
    ("error", "kind", "cure"),
    [
        (DefaultCredentialsError("none"), StoreError, "no credentials were found; name a key file"),
        (RefreshError("invalid_grant"), StoreError, r"are refused \(invalid_grant\); renew them"),
        (TransportError("no route"), PassingError, r"does not answer \(no route\); check the net"),
        (refused(401), StoreError, "refuses the credentials; .* GOOGLE_APPLICATION_CREDENTIALS"),
        (
            refused(403, "forbidden"),
            StoreError,
            r"no permission \(403 .*\); it takes, for bucket b, stor",
        ),
        (refused(403, "quotaExceeded"), StoreError, "raise the quota of the project"),
        (refused(403, "rateLimitExceeded"), PassingError, "the store answers 403"),
        (refused(410), PassingError, "the store answers 410"),
        (refused(400), StoreError, r"the store answers 400 \(400 POST said\)"),
        (refused(412), BusyObjectError, "another process has written it"),
        (refused(404), MissingObjectError, "there is no such object"),
        (DataCorruption(None, "crc32c"), StoreError, "it is damaged: its checksum is not that"),
        (requests.exceptions.InvalidURL("no host"), StoreError, "correct STORAGE_EMULATOR_HOST"),
    ],
)
def test_every_refusal_says_what_to_do(error, kind, cure):
    with pytest.raises(kind, match=cure) as caught, naming("gs://b/run"):
        raise error
    assert type(caught.value) is kind
    assert caught.value.filename == "gs://b/run"
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_credentials_at_all_are_named(monkeypatch, tmp_path):
    for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    # Otherwise it is asked of the network whether this is one of Google's machines.
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    forget_client()
    with pytest.raises(StoreError, match=r"no credentials were found; .* a service account"):
        store_at("gs://bucket/run").entries()
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(StoreError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        store_at("gs://bucket/run").entries()
    forget_client()


@pytest.mark.parametrize("ask", [gcs_client, lambda: store_at("gs://b/run").read("a")])
def test_without_the_client_the_command_that_installs_it_is_named(monkeypatch, ask):
    forget_client()
    monkeypatch.setitem(sys.modules, "google.cloud.storage", None)
    with pytest.raises(StoreError, match=r"pip install 'repomill\[gs\]'"):
        ask()
    forget_client()


def test_reading_and_writing_on_a_disk_imports_no_client(tmp_path):
    code = "import sys; from transforms.stores.store import store_at; import pipeline.places; "
    code += f"store_at({str(tmp_path)!r}).write('a', b''); "
    code += "print('google.cloud.storage' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
