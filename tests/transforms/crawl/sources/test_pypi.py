import datetime
import gzip
import hashlib
import io
import json
import multiprocessing
import socket
import time
import zipfile

import pytest

from schemas.failures import Reason
from transforms.crawl.repository import crawl_repository
from transforms.crawl.source import CrawlError, Limits, SourceFile
from transforms.crawl.sources.pypi import PypiSource
from transforms.web import connections
from transforms.web.reach import Reach

DEFAULT_LIMITS = Limits()
FILES = {"setup.py": b"import setuptools\n", "boltons/a.py": b"a = 1\n"}
JSON = "application/vnd.pypi.simple.v1+json"
UPLOADED = "2024-05-06T07:08:09.123456Z"


@pytest.fixture
def boltons(index, sdist):
    """An index that has boltons 25.0.0; the value is the hash of its sdist."""
    archive = sdist("boltons", "25.0.0", FILES)
    return index.publish("boltons", "boltons-25.0.0.tar.gz", archive, **{"upload-time": UPLOADED})


@pytest.fixture
def fetch(index, place, impatient, monkeypatch):
    monkeypatch.setattr(PypiSource, "retries", impatient)

    def fetch(line="boltons", limits=DEFAULT_LIMITS, url=None, place=place):
        source = PypiSource(projects=[line], index=url or index.url)
        (request,) = source.requests(place)
        return source.fetch(request, place, limits)

    return fetch


@pytest.fixture
def failure(fetch):
    def failure(*arguments, **options):
        with pytest.raises(CrawlError) as caught:
            fetch(*arguments, **options)
        return caught.value

    return failure


def contents(fetched, limits=DEFAULT_LIMITS):
    files = fetched.read(lambda path: path.endswith(".py"), limits)
    return {file.path: file.content for file in files if isinstance(file, SourceFile)}


@pytest.mark.parametrize("line", ["boltons", "Boltons==25.0.0", "boltons>=20,<26", "boltons==25.*"])
def test_fetches_a_project(boltons, fetch, line):
    fetched = fetch(line)
    assert contents(fetched) == FILES
    assert fetched.facts.revision == "25.0.0"
    assert fetched.facts.licenses == ("MIT",)
    assert fetched.facts.released == datetime.datetime.fromisoformat(UPLOADED)


def test_knows_the_same_facts_before_and_after_reading(boltons, fetch):
    fetched = fetch()
    before = fetched.facts
    next(fetched.read(lambda path: True, Limits()))
    between = fetched.facts
    contents(fetched)
    assert before == between == fetched.facts


def test_reads_the_license_whatever_the_limit_on_files(boltons, fetch):
    assert fetch(limits=Limits(max_file_bytes=5)).facts.licenses == ("MIT",)


def test_names_a_repository_by_its_normalized_name(index):
    settings = {"projects": ["More_Itertools", "A.B--c==1"], "index": None}
    names = [request.repository for request in PypiSource(**settings).requests(None)]
    assert names == ["pypi/more-itertools", "pypi/a-b-c"]


def test_needs_no_index_for_a_file_whose_hash_is_in_the_cache(index, boltons, fetch):
    line = f"boltons==25.0.0 --hash=sha256:{boltons}"
    first = fetch(line)
    asked = len(index.paths)
    second = fetch(line)
    assert len(index.paths) == asked
    assert contents(second) == FILES
    assert second.facts == first.facts


def test_downloads_again_what_was_damaged_in_the_cache(index, boltons, fetch, place):
    line = f"boltons --hash=sha256:{boltons}"
    fetch(line)
    (archive,) = place.cache.rglob("*.tar.gz")
    archive.write_bytes(b"damaged")
    assert contents(fetch(line)) == FILES


def test_downloads_a_file_once_for_a_line_without_a_hash(index, boltons, fetch):
    fetch()
    fetch()
    assert index.paths.count(index.file_path("boltons")) == 1


