import datetime
import hashlib
import json
import multiprocessing
import os
import shutil
import time
from pathlib import Path

import pytest
from filelock import FileLock

from schemas.failures import Reason
from transforms.web import eviction
from transforms.web.downloads import Downloads
from transforms.web.errors import FetchError
from transforms.web.eviction import making_room

MOMENT = datetime.datetime(2024, 5, 6, tzinfo=datetime.UTC)
LARGE = 1 << 30
FACTS_BYTES = len(json.dumps({"released": {"a-1.0.tar.gz": MOMENT.isoformat()}}))


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def content_of(number, size=1000):
    return f"{number:08}".encode() * (size // 8)


def sha256_of(content):
    return hashlib.sha256(content).hexdigest()


def store(downloads, content, scratch, filename="a-1.0.tar.gz"):
    return downloads.store(iter([content]), sha256_of(content), filename, MOMENT, scratch)


def names(cache):
    return sorted(path.name for path in (cache / "downloads").glob("[0-9a-f]*"))


def used(cache):
    return sum(path.stat().st_size for path in (cache / "downloads").glob("[0-9a-f]*/*"))


def test_finds_what_was_stored_and_what_was_said_of_it(cache, scratch):
    stored = store(Downloads(cache, LARGE), b"content", scratch)
    found = Downloads(cache, LARGE).find(sha256_of(b"content"), scratch)
    assert found.path.read_bytes() == stored.path.read_bytes() == b"content"
    assert found.path.name == "a-1.0.tar.gz"
    assert found.released == stored.released == MOMENT
    assert Downloads(cache, LARGE).find("0" * 64, scratch) is None


def test_files_of_one_content_have_each_their_own_release(cache, scratch):
    downloads, sha256 = Downloads(cache, LARGE), sha256_of(b"content")
    store(downloads, b"content", scratch)
    later = MOMENT + datetime.timedelta(days=900)
    downloads.store(iter([b"content"]), sha256, "b-2.0.tar.gz", later, scratch)
    for name, moment in {"a-1.0.tar.gz": MOMENT, "b-2.0.tar.gz": later}.items():
        found = downloads.find(sha256, scratch, name.__eq__)
        assert (found.path.name, found.released) == (name, moment)


@pytest.mark.parametrize("text", ["", "[", "{}", '{"released": "x"}', '{"released": {"a": "x"}}'])
def test_fetches_again_what_nothing_is_known_of(cache, scratch, text):
    store(Downloads(cache, LARGE), b"content", scratch)
    (path,) = cache.rglob(eviction.RELEASE)
    path.write_text(text)
    assert Downloads(cache, LARGE).find(sha256_of(b"content"), scratch) is None


def test_a_file_that_is_used_takes_no_more_room(cache, scratch):
    downloads = Downloads(cache, LARGE)
    store(downloads, b"content", scratch)
    found = downloads.find(sha256_of(b"content"), scratch)
    assert found.path.stat().st_nlink == 3


def test_copies_where_there_are_no_hard_links(cache, scratch, monkeypatch):
    def refuse(self, target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    downloads = Downloads(cache, LARGE)
    store(downloads, b"content", scratch)
    found = downloads.find(sha256_of(b"content"), scratch)
    assert found.path.read_bytes() == b"content"
    assert found.path.stat().st_nlink == 1


def test_keeps_nothing_that_has_not_the_promised_hash(cache, scratch):
    with pytest.raises(FetchError) as caught:
        Downloads(cache, LARGE).store(iter([b"x"]), "0" * 64, "a-1.0.zip", None, scratch)
    assert caught.value.reason is Reason.HASH_MISMATCH
    assert not list(scratch.rglob("*.zip"))
    assert not cache.exists()


@pytest.mark.parametrize(
    ("filename", "sha256"),
    [("../a-1.0.zip", "0" * 64), ("/a-1.0.zip", "0" * 64), ("a-1.0.zip", "../../x")],
)
def test_refuses_names_that_lead_elsewhere(cache, scratch, filename, sha256):
    with pytest.raises(ValueError, match="unchecked"):
        Downloads(cache, LARGE).store(iter([b""]), sha256, filename, None, scratch)


def test_stays_below_its_limit_and_the_least_recently_used_goes_first(cache, scratch):
    limit = 10 * (1000 + FACTS_BYTES)
    downloads = Downloads(cache, limit)
    for number in range(10):
        store(downloads, content_of(number), scratch)
        os.utime(next((cache / "downloads").glob(f"{sha256_of(content_of(number))}/a*")), (0, 0))
    assert len(names(cache)) == 10
    # The first is used again, so that others go before it.
    for number in range(10):
        path = next((cache / "downloads").glob(f"{sha256_of(content_of(number))}/a*"))
        os.utime(path, (1000 + number, 1000 + number))
    assert downloads.find(sha256_of(content_of(0)), scratch) is not None
    store(downloads, content_of(10), scratch)
    assert used(cache) <= limit
    assert names(cache) == sorted(sha256_of(content_of(n)) for n in [0, *range(3, 11)])


def test_a_file_in_use_survives_that_it_goes(cache, scratch):
    downloads = Downloads(cache, 3000)
    first = store(downloads, content_of(0), scratch)
    for number in range(1, 9):
        store(downloads, content_of(number), scratch)
    assert sha256_of(content_of(0)) not in names(cache)
    assert first.path.read_bytes() == content_of(0)
    assert downloads.find(sha256_of(content_of(0)), scratch) is None


def test_does_not_keep_what_alone_is_too_large(cache, scratch):
    downloads = Downloads(cache, 100)
    assert store(downloads, bytes(101), scratch).path.read_bytes() == bytes(101)
    assert not cache.exists()


def test_never_removes_what_is_not_its_own(cache, scratch, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "release.json").write_text("{}")
    (outside / "b-1.0.tar.gz").write_bytes(bytes(5000))
    folder = cache / "downloads"
    folder.mkdir(parents=True)
    (folder / ("a" * 64)).symlink_to(outside)
    (folder / "notes.txt").write_text("mine")
    (folder / "mine").mkdir()
    (folder / "mine" / "b-1.0.tar.gz").write_bytes(bytes(5000))
    mixed = folder / ("b" * 64)
    mixed.mkdir()
    (mixed / "notes.txt").write_text("mine")
    (mixed / "b-1.0.tar.gz").write_bytes(bytes(5000))
    (mixed / "c-1.0.tar.gz").symlink_to(outside / "b-1.0.tar.gz")
    (cache / "other").write_bytes(bytes(5000))
    store(Downloads(cache, 2000), content_of(0), scratch)
    store(Downloads(cache, 2000), content_of(1), scratch)
    assert len(list(outside.iterdir())) == 2
    assert (folder / ("a" * 64)).is_symlink()
    assert (folder / "mine" / "b-1.0.tar.gz").exists()
    assert (cache / "other").exists()
    assert sorted(path.name for path in mixed.iterdir()) == ["c-1.0.tar.gz", "notes.txt"]


def test_removes_what_killed_processes_left_behind(cache, scratch):
    downloads = Downloads(cache, LARGE)
    folder = cache / "downloads"
    entry = folder / sha256_of(b"content")
    entry.mkdir(parents=True)
    old, new = ".a-1.0.tar.gz.123-0123abcd.tmp", ".a-1.0.tar.gz.124-0123abcd.tmp"
    for place in (folder, entry):
        for name in (old, new):
            (place / name).write_bytes(b"half")
        os.utime(place / old, (time.time() - 7200,) * 2)
    store(downloads, b"content", scratch)
    for place in (folder, entry):
        assert not (place / old).exists()
        assert (place / new).exists()


def test_counts_again_after_a_day(cache, scratch):
    store(Downloads(cache, LARGE), content_of(0), scratch)
    folder = cache / "downloads"
    shutil.rmtree(folder / sha256_of(content_of(0)))

    def recorded():
        return json.loads((folder / eviction.USAGE).read_bytes())["bytes"]

    for later, expected in [(0, 1000 + FACTS_BYTES + 7), (100_000, 0)]:
        with making_room(folder, 7, LARGE, clock=lambda later=later: time.time() + later):
            pass
        assert recorded() == expected


@pytest.mark.parametrize("text", ["", "{", "[]", '{"bytes": "x"}', '{"bytes": null}'])
def test_counts_again_where_its_count_is_damaged(cache, scratch, text):
    store(Downloads(cache, LARGE), content_of(0), scratch)
    (cache / "downloads" / eviction.USAGE).write_text(text)
    for number in range(1, 5):
        store(Downloads(cache, 3000), content_of(number), scratch)
    assert used(cache) <= 3000


def test_a_process_that_never_lets_go_costs_a_download_only(cache, scratch, monkeypatch):
    monkeypatch.setattr(eviction, "LOCK_SECONDS", 0.1)
    (cache / "downloads").mkdir(parents=True)
    with FileLock(cache / "downloads" / eviction.LOCK):
        assert store(Downloads(cache, LARGE), b"content", scratch).path.exists()
    assert names(cache) == []


def _use(cache, scratch, seed, limit):
    """Stores and finds the same few files as others do, many times, with little room."""
    folder = scratch / str(seed)
    folder.mkdir()
    downloads = Downloads(cache, limit)
    hits = 0
    for step in range(150):
        content = content_of((step * (seed + 1)) % 12)
        found = downloads.find(sha256_of(content), folder)
        hits += found is not None
        if found is None:
            found = store(downloads, content, folder)
        assert found.path.read_bytes() == content
    return hits


def test_processes_share_a_cache_that_is_too_small_for_them(cache, scratch):
    limit = 6 * (1000 + FACTS_BYTES)
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        hits = pool.starmap(_use, [(cache, scratch, seed, limit) for seed in range(4)])
    assert sum(hits) > 0
    assert 0 < used(cache) <= limit
    # What it says that it holds is what it holds.
    recorded = json.loads((cache / "downloads" / eviction.USAGE).read_bytes())["bytes"]
    assert used(cache) <= recorded <= limit


def test_a_cache_that_cannot_be_written_keeps_nothing_and_stops_nobody(cache, scratch):
    cache.write_text("a file, where a folder should be")
    stored = store(Downloads(cache, LARGE), b"content", scratch)
    assert stored.path.read_bytes() == b"content"
    assert not Downloads(cache, LARGE).has(sha256_of(b"content"))


def test_a_cache_that_is_only_read_gives_what_it_holds(cache, scratch, monkeypatch):
    store(Downloads(cache, LARGE), b"content", scratch)

    # Tests may run as a user whom no permission stops.
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "utime", refuse)
    found = Downloads(cache, LARGE).find(sha256_of(b"content"), scratch)
    assert found.path.read_bytes() == b"content"
