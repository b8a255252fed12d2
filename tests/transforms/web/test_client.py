import base64
import gzip
import socket
import time

import pytest

from schemas.failures import Reason
from transforms.crawl.source import Limits
from transforms.web import connections
from transforms.web.client import MAX_REDIRECTS, Client, shown_url, split_login
from transforms.web.errors import FetchError
from transforms.web.reach import Reach
from transforms.web.retries import Deadline, PassingError, Retries

HEAD = b"HTTP/1.1 200 OK\r\n"
OK = HEAD + b"Content-Length: 2\r\n\r\nok"
MAX_BYTES = 1 << 20


def get(url, *, max_bytes=MAX_BYTES, seconds=10.0, client=None, **options):
    client = client or Client(1000.0)
    with client.get(url, max_bytes, Deadline.after(seconds), **options) as answer:
        return b"".join(answer.chunks)


def failure(url, **options):
    with pytest.raises(FetchError) as caught:
        get(url, **options)
    return caught.value


def redirect(target, status=b"302 Found"):
    return (
        b"HTTP/1.1 "
        + status
        + b"\r\nLocation: "
        + target.encode()
        + b"\r\nContent-Length: 0\r\n\r\n"
    )


def say(first, again=b"", pause=0.0):
    """Sends something, then something else again and again."""

    def talk(connection, stop):
        connection.sendall(first)
        while not stop.wait(pause):
            if again:
                connection.sendall(again)

    return talk


SLOW = {
    "never answers": say(b"", pause=10),
    "stops after the headers": say(HEAD + b"Content-Length: 9\r\n\r\n", pause=10),
    "stops after headers without a length": say(HEAD + b"\r\nab", pause=10),
    "dribbles its status": say(HEAD[:9], b"2", pause=0.02),
    "dribbles headers": say(HEAD, b"A: b\r\n", pause=0.02),
    "dribbles a body": say(HEAD + b"Content-Length: 999\r\n\r\n", b"a", pause=0.02),
    "dribbles a body without a length": say(HEAD + b"\r\n", b"a", pause=0.02),
    "dribbles the length of a chunk": say(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0", pause=0.02
    ),
    "dribbles trailers": say(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", b"A: b\r\n", pause=0.02
    ),
    "dribbles a redirect": say(b"HTTP/1.1 302 Found\r\nLocation: /\r\n", b"A: b\r\n", pause=0.02),
}


@pytest.mark.parametrize("talk", SLOW.values(), ids=SLOW)
def test_ends_in_time_whatever_a_server_does(serve, talk):
    server = serve(talk)
    started = time.monotonic()
    assert failure(server.url, seconds=0.3).reason is Reason.TIMED_OUT
    assert time.monotonic() - started < 3


def test_ends_a_handshake_that_never_does(serve):
    server = serve(say(b"", b"\x16", pause=0.02))
    url = server.url.replace("http:", "https:")
    started = time.monotonic()
    retries = Retries(sleep=lambda seconds: None)
    limits = Limits(timeout_seconds=0.4, attempts=2)
    with pytest.raises(FetchError):
        retries.run(lambda deadline: get(url, seconds=deadline.remaining_seconds()), limits)
    assert time.monotonic() - started < 3


