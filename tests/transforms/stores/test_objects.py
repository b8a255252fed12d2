"""What stores of objects have in common, on a real server of each."""

import threading

import pytest

from transforms.stores.errors import MissingObjectError
from transforms.stores.store import ObjectStore, object_store_at


@pytest.fixture(params=["s3", "gs"])
def store(request) -> ObjectStore:
    request.getfixturevalue({"s3": "s3_server", "gs": "gcs_server"}[request.param])
    return object_store_at(f"{request.param}://bucket/run")


def test_of_many_who_add_an_object_one_wins(store):
    won = []
    barrier = threading.Barrier(10)

    def add(number):
        barrier.wait()
        if store.add("lock", f"{number}".encode()):
            won.append(number)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.read("lock") == f"{won[0]}".encode()


def test_an_object_that_is_ours_already_counts_as_added(store):
    first = store.add("manifest.json", b"same")
    assert first is not None
    assert store.add("manifest.json", b"same") == first
    assert store.add("manifest.json", b"other") is None
    assert store.read("manifest.json") == b"same"


def test_only_the_object_that_was_seen_is_replaced(store):
    etag = store.add("lock", b"one")
    second = store.replace("lock", b"two", etag)
    assert second not in (None, etag)
    assert store.replace("lock", b"three", etag) is None
    held = store.hold("lock")
    assert (held.data, held.etag) == (b"two", second)
    assert held.age_seconds < 30
    store.delete(["lock"])
    assert store.replace("lock", b"four", second) is None


def test_copies_inside_of_the_store_keep_what_they_hold(store):
    store.write(".staging/a", b"one")
    store.write("a", b"old")
    store.copy((entry, "a") for entry in store.entries(".staging"))
    assert store.read("a") == b"one"


def test_what_is_missing_is_both_a_missing_file_and_an_error_of_the_store(store):
    with pytest.raises(MissingObjectError, match="there is no such object"):
        store.read("none")
    with pytest.raises(FileNotFoundError):
        store.path("none")
