import hashlib
import threading
from dataclasses import replace

import pytest

from schemas.failures import Reason
from tests.index_server import Answer
from transforms.trace.environments.mirror import Mirror, MirrorSettings
from transforms.web.errors import FetchError


@pytest.fixture
def mirror(index, tmp_path, impatient):
    def make(**settings):
        return Mirror(tmp_path / "cache", MirrorSettings(index.url, **settings), impatient)

    return make


@pytest.fixture
def scratch(tmp_path):
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def reason(action, *arguments):
    with pytest.raises(FetchError) as failure:
        action(*arguments)
    return failure.value.reason


def test_files_are_fetched_once_for_all_projects(index, mirror, scratch):
    index.publish("a", "a-1.0.tar.gz", b"content")
    for _ in range(3):
        one = mirror()
        listing = one.listing("a")
        assert one.file(listing.files[0], listing, scratch).read_bytes() == b"content"
    assert index.paths == ["/simple/a/", index.file_path("a")]


def test_threads_that_want_the_same_fetch_it_once(index, mirror, scratch):
    index.publish("a", "a-1.0.tar.gz", b"content" * 100)
    index.replace(index.file_path("a"), body=b"content" * 100, chunk_delay=0.002)
    one = mirror()
    listing = one.listing("a")
    threads = [
        threading.Thread(target=one.file, args=(listing.files[0], listing, scratch))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert index.paths.count(index.file_path("a")) == 1


def test_a_file_of_another_hash_is_refused(index, mirror, scratch):
    index.publish("a", "a-1.0.tar.gz", b"content", sha256="0" * 64)
    listing = mirror().listing("a")
    assert reason(mirror().file, listing.files[0], listing, scratch) is Reason.HASH_MISMATCH


@pytest.mark.parametrize("size", [None, 7])
def test_a_file_that_is_too_large_is_refused(index, mirror, scratch, size):
    index.publish("a", "a-1.0.tar.gz", b"content")
    small = mirror(max_file_bytes=5)
    listing = small.listing("a")
    file = replace(listing.files[0], size=size)
    assert reason(small.file, file, listing, scratch) is Reason.REPOSITORY_TOO_LARGE


def test_without_network_what_the_cache_has_is_all_there_is(index, mirror, scratch):
    index.publish("a", "a-1.0.tar.gz", b"one")
    index.publish("a", "a-2.0.tar.gz", b"two", **{"core-metadata": {"sha256": "1" * 64}})
    online = mirror()
    listing = online.listing("a")
    online.file(listing.files[1], listing, scratch)
    index.add("/simple/a/", Answer(status=503))
    offline = mirror(fresh_seconds=-1).listing("a")
    assert [file.filename for file in offline.files] == ["a-2.0.tar.gz"]
    assert offline.files[0].metadata is None
    assert reason(mirror().listing, "b") is Reason.NOT_FOUND


def test_a_project_that_the_index_removed_is_gone(index, mirror):
    index.publish("a", "a-1.0.tar.gz", b"one")
    mirror().listing("a")
    index.add("/simple/a/", Answer(status=404))
    assert reason(mirror(fresh_seconds=-1).listing, "a") is Reason.NOT_FOUND


def test_a_busy_index_is_asked_again(index, mirror):
    index.publish("a", "a-1.0.tar.gz", b"one")
    index.precede("/simple/a/", status=503)
    assert mirror().listing("a").files


def test_metadata_is_passed_on_where_it_has_its_hash(index, mirror):
    text = b"Metadata-Version: 2.1\n"
    sha256 = hashlib.sha256(text).hexdigest()
    index.publish("a", "a-1.0.tar.gz", b"one", **{"core-metadata": {"sha256": sha256}})
    index.add(index.file_path("a") + ".metadata", Answer(text), Answer(b"another"))
    listing = mirror().listing("a")
    assert mirror().metadata(listing.files[0], listing) == text
    assert reason(mirror().metadata, listing.files[0], listing) is Reason.HASH_MISMATCH