ENDLESS = {
    "with a length": HEAD + b"Content-Length: 99999999999999\r\n\r\n",
    "without one": HEAD + b"\r\n",
    "with one that is none": HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("head", ENDLESS.values(), ids=ENDLESS)
def test_ends_what_a_server_sends_for_ever(serve, head):
    server = serve(say(head, bytes(1 << 16)))
    assert failure(server.url, max_bytes=1 << 20).reason is Reason.REPOSITORY_TOO_LARGE


def test_ends_chunks_that_come_for_ever(serve):
    server = serve(
        say(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + bytes(1 << 16) + b"\r\n")
    )
    assert failure(server.url).reason is Reason.REPOSITORY_TOO_LARGE


def test_does_not_begin_what_is_declared_too_large(serve):
    server = serve(say(HEAD + b"Content-Length: 1048577\r\n\r\n", pause=10))
    assert failure(server.url).reason is Reason.REPOSITORY_TOO_LARGE


def test_takes_exactly_as_much_as_is_allowed(serve):
    server = serve(OK)
    assert get(server.url, max_bytes=2) == b"ok"
    assert failure(server.url, max_bytes=1).reason is Reason.REPOSITORY_TOO_LARGE


BROKEN = {
    "before an answer": b"",
    "in the headers": HEAD + b"Content-Len",
    "in the body": HEAD + b"Content-Length: 9\r\n\r\nshort",
    "in a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\nshort",
    "with what is not HTTP": b"SSH-2.0-server\r\n\r\n",
    "with a page that does not decompress": HEAD
    + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    "with headers without end": HEAD + b"A: b\r\n" * 5000,
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_what_breaks_may_pass(serve, answer):
    server = serve(lambda connection, stop: connection.sendall(answer))
    with pytest.raises(PassingError, match=r"127\.0\.0\.1"):
        get(server.url, decode=True)


@pytest.mark.parametrize("layers", [1, 3])
def test_ends_a_bomb_before_it_is_large(serve, layers):
    content = bytes(64 << 20)
    for _ in range(layers):
        content = gzip.compress(content)
    codings = ", ".join(["gzip"] * layers).encode()
    head = HEAD + b"Content-Encoding: " + codings + b"\r\n"
    server = serve(head + b"Content-Length: %d\r\n\r\n" % len(content) + content)
    assert failure(server.url, decode=True).reason is Reason.REPOSITORY_TOO_LARGE
    # As it is sent it is small, and who wants it so gets it so.
    assert get(server.url) == content


def test_ends_a_loop_of_redirects(serve):
    server = serve(redirect("/again"))
    error = failure(server.url)
    assert error.reason is Reason.UNREACHABLE
    assert "too often" in error.detail
    assert len(server.heard) == 1 + MAX_REDIRECTS
    assert server.connections == 1


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/file",
        "gopher://127.0.0.1/",
        "data:text/plain,hello",
        "http://user@:80/",
        "http://[::1/",
        "http://127.0.0.1:99999999/",
    ],
)
def test_goes_nowhere_but_over_http(serve, target):
    server = serve(redirect(target))
    assert failure(server.url).reason is Reason.REQUEST_REFUSED
    assert failure(target).reason is Reason.REQUEST_REFUSED


def test_reads_no_endless_body_of_a_redirect(serve):
    end = serve(OK)
    head = redirect(end.url).replace(b"Content-Length: 0", b"Connection: close")
    sent = []

    def talk(connection, stop):
        connection.sendall(head)
        while not stop.is_set():
            sent.append(connection.send(bytes(1 << 16)))

    assert get(serve(talk).url) == b"ok"
    assert sum(sent) < 32 << 20


def test_a_redirect_without_a_target_is_no_answer(serve):
    server = serve(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")
    assert failure(server.url).reason is Reason.UNREACHABLE


@pytest.fixture
def made_up_network(monkeypatch):
    """127.0.0.1 is public, 127.0.0.2 private, 127.0.0.3 this machine; a name leads to each."""
    reaches = {
        "127.0.0.1": Reach.PUBLIC,
        "127.0.0.2": Reach.PRIVATE,
        "127.0.0.3": Reach.LOOPBACK,
        "127.0.0.4": Reach.LINK_LOCAL,
    }
    monkeypatch.setattr(connections, "reach_of", lambda host: reaches.get(host, Reach.PUBLIC))
    resolve = socket.getaddrinfo
    names = {"inside.example": "127.0.0.2"}
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest: resolve(names.get(host, host), *rest)
    )


@pytest.mark.parametrize(
    ("start", "end", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.1", "127.0.0.3", False),
        ("127.0.0.1", "127.0.0.4", False),
        ("127.0.0.2", "127.0.0.1", True),
        ("127.0.0.2", "127.0.0.2", True),
        ("127.0.0.2", "127.0.0.3", False),
        ("127.0.0.3", "127.0.0.3", True),
        ("127.0.0.3", "127.0.0.4", False),
        ("127.0.0.4", "127.0.0.4", False),
    ],
)
def test_a_redirect_comes_no_nearer_than_its_server(serve, made_up_network, start, end, allowed):
    inner = serve(OK, address=end)
    outer = serve(redirect(inner.url), address=start)
    if allowed:
        assert get(outer.url) == b"ok"
        return
    assert failure(outer.url).reason is Reason.REQUEST_REFUSED
    assert inner.heard == []
    # The user may go there, and the connection that this leaves open is of no use to others.
    assert get(inner.url) == b"ok"
    assert failure(outer.url).reason is Reason.REQUEST_REFUSED
    assert len(inner.heard) == 1


def test_a_name_of_the_inner_network_is_no_way_in(serve, made_up_network):
    inner = serve(OK, address="127.0.0.2")
    outer = serve(redirect(inner.url.replace("127.0.0.2", "inside.example")))
    assert failure(outer.url).reason is Reason.REQUEST_REFUSED
    assert inner.heard == []


def test_a_redirect_does_not_return_inside_from_outside(serve, made_up_network):
    inner = serve(OK, address="127.0.0.2")
    outer = serve(redirect(inner.url))
    first = serve(redirect(outer.url), address="127.0.0.2")
    assert failure(first.url).reason is Reason.REQUEST_REFUSED


def authorization(name, password):
    return b"Basic " + base64.b64encode(f"{name}:{password}".encode())


