"""What is fetched over HTTP: bounded in bytes and time, wherever a server leads to.

All threads of a process share the connections. Nothing said about a failure holds
credentials, wherever in a URL they were given.
"""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NoReturn
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.exceptions import HTTPError

from schemas.failures import Reason
from transforms.web.connections import Adapter, Call
from transforms.web.errors import FetchError
from transforms.web.pace import wait_for_turn
from transforms.web.pip_settings import certificate_bundle
from transforms.web.reach import ANYWHERE, Reach, reach_beyond
from transforms.web.retries import Deadline, PassingError, parse_retry_after

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
CHUNK_BYTES = 1 << 17
MAX_REDIRECTS = 10

_SHOWN_CHARACTERS = 300
_PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Login:
    """Credentials for the server of a URL alone: files often lie on another one."""

    url: str
    name: str
    password: str


@dataclass(frozen=True)
class Answer:
    """A server's answer with status 200, whose ``chunks`` are still to come.

    ``url`` is where it came from after all redirects, ``nearest`` what its links may reach.
    """

    url: str
    headers: Mapping[str, str]
    chunks: Iterator[bytes]
    nearest: Reach


@dataclass(frozen=True)
class Client:
    """Asks servers, each at most ``requests_per_second`` times from this process."""

    requests_per_second: float
    login: Login | None = None

    @contextmanager
    def get(
        self,
        url: str,
        max_bytes: int,
        deadline: Deadline,
        *,
        headers: Mapping[str, str] | None = None,
        nearest: Reach = ANYWHERE,
        decode: bool = False,
    ) -> Iterator[Answer]:
        """The answer at a URL, which may hold credentials.

        Its chunks are the bytes as they are sent, or what they mean with ``decode``.
        For a URL that the user did not give, ``nearest`` is that of the answer that gave
        it. Raises `FetchError` or `PassingError`, the chunks too.
        """
        bare, own = split_login(url)
        asking = _Asking(self, own or self.login, deadline, {**_IDENTITY, **(headers or {})})
        was_secure = False
        for _ in range(1 + MAX_REDIRECTS):
            was_secure = was_secure or bare.startswith("https:")
            with asking.ask(bare, nearest, was_secure=was_secure) as (answer, reach):
                if not answer.is_redirect:
                    _check_status(answer)
                    chunks = _chunks(answer, max_bytes, deadline, decode=decode)
                    yield Answer(bare, answer.headers, chunks, reach_beyond(reach))
                    return
                bare, nearest = _target(answer), min(nearest, reach_beyond(reach))
        raise FetchError(Reason.UNREACHABLE, f"{shown_url(url)} redirects too often")


# A server that compressed an archive once more would make its hash another one.
_IDENTITY = {"Accept-Encoding": "identity"}


@dataclass(frozen=True)
class _Asking:
    client: Client
    login: Login | None
    deadline: Deadline
    headers: Mapping[str, str]

    @contextmanager
    def ask(
        self, url: str, nearest: Reach, *, was_secure: bool
    ) -> Iterator[tuple[requests.Response, Reach]]:
        """One request, no redirect followed, and how near its server is."""
        wait_for_turn(_host(url), self.client.requests_per_second, self.deadline)
        left = self.deadline.remaining_seconds()
        session = _session()
        with Call(left, nearest).running() as call:
            try:
                with session.get(
                    url,
                    headers=dict(self.headers),
                    auth=self._auth(session, url, was_secure=was_secure),
                    stream=True,
                    # Here rather than in the session, where the environment would overrule it.
                    verify=certificate_bundle(),
                    timeout=(min(CONNECT_SECONDS, left), min(READ_SECONDS, left)),
                    allow_redirects=False,
                ) as answer:
                    yield answer, call.reach
            except (requests.RequestException, HTTPError) as error:
                self.deadline.remaining_seconds()
                _raise_named(error, url)

    def _auth(self, session: requests.Session, url: str, *, was_secure: bool) -> AuthBase | None:
        if was_secure and not url.startswith("https:"):
            return _NoLogin()
        login = self.login
        if login is None or session.should_strip_auth(login.url, url):  # type: ignore[no-untyped-call]
            return None
        return HTTPBasicAuth(login.name, login.password)


class _NoLogin(AuthBase):
    """Keeps the credentials of ``.netrc`` away too."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None, because the session would read the whole body of a redirect otherwise."""
        return None


@functools.cache
def _session() -> requests.Session:
    """The session that all threads share, which is safe because it keeps nothing of an answer."""
    session = _Session()
    session.headers["User-Agent"] = "repomill"
    # What one answer sets must not decide another one.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter())
    return session