def test_believes_no_other_index_about_a_file_in_the_cache(index, sdist, fetch):
    archive = sdist("toolz", "1.0", FILES)
    for moment in ("9998-01-01T00:00:00Z", UPLOADED):
        index.publish("toolz", "toolz-1.0.tar.gz", archive, **{"upload-time": moment})
        released = fetch("toolz").facts.released
        index.files.clear()
    assert released.year == 2024
    assert index.paths.count("/simple/toolz/") == 2


def test_takes_a_moment_that_no_calendar_has_for_none(index, sdist, fetch):
    moment = {"upload-time": "9999-12-31T23:59:59-10:00"}
    index.publish("toolz", "toolz-1.0.tar.gz", sdist("toolz", "1.0", FILES), **moment)
    assert fetch("toolz").facts.released is None


def test_takes_the_newest_release_that_is_neither_yanked_nor_a_pre_release(index, sdist, fetch):
    for version, properties in {
        "1.9": {},
        "1.10": {},
        "1.11": {"yanked": "broken"},
        "2.0rc1": {},
        "nonsense": {},
    }.items():
        archive = sdist("toolz", version, {"a.py": version.encode()})
        index.publish("toolz", f"toolz-{version}.tar.gz", archive, **properties)
    assert fetch("toolz").facts.revision == "1.10"
    assert fetch("toolz<1.10").facts.revision == "1.9"
    assert fetch("toolz>=2.0rc1").facts.revision == "2.0rc1"


def test_prefers_a_tar_to_a_zip(index, sdist, fetch):
    index.publish("toolz", "toolz-1.0.zip", b"not asked for")
    index.publish("toolz", "toolz-1.0.tar.gz", sdist("toolz", "1.0", {"a.py": b"tar"}))
    assert contents(fetch("toolz")) == {"a.py": b"tar"}


def test_takes_the_wheel_that_a_hash_names(index, sdist, fetch):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        wheel.writestr("toolz/a.py", "a = 1\n")
        wheel.writestr("toolz-1.0.dist-info/METADATA", "Name: toolz\nLicense: BSD-3-Clause\n\n")
    sha256 = index.publish("toolz", "toolz-1.0-py3-none-any.whl", buffer.getvalue())
    index.publish("toolz", "toolz-1.0.tar.gz", sdist("toolz", "1.0", {}))
    fetched = fetch(f"toolz==1.0 --hash=sha256:{sha256}")
    assert contents(fetched) == {"toolz/a.py": b"a = 1\n"}
    assert fetched.facts.licenses == ("BSD-3-Clause",)


