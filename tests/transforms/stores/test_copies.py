import gc
import os
import random
import subprocess
import sys
import threading

import pytest

from transforms.stores import copies
from transforms.stores.copies import Copies


def writing(data, calls):
    def download(path):
        calls.append(data)
        path.write_bytes(data)

    return download


def get(cache, name, data, calls, etag="1"):
    return cache.get(f"s3://bucket/{name}", etag, len(data), writing(data, calls))


def test_an_object_is_downloaded_once_and_again_when_it_changes(tmp_path):
    cache, calls = Copies(tmp_path, 1000), []
    assert get(cache, "a.txt", b"one", calls).read_bytes() == b"one"
    assert get(cache, "a.txt", b"one", calls).name == "a.txt"
    assert calls == [b"one"]
    assert get(cache, "a.txt", b"two", calls, etag="2").read_bytes() == b"two"
    assert calls == [b"one", b"two"]


def test_threads_that_want_one_object_download_it_once(tmp_path):
    cache, calls, found = Copies(tmp_path, 1000), [], []
    barrier = threading.Barrier(8)

    def want():
        barrier.wait()
        found.append(get(cache, "a", b"one", calls).read_bytes())

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [b"one"]
    assert found == [b"one"] * 8


def test_what_fails_leaves_nothing_and_is_tried_again(tmp_path):
    cache = Copies(tmp_path, 1000)

    def failing(path):
        path.write_bytes(b"half")
        raise OSError("cut short")

    with pytest.raises(OSError, match="cut short"):
        cache.get("s3://bucket/a", "1", 8, failing)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert get(cache, "a", b"whole", []).read_bytes() == b"whole"


def test_the_least_recently_used_go_and_those_that_are_held_stay(tmp_path):
    cache, calls = Copies(tmp_path, 30), []
    held = get(cache, "held", b"x" * 10, calls)
    get(cache, "old", b"x" * 10, calls)
    get(cache, "used", b"x" * 10, calls)
    get(cache, "old", b"x" * 10, calls)
    gc.collect()
    get(cache, "new", b"x" * 10, calls)
    there = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert there == {"held", "old", "new"}
    assert held.exists()


def test_a_copy_that_is_open_stays_readable_after_it_is_removed(tmp_path):
    cache, calls = Copies(tmp_path, 10), []
    with get(cache, "a", b"x" * 10, calls).open("rb") as file:
        get(cache, "b", b"y" * 10, calls)
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["b"]
        assert file.read() == b"x" * 10


def test_any_order_of_uses_gives_what_was_asked_for_within_the_bound(tmp_path):
    cache, choices = Copies(tmp_path, 50), random.Random(1)
    for _ in range(300):
        name = str(choices.randrange(12))
        assert get(cache, name, name.encode() * 10, []).read_bytes() == name.encode() * 10
        used = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        assert used <= 50


def test_a_file_that_was_uploaded_is_its_own_copy(tmp_path):
    cache, calls = Copies(tmp_path / "copies", 100), []
    written = tmp_path / "written"
    written.write_bytes(b"one")
    cache.adopt("s3://bucket/a", "1", 3, written)
    assert not written.exists()
    assert get(cache, "a", b"one", calls).read_bytes() == b"one"
    assert calls == []


def test_the_folder_of_a_process_goes_with_it_however_it_ends(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    code = "import os, sys; from transforms.stores.copies import scratch_folder; "
    code += "print(scratch_folder(), flush=True); os._exit(9) if 'die' in sys.argv else None"

    def scratch(*arguments):
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stdout.strip()

    assert not os.path.exists(scratch())
    left = scratch("die")
    assert os.path.exists(left)
    scratch()
    assert not os.path.exists(left)


def test_a_forked_process_has_a_folder_of_its_own():
    mine = copies.scratch_folder()
    reading, writing_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing_end, str(copies.scratch_folder()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 1000).decode()
    os.close(reading)
    os.close(writing_end)
    assert theirs != str(mine)
    assert mine.exists()
