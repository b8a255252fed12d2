"""Servers that hang, dribble, lie and die: each ends in time, with a reason."""

import contextlib
import dataclasses
import os
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler

import pytest

from schemas.failures import Reason
from tests.index_server import serving
from tests.transforms.crawl.git.forging import (
    FLUSH,
    answering,
    dribble,
    line,
    repository_pack,
)
from transforms.crawl.git import command
from transforms.crawl.git.redirects import HttpTrace
from transforms.crawl.source import CrawlError, Limits, RejectedFile, Request, SourceFile
from transforms.crawl.sources.git import GitSource
from transforms.web.reach import Reach

PACK, TIP = repository_pack({b"a.py": b"x = 1\n", b"b.py": os.urandom(300_000)})
ADVERTISED = "/info/refs?service=git-upload-pack"


def fetch(place, url, **limits):
    given = Limits(**{"attempts": 1, "timeout_seconds": 20, **limits})
    return GitSource.fetch(Request("hostile", "git", url), place, given)


def error_of(place, url, **limits):
    with pytest.raises(CrawlError) as caught:
        fetch(place, url, **limits)
    return caught.value


def within(seconds):
    @contextlib.contextmanager
    def timed():
        started = time.monotonic()
        yield
        assert time.monotonic() - started < seconds

    return timed()


def hang(client):
    time.sleep(30)


def hang_after_the_greeting(client):
    client.greet(TIP)
    time.sleep(30)


def dribble_from_the_start(client):
    dribble(client, line(b"version 2\n") * 100, 0.2)


def dribble_the_pack(client):
    client.greet(TIP)
    dribble(client, b"".join(line(b"\1" + PACK[:100]) for _ in range(100)), 0.2)


def send_progress_for_ever(client):
    client.greet(TIP)
    while True:
        client.send(line(b"\2" + b"counting\n" * 1000))


def keep_alive_for_ever(client):
    client.greet(TIP)
    while True:
        client.send(line(b"\1"))
        time.sleep(0.01)


@pytest.mark.parametrize(
    "answer",
    [
        hang,
        hang_after_the_greeting,
        dribble_from_the_start,
        dribble_the_pack,
        send_progress_for_ever,
        keep_alive_for_ever,
    ],
)
def test_ends_with_the_time_of_the_repository(place, answer):
    with answering(answer) as url, within(8):
        assert error_of(place, url, timeout_seconds=1.5).reason is Reason.TIMED_OUT


def test_ends_a_pack_that_goes_on_after_its_end(place):
    def answer(client):
        client.greet(TIP)
        client.send_pack(PACK[:-20])
        while True:
            client.send(line(b"\1" + os.urandom(60_000)))

    with answering(answer) as url, within(15):
        error = error_of(place, url, max_repository_bytes=3_000_000)
    assert error.reason is Reason.CORRUPT_REPOSITORY


def test_ends_a_blob_without_end_when_it_fills_the_disk(place):
    claimed = b"PACK\0\0\0\2\0\0\0\1" + b"\xbf\xff\xff\xff\x7f" + b"\x78\x01"

    def answer(client):
        client.greet(TIP)
        client.send_pack(claimed)
        while True:
            # A block of zlib that is stored as it is, and not the last one.
            client.send(line(b"\1" + b"\0\xff\xff\0\0" + bytes(0xEFFF)))
            client.send(line(b"\1" + bytes(0x1000)))

    with answering(answer) as url, within(15):
        error = error_of(place, url, max_repository_bytes=3_000_000)
    assert error.reason is Reason.REPOSITORY_TOO_LARGE
    assert error.detail == "more than 3,000,000 bytes are sent"


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of others is limited on Linux only")
def test_ends_a_list_of_branches_without_end(place, monkeypatch):
    monkeypatch.setattr(command, "MEMORY_BYTES", 1 << 26)

    def answer(client):
        length = int(client.questions.read(4), 16)
        client.questions.read(length - 4)
        client.send(b"".join(map(line, [b"version 2\n", b"ls-refs\n", b"fetch=shallow\n"])) + FLUSH)
        client.next_question()
        for number in range(1 << 40):
            client.send(b"".join(line(f"{TIP} HEAD{number}-{n}\n".encode()) for n in range(1000)))

    with answering(answer) as url, within(20):
        assert error_of(place, url).reason is Reason.REPOSITORY_TOO_LARGE