def make_wheel(files, metadata="Name: toolz\nLicense-Expression: BSD-3-Clause\n\n"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        for path, content in {**files, "toolz-1.1.dist-info/METADATA": metadata}.items():
            wheel.writestr(path, content)
    return buffer.getvalue()


def test_takes_a_wheel_where_there_is_no_source_distribution(index, sdist, fetch):
    index.publish("toolz", "toolz-1.0.tar.gz", sdist("toolz", "1.0", {}))
    index.publish("toolz", "toolz-1.1-py3-none-any.whl", make_wheel({"toolz/a.py": "a = 1\n"}))
    fetched = fetch("toolz")
    assert contents(fetched) == {"toolz/a.py": b"a = 1\n"}
    assert fetched.facts.revision == "1.1"
    assert fetched.facts.licenses == ("BSD-3-Clause",)


def test_reads_the_classifiers_of_a_wheel(index, fetch):
    metadata = "Name: toolz\nClassifier: License :: OSI Approved :: MIT License\n\n"
    index.publish("toolz", "toolz-1.1-py3-none-any.whl", make_wheel({}, metadata))
    assert fetch("toolz").facts.licenses == ("MIT",)


def test_names_a_release_that_holds_no_source(index, failure):
    index.publish("toolz", "toolz-1.0-py2.7.egg", b"egg")
    assert failure("toolz").reason is Reason.NO_SOURCE_DISTRIBUTION


@pytest.mark.parametrize(
    ("settings", "location"),
    [
        ({}, "toolz"),
        ({"pre_releases": False, "yanked": False}, "toolz"),
        ({"index": "http://a/"}, '{"index": "http://a/", "project": "toolz"}'),
        ({"pre_releases": True}, '{"pre_releases": true, "project": "toolz"}'),
        (
            {"yanked": True, "pre_releases": True, "index": "http://a/"},
            '{"index": "http://a/", "pre_releases": true, "project": "toolz", "yanked": true}',
        ),
    ],
)
def test_a_location_says_what_is_set_besides_the_line(settings, location):
    (request,) = PypiSource(projects=["toolz"], **settings).requests(None)
    assert request.location == location


@pytest.mark.parametrize(
    ("settings", "revision"),
    [
        ({}, "1.0"),
        ({"yanked": True}, "1.1"),
        ({"pre_releases": True}, "2.0rc1"),
        ({"pre_releases": True, "yanked": True}, "2.1a1"),
    ],
)
def test_takes_pre_releases_and_yanked_ones_by_choice(index, sdist, place, settings, revision):
    versions = {"1.0": None, "1.1": "broken", "2.0rc1": None, "2.1a1": ""}
    for version, yanked in versions.items():
        archive = sdist("toolz", version, {"a.py": b"a = 1\n"})
        properties = {} if yanked is None else {"yanked": yanked or True}
        index.publish("toolz", f"toolz-{version}.tar.gz", archive, **properties)
    source = PypiSource(projects=["toolz"], index=index.url, **settings)
    (request,) = source.requests(place)
    assert PypiSource.fetch(request, place, Limits()).facts.revision == revision


def test_bad_lines_of_a_list_are_failures_of_their_own(index, boltons, place, tmp_path):
    lines = [
        "boltons",
        "# a comment",
        "",
        "toolz[extra]",
        "toolz @ https://a/b.zip",
        "-r x",
        "../a",
        "{",
        '{"project":"boltons","index":"http://127.0.0.1:1/"}',
    ]
    (tmp_path / "list").write_text("\n".join(lines))
    source = PypiSource(lists=[str(tmp_path / "list")], index=index.url)
    good, *bad = source.requests(place)
    assert contents(PypiSource.fetch(good, place, Limits())) == FILES
    assert [request.repository for request in bad] == [
        "pypi/toolz[extra]",
        "pypi/toolz @ https://a/b.zip",
        "pypi/-r x",
        "pypi/../a",
        "pypi/{",
        'pypi/{"project":"boltons","index":"http://127.0.0.1:1/"}',
    ]
    for request in [*bad, *PypiSource(lists=[str(tmp_path / "list")]).requests(place)][-2:]:
        with pytest.raises(CrawlError, match="Expected package name"):
            PypiSource.fetch(request, place, Limits())
    for request in bad:
        with pytest.raises(CrawlError, match="project ") as caught:
            PypiSource.fetch(request, place, Limits())
        assert caught.value.reason is Reason.REQUEST_REFUSED


@pytest.mark.parametrize("line", ["other", "boltons==24", f"boltons --hash=sha256:{'0' * 64}"])
def test_names_what_the_index_does_not_have(boltons, failure, line):
    assert failure(line).reason is Reason.NOT_FOUND


def test_names_a_hash_that_belongs_to_another_version(boltons, fetch, failure):
    fetch()
    assert failure(f"boltons==24 --hash=sha256:{boltons}").reason is Reason.NOT_FOUND


@pytest.mark.parametrize("hashes", [{"sha256": "0" * 64}, {"md5": "0" * 32}, {"sha256": "../.."}])
def test_keeps_nothing_that_has_not_the_promised_hash(index, sdist, failure, place, hashes):
    archive = sdist("toolz", "1.0", {})
    index.publish("toolz", "toolz-1.0.tar.gz", archive, hashes=hashes)
    assert failure("toolz").reason is Reason.HASH_MISMATCH
    assert not list(place.cache.rglob("*.tar.gz*"))


@pytest.mark.parametrize(
    "name",
    [
        "../toolz-1.0.tar.gz",
        "/toolz-1.0.tar.gz",
        "toolz-1.0/../../x-1.0.tar.gz",
        "..\\toolz-1.0.tar.gz",
        "C:toolz-1.0.tar.gz",
        ".x.tar.gz",
        "toolz-1.0\n.tar.gz",
        "toolz-1.0\x00.tar.gz",
        "toolz-1.0\u202e.tar.gz",
        f"toolz-{'1' * (10 << 20)}.tar.gz",
    ],
    ids=range(10),
)
def test_never_uses_a_file_name_that_leaves_the_cache(index, sdist, failure, place, tmp_path, name):
    sha256 = index.publish("toolz", name, sdist("toolz", "1.0", {}))
    assert failure("toolz").reason in (Reason.NO_SOURCE_DISTRIBUTION, Reason.NOT_FOUND)
    assert failure(f"toolz --hash=sha256:{sha256}").reason is Reason.NOT_FOUND
    assert not list(tmp_path.rglob("*.tar.gz*"))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_tries_again_after_a_busy_answer(index, boltons, fetch, waits, status):
    index.precede("/simple/boltons/", status=status)
    index.precede(index.file_path("boltons"), status=status)
    assert contents(fetch()) == FILES
    assert len(waits) == 2
    assert waits[0] < waits[1]


def test_waits_as_long_as_the_server_asks(index, boltons, fetch, waits):
    index.precede("/simple/boltons/", status=429, headers={"Retry-After": "7"})
    assert contents(fetch()) == FILES
    assert waits == [7.0]


def test_does_not_wait_longer_than_its_time(index, boltons, failure, waits):
    index.precede("/simple/boltons/", status=429, headers={"Retry-After": "3600"})
    assert failure().reason is Reason.UNREACHABLE
    assert waits == []


def test_gives_up_after_the_allowed_attempts(index, failure, waits):
    index.replace("/simple/boltons/", status=503)
    error = failure(limits=Limits(attempts=3))
    assert error.reason is Reason.UNREACHABLE
    assert "/simple/boltons/ answers 503 (attempt 3 of 3)" in error.detail
    assert len(index.paths) == 3
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.ACCESS_DENIED),
        (403, Reason.ACCESS_DENIED),
        (404, Reason.NOT_FOUND),
        (410, Reason.NOT_FOUND),
        (400, Reason.UNREACHABLE),
    ],
)
def test_does_not_repeat_what_will_not_pass(index, failure, status, reason):
    index.replace("/simple/boltons/", status=status)
    assert failure().reason is reason
    assert len(index.paths) == 1


