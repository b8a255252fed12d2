import datetime
import hashlib
import json
import socket
from contextlib import contextmanager

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.failures import Reason
from transforms.trace.environments.index import IndexLimits, _span, serving_index
from transforms.trace.environments.listings import JSON, ListedFile, Listing
from transforms.web.errors import FetchError
from transforms.web.reach import Reach

CONTENT = bytes(range(256)) * 4
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = ListedFile(
    "a-1.0-py3-none-any.whl", SHA256, "u", len(CONTENT), uploaded="2024-05-06", metadata="1" * 64
)
PATH = f"/files/{SHA256}/{FILE.filename}"


class Upstream:
    def __init__(self):
        self.asked = []

    def listing(self, name):
        self.asked.append(name)
        if name == "broken":
            raise FetchError(Reason.UNREACHABLE, "secret.example.org answers nothing")
        if name != "some-name":
            raise FetchError(Reason.NOT_FOUND, "secret.example.org answers 404")
        return Listing(name, Reach.PUBLIC, (FILE,))

    def file(self, listed, listing, scratch):
        self.asked.append(listed.filename)
        (scratch / listed.filename).write_bytes(CONTENT)
        return scratch / listed.filename

    def metadata(self, listed, listing):
        return b"Metadata-Version: 2.1\n"


@contextmanager
def serving(upstream=None, **limits):
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with (
        serving_index(listener, upstream or Upstream(), IndexLimits(**limits)) as index,
        requests.Session() as session,
    ):
        session.trust_env = False

        def get(path, **options):
            return session.request(options.pop("method", "GET"), address + path, **options)

        yield get, index


def test_serves_pages_in_both_forms_under_any_spelling():
    with serving() as (get, _):
        page = get("/simple/some-name/")
        assert page.headers["Content-Type"] == "text/html"
        assert PATH in page.text
        page = get("/simple/Some_Name", headers={"Accept": f"{JSON}, text/html;q=0.1"})
        assert json.loads(page.text)["files"][0]["url"] == PATH


def test_serves_files_and_metadata_that_it_has_listed_and_no_others():
    with serving() as (get, _):
        assert get(PATH).status_code == 404
        get("/simple/some-name/")
        assert get(PATH).content == CONTENT
        assert get(PATH + ".metadata").content == b"Metadata-Version: 2.1\n"
        assert get(PATH.replace("a-1.0", "a-1.1")).status_code == 404


def test_serves_parts_of_a_file():
    with serving() as (get, _):
        get("/simple/some-name/")
        head = get(PATH, method="HEAD")
        assert (head.headers["Content-Length"], head.content) == ("1024", b"")
        assert head.headers["Accept-Ranges"] == "bytes"
        part = get(PATH, headers={"Range": "bytes=1000-"})
        assert (part.status_code, part.content) == (206, CONTENT[1000:])
        assert part.headers["Content-Range"] == "bytes 1000-1023/1024"
        assert get(PATH, headers={"Range": "bytes=-10"}).content == CONTENT[-10:]
        assert get(PATH, headers={"Range": "bytes=5-1"}).content == CONTENT


@given(st.integers(1, 50), st.from_regex(r"bytes=\d{0,3}-\d{0,3}", fullmatch=True) | st.text())
def test_any_range_lies_in_the_file(size, header):
    first, last = _span(header, size)
    assert 0 <= first <= last < size


@pytest.mark.parametrize(
    "path",
    ["/", "/simple/", "/simple/../etc/", "/simple/a%2Fb/", "/simple/-/", "/etc/passwd",
     "/files/0/a", "//example.org/simple/a/"],
)  # fmt: skip
def test_there_is_nothing_else(path):
    upstream = Upstream()
    with serving(upstream) as (get, _):
        answer = get(path)
        assert (answer.status_code, answer.text.count("\n")) == (404, 1)
    assert upstream.asked == []


def test_other_methods_are_not_understood():
    with serving() as (get, _):
        assert get("/simple/some-name/", method="POST").status_code == 501


def test_errors_tell_nothing_of_the_upstream_and_are_kept_as_evidence():
    with serving() as (get, index):
        answer = get("/simple/broken/")
        assert (answer.status_code, answer.text) == (502, "unreachable\n")
        assert get("/simple/unknown/").text == "not_found\n"
    assert index.problems == ["secret.example.org answers nothing"]


def test_requests_and_bytes_are_bounded():
    with serving(requests=2) as (get, index):
        statuses = [get("/simple/some-name/").status_code for _ in range(3)]
        assert statuses == [200, 200, 502]
    assert index.problems == ["the project asked for more than 2 requests"]
    with serving(bytes=len(CONTENT) - 1) as (get, _):
        get("/simple/some-name/")
        assert get(PATH).status_code == 502
    with serving(listed=1) as (get, _):
        assert [get("/simple/some-name/").status_code for _ in range(2)] == [200, 502]


def test_hides_what_is_too_new():
    with serving(before=datetime.date(2024, 5, 6)) as (get, _):
        assert PATH not in get("/simple/some-name/").text
        assert get(PATH).status_code == 404


def test_connections_that_are_held_open_hold_nothing_up():
    with serving(connections=3) as (get, _):
        assert get("/simple/some-name/").status_code == 200
        address = get("/simple/some-name/").url.split("/")[2].split(":")
        idle = [socket.create_connection((address[0], int(address[1]))) for _ in range(5)]
    for connection in idle:
        connection.close()


def test_nonsense_ends_no_server():
    with serving() as (get, _):
        port = int(get("/simple/some-name/").url.split(":")[2].split("/")[0])

        @settings(max_examples=50, deadline=None)
        @given(st.binary(max_size=200))
        def say(message):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(message + b"\r\n\r\n")

        say()
        assert get("/simple/some-name/").status_code == 200