def test_tries_again_where_a_server_dies_in_the_middle(place, impatient, waits, monkeypatch):
    monkeypatch.setattr(GitSource, "retries", impatient)
    met = []

    def answer(client):
        client.greet(TIP)
        met.append(client)
        client.send_pack(PACK if len(met) == 3 else PACK[: len(PACK) // 2])
        if len(met) == 3:
            client.send(FLUSH)

    with answering(answer) as url:
        fetched = fetch(place, url, attempts=4)
    assert fetched.facts.revision == TIP
    assert len(waits) == 2


@dataclasses.dataclass
class Page:
    status: int = 200
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""


@contextlib.contextmanager
def answering_pages(pages, secure=None):
    """An HTTP server; `pages` by the path that is asked for, `asked` lists those."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            page = pages.get(self.path, Page(404))
            page = page() if callable(page) else page
            self.send_response(page.status)
            for name, value in {"Content-Length": str(len(page.body)), **page.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(page.body)

        do_POST = do_GET

        def setup(self):
            if secure is not None:
                options = {"server_side": True, "do_handshake_on_connect": False}
                self.request = secure.wrap_socket(self.request, **options)
            super().setup()

        def handle(self):
            with contextlib.suppress(OSError):
                super().handle()

        def finish(self):
            with contextlib.suppress(OSError):
                super().finish()
            self.request.close()

        def log_message(self, *arguments):
            pass

    with serving(Handler) as port:
        yield f"http{'s' if secure else ''}://127.0.0.1:{port}", asked


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Page(401, {"WWW-Authenticate": "Basic realm=x"}), Reason.ACCESS_DENIED),
        (Page(403), Reason.ACCESS_DENIED),
        (Page(404), Reason.NOT_FOUND),
        (Page(410), Reason.NOT_FOUND),
        (Page(451), Reason.UNREACHABLE),
        (Page(200, {"Content-Type": "text/html"}, b"<p>no git here"), Reason.NOT_FOUND),
        (Page(200, {}, TIP.encode() + b"\tHEAD\n"), Reason.NOT_FOUND),
    ],
    ids=["401", "403", "404", "410", "451", "page", "dumb"],
)
def test_names_answers_that_will_not_change_at_once(
    place, waits, impatient, monkeypatch, page, reason
):
    monkeypatch.setattr(GitSource, "retries", impatient)
    with answering_pages({"/x" + ADVERTISED: page}) as (url, _):
        assert error_of(place, f"{url}/x", attempts=3).reason is reason
    assert waits == []


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_waits_as_long_as_a_busy_server_asks(place, waits, impatient, monkeypatch, status):
    monkeypatch.setattr(GitSource, "retries", impatient)
    with answering_pages({"/x" + ADVERTISED: Page(status, {"Retry-After": "7"})}) as (url, asked):
        error = error_of(place, f"{url}/x", attempts=3)
    assert error.reason is Reason.UNREACHABLE
    assert str(status) in error.detail
    assert waits == [7, 7]
    assert len(asked) == 3


def test_gives_up_where_a_server_asks_for_more_time_than_there_is(place):
    with answering_pages({"/x" + ADVERTISED: Page(503, {"Retry-After": "3600"})}) as (url, asked):
        assert error_of(place, f"{url}/x", attempts=3).reason is Reason.UNREACHABLE
    assert len(asked) == 1


def test_ends_an_answer_over_http_that_never_comes(place):
    released = threading.Event()

    def page():
        released.wait(20)
        return Page(500)

    with answering_pages({"/x" + ADVERTISED: page}) as (url, _), within(8):
        error = error_of(place, f"{url}/x", timeout_seconds=1.5)
        released.set()
    assert error.reason is Reason.TIMED_OUT


def self_signed(folder):
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-days", "2"]
    command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=127.0.0.1"]
    command += ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


def test_refuses_a_certificate_that_nobody_vouches_for(
    place, tmp_path, waits, impatient, monkeypatch
):
    monkeypatch.setattr(GitSource, "retries", impatient)
    with answering_pages({}, self_signed(tmp_path)) as (url, asked):
        error = error_of(place, f"{url}/x", attempts=3)
    assert error.reason is Reason.UNREACHABLE
    assert "certificate" in error.detail
    assert (asked, waits) == ([], [])


def test_names_a_server_that_speaks_no_tls(place):
    with answering_pages({}) as (url, _):
        error = error_of(place, url.replace("http:", "https:") + "/x")
    assert error.reason is Reason.UNREACHABLE


def test_follows_a_repository_that_moved(git_folder, git_http, place):
    tip = git_folder.commit("project", {"a.py": b"x = 1\n"})
    target = f"{git_http.url}/project/.git{ADVERTISED}"
    for status in (301, 302, 307, 308):
        pages = {"/old" + ADVERTISED: Page(status, {"Location": target})}
        with answering_pages(pages) as (url, _):
            assert fetch(place, f"{url}/old").facts.revision == tip


def test_follows_a_path_of_the_same_server(place):
    pages = {
        "/old" + ADVERTISED: Page(301, {"Location": f"/new{ADVERTISED}"}),
        "/new" + ADVERTISED: Page(403),
    }
    with answering_pages(pages) as (url, asked):
        assert error_of(place, f"{url}/old").reason is Reason.ACCESS_DENIED
    assert asked == list(pages)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("file:///etc/passwd", Reason.REQUEST_REFUSED),
        (f"file:///srv/project{ADVERTISED}", Reason.REQUEST_REFUSED),
        ("ext::sh -c touch% x", Reason.REQUEST_REFUSED),
        (f"ssh://127.0.0.1/x{ADVERTISED}", Reason.REQUEST_REFUSED),
        (f"http://[::1{ADVERTISED}", Reason.REQUEST_REFUSED),
        (f"http://169.254.169.254/latest{ADVERTISED}", Reason.REQUEST_REFUSED),
        ("/login", Reason.NOT_FOUND),
    ],
)
def test_does_not_follow_a_redirect_elsewhere(place, target, reason):
    with answering_pages({"/x" + ADVERTISED: Page(302, {"Location": target})}) as (url, asked):
        assert error_of(place, f"{url}/x").reason is reason
    assert len(asked) == 1


def test_takes_no_word_of_a_server_for_where_it_is(place):
    """What curl says of the connection stands among what the server says."""
    claim = "== Info: Connected to a (127.0.0.1) port 80 (#0)"
    target = f"http://169.254.169.254/x{ADVERTISED}"
    headers = {"X-Claim": claim, "Server": f"x {claim}", "Location": target}
    with answering_pages({"/x" + ADVERTISED: Page(302, headers)}) as (url, _):
        assert error_of(place, f"{url}/x").reason is Reason.REQUEST_REFUSED
        port = url.rpartition(":")[2]
    (path,) = place.scratch.rglob("http-trace")
    said = path.read_text()
    assert claim in said
    assert HttpTrace(path).nearest() is Reach.LOOPBACK
    # As if the server were one of the public network.
    path.write_text(said.replace(f"(127.0.0.1) port {port}", f"(93.184.216.34) port {port}"))
    assert HttpTrace(path).nearest() is Reach.PUBLIC


def test_names_a_server_that_does_not_keep_to_the_protocol(place):
    kind = {"Content-Type": "application/x-git-upload-pack-advertisement"}
    pages = {"/x" + ADVERTISED: Page(200, kind, b"0bad")}
    with answering_pages(pages) as (url, _):
        assert error_of(place, f"{url}/x").reason is Reason.UNREACHABLE


def test_ends_a_circle_of_redirects(place):
    pages = {"/x" + ADVERTISED: Page(302, {"Location": f"/x{ADVERTISED}"})}
    with answering_pages(pages) as (url, asked):
        assert error_of(place, f"{url}/x").reason is Reason.UNREACHABLE
    assert len(asked) < 10


def test_reads_what_came_from_a_server_that_is_gone(place):
    def answer(client):
        client.greet(TIP)
        client.send_pack(PACK)
        client.send(FLUSH)

    with answering(answer) as url:
        fetched = fetch(place, url)
    found = list(fetched.read(lambda path: True, Limits(max_file_bytes=1000)))
    detail = "more than 1,000 bytes"
    assert found == [
        SourceFile("a.py", b"x = 1\n"),
        RejectedFile("b.py", Reason.FILE_TOO_LARGE, detail),
    ]