def test_tries_again_after_a_connection_that_broke(index, boltons, fetch, waits):
    index.precede(index.file_path("boltons"), body=b"short", declared_bytes=5000)
    assert contents(fetch()) == FILES
    assert len(waits) == 1


def test_names_a_server_that_is_not_there(failure, waits):
    error = failure(url="http://127.0.0.1:1/simple/", limits=Limits(attempts=2))
    assert error.reason is Reason.UNREACHABLE
    assert "127.0.0.1:1/simple/boltons/" in error.detail
    assert "refused" in error.detail
    assert " at 0x" not in error.detail


def test_ends_a_download_that_trickles(index, boltons, fetch):
    index.replace(index.file_path("boltons"), body=bytes(64 * 100), chunk_delay=0.05)
    started = time.monotonic()
    with pytest.raises(CrawlError) as caught:
        fetch(limits=Limits(timeout_seconds=0.4))
    assert caught.value.reason is Reason.TIMED_OUT
    assert time.monotonic() - started < 3


def test_ends_a_download_that_is_too_large(index, boltons, failure):
    limits = Limits(max_repository_bytes=100)
    assert failure(limits=limits).reason is Reason.REPOSITORY_TOO_LARGE


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", JSON),
        (b"[]", JSON),
        (b'{"meta": {"api-version": "9.0"}}', JSON),
        (b'{"meta": {"api-version": "1.0"}, "name": 1, "files": 2}', JSON),
        (b"[" * 200_000, JSON),
        (b"\xff\xfe", JSON),
        (b"hello", "image/png"),
    ],
)
def test_names_an_answer_that_is_no_page(index, failure, body, kind):
    index.replace("/simple/boltons/", body=body, headers={"Content-Type": kind})
    assert failure().reason is Reason.UNREACHABLE


