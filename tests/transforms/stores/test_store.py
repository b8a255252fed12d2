"""What all kinds of stores promise, each asked the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.stores.files import writing_to
from transforms.stores.store import LocalStore, local_path, store_at


@pytest.fixture(params=["disk", "s3", "gs"])
def store(request, tmp_path):
    if request.param == "disk":
        return store_at(str(tmp_path / "folder"))
    request.getfixturevalue({"s3": "s3_server", "gs": "gcs_server"}[request.param])
    return store_at(f"{request.param}://bucket/some/where")


def names(store, folder=""):
    return [entry.name for entry in store.entries(folder)]


def test_what_is_written_is_read(store):
    store.write("a/b.json", b"one")
    assert store.read("a/b.json") == b"one"
    assert store.path("a/b.json").read_bytes() == b"one"
    store.write("a/b.json", b"two")
    assert store.read("a/b.json") == b"two"
    assert store.path("a/b.json").read_bytes() == b"two"
    assert local_path(store.address("a/b.json")).read_bytes() == b"two"


def test_what_is_not_there_is_named(store):
    assert not store.exists("a")
    with pytest.raises(FileNotFoundError) as caught:
        store.read("a")
    assert str(caught.value.filename) == store.address("a")
    with pytest.raises(FileNotFoundError):
        store.path("a").read_bytes()
    assert names(store) == []
    assert store.read_all("none", ".json") == {}


def test_entries_are_all_files_below_a_folder_in_order(store):
    for name in ("b/2", "a", "b/1/x", "bb/1"):
        store.write(name, name.encode())
    assert names(store) == ["a", "b/1/x", "b/2", "bb/1"]
    assert names(store, "b") == ["b/1/x", "b/2"]
    assert [entry.size for entry in store.entries("b")] == [5, 3]


def test_small_files_of_a_folder_are_read_together(store):
    store.write("receipts/one.json", b"1")
    store.write("receipts/two.json", b"2")
    store.write("receipts/two.txt", b"no")
    store.write("receipts/below/three.json", b"no")
    assert store.read_all("receipts", ".json") == {"one": b"1", "two": b"2"}
    store.write("receipts/one.json", b"11")
    store.delete(["receipts/two.json"])
    assert store.read_all("receipts", ".json") == {"one": b"11"}


def test_a_file_is_there_when_it_is_whole(store):
    with writing_to(store.output("a/b.bin")) as file:
        file.write(b"one")
        file.flush()
        assert names(store, "a") in ([], [f"a/.{file.name.split('/.')[-1]}"])
        assert not store.exists("a/b.bin")
    assert store.read("a/b.bin") == b"one"


def test_what_breaks_off_leaves_the_old_one(store):
    store.write("a", b"old")

    def write_and_fail():
        with writing_to(store.output("a")) as file:
            file.write(b"new")
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_and_fail()
    assert store.read("a") == b"old"
    assert names(store) == ["a"]


def test_deleting_what_is_not_there_does_no_harm(store):
    store.write("a/1", b"")
    store.write("a/2", b"")
    store.write("b", b"")
    store.delete(["a/1", "none"])
    store.delete([])
    assert names(store) == ["a/2", "b"]
    store.delete_below("a")
    store.delete_below("a")
    assert names(store) == ["b"]


def test_a_place_for_one_worker_is_on_this_machine(store):
    path = store.local("log.txt")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("text")
    assert store.local("log.txt").read_text() == "text"


@given(st.dictionaries(st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3})?\.x", fullmatch=True), st.binary()))
def test_a_disk_holds_what_was_written(tmp_path_factory, files):
    store = LocalStore(tmp_path_factory.mktemp("store"))
    for name, data in files.items():
        store.write(name, data, durable=False)
    assert {entry.name: entry.size for entry in store.entries()} == {
        name: len(data) for name, data in files.items()
    }