# Two processes must not write to one connection.
os.register_at_fork(after_in_child=_session.cache_clear)


def split_login(url: str) -> tuple[str, Login | None]:
    """A URL without its credentials, and those."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise FetchError(Reason.REQUEST_REFUSED, f"{shown_url(url)} is no URL") from None
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    if parts.username is None:
        return bare, None
    return bare, Login(bare, unquote(parts.username), unquote(parts.password or ""))


def shown_url(url: str) -> str:
    """A URL as it may be shown: without scheme, credentials, query and fragment."""
    rest = url.partition("://")[2] or url
    rest = rest.partition("?")[0].partition("#")[0]
    host, slash, path = rest.partition("/")
    shown = host.rpartition("@")[2] + slash + path
    return "".join(letter if letter.isprintable() else "?" for letter in shown[:_SHOWN_CHARACTERS])


def describe(error: Exception, url: str) -> str:
    """What went wrong, in words that are the same each time: urllib3's hold addresses in memory."""
    cause = _cause(error)
    reason = getattr(cause, "strerror", None) or type(cause).__name__
    return f"{shown_url(url)}: {type(error).__name__} ({reason})"


def _cause(error: BaseException) -> Any:
    while error.__context__ is not None:
        error = error.__context__
    return error


def _host(url: str) -> str:
    """The server that a URL names; raises `FetchError` where it is not one of ours to ask."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("http", "https"):
        detail = f"{shown_url(url)} is no address that is fetched over http or https"
        raise FetchError(Reason.REQUEST_REFUSED, detail)
    return host


def _target(answer: requests.Response) -> str:
    """Where an answer leads to."""
    _keep_connection(answer)
    location = answer.headers["Location"].encode("latin-1").decode("utf-8", "replace")
    try:
        target, _ = split_login(urljoin(answer.url, location))
    except ValueError:
        detail = f"{shown_url(answer.url)} redirects to what is no address"
        raise FetchError(Reason.REQUEST_REFUSED, detail) from None
    downgraded = answer.url.startswith("https:") and not target.startswith("https:")
    if downgraded and "Authorization" in answer.request.headers:
        detail = f"{shown_url(answer.url)} wants credentials and redirects to plain http"
        raise FetchError(Reason.REQUEST_REFUSED, detail)
    return target


def _keep_connection(answer: requests.Response) -> None:
    # A body that is not read to its end costs the connection; waiting for one costs more.
    if answer.raw.length_remaining == 0:
        answer.raw.read()


def _check_status(answer: requests.Response) -> None:
    status = answer.status_code
    if status == 200:
        return
    _keep_connection(answer)
    detail = f"{shown_url(answer.url)} answers {status}"
    if status in (404, 410):
        raise FetchError(Reason.NOT_FOUND, detail)
    if status in (401, 403, 407):
        raise FetchError(Reason.ACCESS_DENIED, detail)
    if status in _PASSING_STATUSES:
        raise PassingError(detail, parse_retry_after(answer.headers.get("Retry-After")))
    raise FetchError(Reason.UNREACHABLE, detail)


def _chunks(
    answer: requests.Response, max_bytes: int, deadline: Deadline, *, decode: bool
) -> Iterator[bytes]:
    """The body as it arrives, so that a server that trickles meets the deadline."""
    # What the server declares is believed only where it is too much.
    total = 0 if decode else answer.raw.length_remaining or 0
    if total <= max_bytes:
        total = 0
        while chunk := answer.raw.read1(CHUNK_BYTES, decode_content=decode):
            total += len(chunk)
            if total > max_bytes:
                break
            deadline.remaining_seconds()
            yield chunk
    if total > max_bytes:
        detail = f"{shown_url(answer.url)} has more than {max_bytes:,} bytes"
        raise FetchError(Reason.REPOSITORY_TOO_LARGE, detail)
    # A connection that was shut down looks like the end of a body without a length.
    deadline.remaining_seconds()
    if total == 0 and answer.raw.length_remaining is None and not answer.raw.chunked:
        # Nothing says that this was all: the connection may have ended in the headers.
        raise PassingError(f"{shown_url(answer.url)} answers nothing")


def _raise_named(error: Exception, url: str) -> NoReturn:
    passing = (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
        HTTPError,
    )
    detail = describe(error, url)
    # A certificate that is not trusted now will not be trusted in a minute.
    trusted = not isinstance(_cause(error), ssl.SSLCertVerificationError)
    if isinstance(error, passing) and trusted:
        raise PassingError(detail) from error
    raise FetchError(Reason.UNREACHABLE, detail) from error