@pytest.mark.parametrize("body", [b"<a href=x" * 50_000, b"<div>" * 50_000, b"\x00<a>", b""])
def test_finds_nothing_in_a_page_that_is_none(index, failure, body):
    kind = {"Content-Type": "text/html", "Content-Length": str(len(body))}
    index.replace("/simple/boltons/", body=body, headers=kind)
    assert failure().reason in (Reason.NOT_FOUND, Reason.UNREACHABLE)


def test_ends_a_page_that_unpacks_to_too_much(index, failure, monkeypatch):
    monkeypatch.setattr("transforms.web.index.MAX_PAGE_BYTES", 1 << 20)
    packed = {"Content-Type": JSON, "Content-Encoding": "gzip"}
    index.replace("/simple/boltons/", body=gzip.compress(bytes(20 << 20)), headers=packed)
    assert failure().reason is Reason.REPOSITORY_TOO_LARGE


def test_does_not_believe_a_size_that_a_page_names(index, sdist, fetch):
    archive = sdist("toolz", "1.0", FILES)
    for size in (1, 10**15):
        index.publish("toolz", "toolz-1.0.tar.gz", archive, size=size)
        assert contents(fetch("toolz")) == FILES


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "http://[", "git+x:y"])
def test_fetches_files_over_http_alone(index, failure, url):
    index.publish("toolz", "toolz-1.0.tar.gz", b"content")
    index.files["toolz"][0]["url"] = url
    index.add("/simple/toolz/", index.page("toolz"))
    assert failure("toolz").reason in (Reason.REQUEST_REFUSED, Reason.UNREACHABLE)


def test_a_link_comes_no_nearer_than_its_page(index, failure, monkeypatch):
    reaches = {"127.0.0.1": Reach.PUBLIC, "127.0.0.2": Reach.PRIVATE}
    monkeypatch.setattr(connections, "reach_of", lambda host: reaches[host])
    index.publish("toolz", "toolz-1.0.tar.gz", b"content")
    with socket.create_server(("127.0.0.2", 0)) as inner:
        inner.settimeout(5)
        index.files["toolz"][0]["url"] = f"http://127.0.0.2:{inner.getsockname()[1]}/a"
        index.add("/simple/toolz/", index.page("toolz"))
        assert failure("toolz").reason is Reason.REQUEST_REFUSED
        with inner.accept()[0] as connection:
            assert connection.recv(1) == b""


def test_reads_pages_in_html(index, sdist, fetch):
    archive = sdist("toolz", "1.0", {"a.py": b"a = 1\n"})
    index.replace("/files/toolz-1.0.tar.gz", body=archive)
    link = f"../../files/toolz-1.0.tar.gz#sha256={hashlib.sha256(archive).hexdigest()}"
    page = f'<!DOCTYPE html><html><body><a href="{link}">toolz-1.0.tar.gz</a></body></html>'
    index.replace("/simple/toolz/", body=page.encode(), headers={"Content-Type": "text/html"})
    assert contents(fetch("toolz")) == {"a.py": b"a = 1\n"}


def test_sends_credentials_and_never_shows_them(index, boltons, fetch, failure):
    url = index.url.replace("//", "//someone:secret@")
    fetch(url=url)
    assert len(index.logins) == 2
    assert None not in index.logins
    once = Limits(attempts=1)
    for status in (400, 401, 404, 503):
        index.replace("/simple/boltons/", status=status)
        assert "secret" not in str(failure(url=url, limits=once))
    assert "secret" not in str(failure(url="http://someone:secret@127.0.0.1:1/", limits=once))