def test_sends_credentials_to_their_own_server_alone(serve):
    other = serve(OK)
    own = serve(redirect(other.url))
    assert get(own.url.replace("//", "//someone:s%40cret@")) == b"ok"
    assert authorization("someone", "s@cret") in own.heard[0]
    assert b"Authorization" not in other.heard[0]


def test_keeps_credentials_on_redirects_of_their_own_server(serve):
    def talk(connection, stop):
        connection.sendall(OK if b" /there " in server.heard[-1] else redirect("/there"))

    server = serve(talk)
    assert get(server.url.replace("//", "//someone:secret@")) == b"ok"
    assert all(b"Authorization: Basic " in request for request in server.heard)
    assert len(server.heard) == 2


def test_takes_no_credentials_to_plain_http(serve, certificate, monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_CERT", str(certificate.path))
    plain = serve(OK)
    secure = serve(redirect(plain.url), tls=certificate.context)
    error = failure(secure.url.replace("//", "//someone:secret@"))
    assert error.reason is Reason.REQUEST_REFUSED
    assert "secret" not in str(error)
    assert plain.heard == []
    # Without credentials it may, and then those of .netrc stay at home too.
    (tmp_path / "netrc").write_text("machine localhost login someone password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    local = plain.url.replace("127.0.0.1", "localhost")
    assert get(local) == b"ok"
    assert b"Authorization" in plain.heard[-1]
    assert get(serve(redirect(local), tls=certificate.context).url) == b"ok"
    assert b"Authorization" not in plain.heard[-1]


def test_names_a_certificate_that_is_not_trusted(serve, certificate):
    server = serve(OK, tls=certificate.context)
    error = failure(server.url)
    assert error.reason is Reason.UNREACHABLE
    assert "SSL" in error.detail


def test_a_server_without_tls_may_pass(serve):
    server = serve(lambda connection, stop: connection.sendall(OK))
    with pytest.raises(PassingError):
        get(server.url.replace("http:", "https:"))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.ACCESS_DENIED),
        (403, Reason.ACCESS_DENIED),
        (407, Reason.ACCESS_DENIED),
        (404, Reason.NOT_FOUND),
        (410, Reason.NOT_FOUND),
        (204, Reason.UNREACHABLE),
        (206, Reason.UNREACHABLE),
        (304, Reason.UNREACHABLE),
        (418, Reason.UNREACHABLE),
        (501, Reason.UNREACHABLE),
    ],
)
def test_names_a_status_that_will_not_pass(serve, status, reason):
    # The body is never sent, and nobody waits for it.
    server = serve(say(b"HTTP/1.1 %d No\r\nContent-Length: 9\r\n\r\n" % status, pause=10))
    error = failure(server.url)
    assert error.reason is reason
    assert f"answers {status}" in error.detail


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (b"", None),
        (b"Retry-After: 7\r\n", 7.0),
        (b"Retry-After: Thu, 01 Jan 2004 00:00:00 GMT\r\n", 0.0),
        (b"Retry-After: " + b"9" * 400 + b"\r\n", float("inf")),
        (b"Retry-After: soon\r\n", None),
    ],
)
def test_says_how_long_a_busy_server_wants_to_rest(serve, status, header, wait):
    server = serve(b"HTTP/1.1 %d No\r\n%sContent-Length: 0\r\n\r\n" % (status, header))
    with pytest.raises(PassingError) as caught:
        get(server.url)
    assert caught.value.wait_seconds == wait


def test_uses_one_connection_for_many_files(serve):
    server = serve(OK)
    for _ in range(5):
        assert get(server.url) == b"ok"
    assert server.connections == 1


def test_keeps_nothing_that_an_answer_sets(serve):
    server = serve(HEAD + b"Set-Cookie: seen=1\r\nContent-Length: 2\r\n\r\nok")
    get(server.url)
    get(server.url)
    assert b"Cookie" not in server.heard[1]


def test_waits_for_its_turn(serve):
    server = serve(OK)
    client = Client(requests_per_second=0.01)
    get(server.url, client=client)
    started = time.monotonic()
    assert failure(server.url, client=client, seconds=5).reason is Reason.TIMED_OUT
    assert time.monotonic() - started < 3


def test_shows_no_secret_and_no_control_character():
    assert shown_url("https://a:b@host/p?token=c#d") == "host/p"
    assert shown_url("https://host/\x1b[31m") == "host/?[31m"
    assert shown_url("http://[") == "["
    assert len(shown_url("http://host/" + "a" * 10_000_000)) < 1000


def test_takes_credentials_out_of_a_url():
    bare, login = split_login("http://a:b%20c@host:1/p?q")
    assert (bare, login.name, login.password) == ("http://host:1/p?q", "a", "b c")
    assert split_login("http://host/") == ("http://host/", None)