def test_keeps_credentials_from_another_host(index, sdist, fetch):
    archive = sdist("toolz", "1.0", {"a.py": b"a = 1\n"})
    index.publish("toolz", "toolz-1.0.tar.gz", archive)
    path = index.file_path("toolz")
    index.files["toolz"][0]["url"] = f"http://localhost:{index.port}{path}"
    index.add("/simple/toolz/", index.page("toolz"))
    fetch("toolz", url=index.url.replace("//", "//someone:secret@"))
    assert [login is not None for login in index.logins] == [True, False]


def _fetch_in_a_process(url, place):
    (request,) = PypiSource(projects=["boltons"], index=url).requests(None)
    return contents(PypiSource.fetch(request, place, Limits()))


def test_lets_processes_download_the_same_file_at_once(index, boltons, place):
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        found = pool.starmap(_fetch_in_a_process, [(index.url, place)] * 4)
    assert found == [FILES] * 4
    (folder,) = (place.cache / "downloads").glob("[0-9a-f]*")
    assert sorted(path.name for path in folder.iterdir()) == [
        "boltons-25.0.0.tar.gz",
        "release.json",
    ]


def test_a_file_put_into_the_cache_by_hand_is_fetched_with_what_the_index_says_of_it(
    fetch, place, sdist, index
):
    archive = sdist("toolz", "1.0", FILES)
    moment = "2024-05-06T07:08:09Z"
    sha256 = index.publish("toolz", "toolz-1.0.tar.gz", archive, **{"upload-time": moment})
    folder = place.cache / "downloads" / sha256
    folder.mkdir(parents=True)
    (folder / "toolz-1.0.tar.gz").write_bytes(archive)
    fetched = fetch(f"toolz --hash=sha256:{sha256}")
    assert contents(fetched) == FILES
    assert fetched.facts.released == datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)


def test_crawls_a_project_from_end_to_end(boltons, index, fetch):
    (request,) = PypiSource(projects=["boltons"], index=index.url).requests(None)
    crawled = crawl_repository(request, fetch(), ["python"], Limits())
    assert [file.path for file in crawled.files] == ["boltons/a.py", "setup.py"]
    assert crawled.facts.licenses == ("MIT",)


def test_finds_a_reachable_index_in_order(index, boltons, place):
    settings = {"projects": ["boltons"], "index": index.url}
    assert PypiSource(**settings).problem(place.cache) is None
    assert PypiSource(**{**settings, "projects": ["unknown"]}).problem(place.cache) is None


def test_says_why_an_index_is_unreachable_and_what_to_do(index, place):
    index.replace("/simple/boltons/", status=503)
    settings = {"projects": ["boltons"], "index": index.url}
    assert "answers 503" in PypiSource(**settings).problem(place.cache)
    settings["index"] = "http://someone:secret@127.0.0.1:1/simple/"
    problem = PypiSource(**settings).problem(place.cache)
    assert "refused" in problem
    assert "PIP_INDEX_URL" in problem
    assert "secret" not in problem
    assert "\n" not in problem


def test_asks_no_index_when_all_files_are_in_the_cache(index, boltons, fetch, place):
    line = f"boltons --hash=sha256:{boltons}"
    fetch(line)
    settings = {"projects": [line], "index": "http://127.0.0.1:1/"}
    assert PypiSource(**settings).problem(place.cache) is None


def test_shows_a_location_as_the_line_it_was():
    settings = {"projects": ["boltons==25.0.0"], "index": None}
    assert next(PypiSource(**settings).requests(None)).location == "boltons==25.0.0"
    settings["index"] = "http://a/"
    location = next(PypiSource(**settings).requests(None)).location
    assert json.loads(location) == {"index": "http://a/", "project": "boltons==25.0.0"}
