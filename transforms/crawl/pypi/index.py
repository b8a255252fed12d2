"""The package index: where it is, how to ask it, and what its answers mean.

Answers are bounded in size and time, and nothing said about a failure holds
credentials, wherever in a URL they were given.
"""

from __future__ import annotations

import ast
import datetime
import email.utils
import functools
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from packaging.utils import canonicalize_name
from pypi_simple import ACCEPT_ANY, PYPI_SIMPLE_ENDPOINT, ProjectPage
from pypi_simple.errors import UnsupportedRepoVersionError
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.exceptions import HTTPError

from schemas.failures import Reason
from transforms.crawl.retries import Deadline, PassingError
from transforms.crawl.source import CrawlError

MAX_PAGE_BYTES = 128 << 20  # the longest pages list some 100,000 files in 60 MB
CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
CHUNK_BYTES = 1 << 17

_PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


class Index:
    """A simple repository (PEP 503, PEP 691) behind one session."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        self.url = urlunsplit((parts.scheme, host, parts.path.rstrip("/") + "/", "", ""))
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "repomill"
        if parts.username is not None:
            login = HTTPBasicAuth(unquote(parts.username), unquote(parts.password or ""))
            self._session.auth = _HostAuth(host, login)
        bundle = certificate_bundle()
        if bundle:
            self._session.verify = bundle

    def project_url(self, name: str) -> str:
        """The address of a project's page."""
        return f"{self.url}{canonicalize_name(name)}/"

    def page(self, name: str, deadline: Deadline) -> ProjectPage:
        """What the index lists of a project; raises `CrawlError` or `PassingError`."""
        headers = {"Accept": ACCEPT_ANY}
        with self._answer(self.project_url(name), headers, deadline) as answer:
            chunks = _chunks(answer, MAX_PAGE_BYTES, deadline, decode=True)
            return _parse_page(name, answer, b"".join(chunks))

    @contextmanager
    def download(self, url: str, max_bytes: int, deadline: Deadline) -> Iterator[Iterator[bytes]]:
        """The chunks of a file, which raise like `page`, or where it has too many bytes."""
        # A server that compressed an archive once more would make its hash another one.
        with self._answer(url, {"Accept-Encoding": "identity"}, deadline) as answer:
            yield _chunks(answer, max_bytes, deadline, decode=False)

    @contextmanager
    def _answer(
        self, url: str, headers: Mapping[str, str], deadline: Deadline
    ) -> Iterator[requests.Response]:
        left = deadline.remaining_seconds()
        timeouts = (min(CONNECT_SECONDS, left), min(READ_SECONDS, left))
        try:
            with self._session.get(url, headers=headers, stream=True, timeout=timeouts) as answer:
                _check_status(answer, url)
                yield answer
        except (requests.RequestException, HTTPError) as error:
            _raise_named(error, url)

    def check(self, name: str, timeout_seconds: float) -> str | None:
        """What is wrong with the index, seen from one request for a page; None if nothing."""
        url = self.project_url(name)
        try:
            with self._session.get(url, stream=True, timeout=timeout_seconds) as answer:
                if answer.ok or answer.status_code == 404:
                    return None
                return f"{shown_url(url)} answers {answer.status_code}"
        except requests.RequestException as error:
            return _describe(error, url)

    def close(self) -> None:
        """Closes the session's connections."""
        self._session.close()


class _HostAuth(AuthBase):
    """Credentials for the index alone: files often lie on another host."""

    def __init__(self, host: str, login: AuthBase) -> None:
        self._host = host
        self._login = login

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Adds the credentials where the request goes to the index."""
        same_host = urlsplit(request.url or "").netloc == self._host
        return self._login(request) if same_host else request


def locate_index(setting: str | None) -> str:
    """The index's address: the setting, else what pip would use."""
    return (
        setting
        or os.environ.get("PIP_INDEX_URL")
        or _pip_settings().get("global.index-url")
        or PYPI_SIMPLE_ENDPOINT
    )


def certificate_bundle() -> str | None:
    """The CA bundle that pip would use, None for the default one."""
    return os.environ.get("PIP_CERT") or _pip_settings().get("global.cert")


@functools.cache
def _pip_settings() -> Mapping[str, str]:
    """What pip's configuration files say; nothing where there is no pip."""
    if importlib.util.find_spec("pip") is None:
        return {}
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    try:
        listing = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return parse_pip_settings(listing.stdout)


def parse_pip_settings(listing: str) -> dict[str, str]:
    """Parses lines such as ``global.cert='/some/file'``, as ``pip config list`` prints them."""
    settings = {}
    for line in listing.splitlines():
        name, equals, value = line.partition("=")
        if equals and value.startswith(("'", '"')):
            settings[name] = str(ast.literal_eval(value))
    return settings


def shown_url(url: str) -> str:
    """A URL as it may be shown: without scheme, credentials, query and fragment."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] + parts.path


def _check_status(answer: requests.Response, url: str) -> None:
    status = answer.status_code
    detail = f"{shown_url(url)} answers {status}"
    if status in (404, 410):
        raise CrawlError(Reason.NOT_FOUND, detail)
    if status in (401, 403, 407):
        raise CrawlError(Reason.ACCESS_DENIED, detail)
    if status in _PASSING_STATUSES:
        raise PassingError(detail, parse_retry_after(answer.headers.get("Retry-After")))
    if status != 200:
        raise CrawlError(Reason.UNREACHABLE, detail)


def parse_retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
        wait = moment - datetime.datetime.now(moment.tzinfo)
    except (ValueError, OverflowError):
        return None
    return max(0.0, wait.total_seconds())


def _chunks(
    answer: requests.Response, max_bytes: int, deadline: Deadline, *, decode: bool
) -> Iterator[bytes]:
    """The body as it arrives, so that a server that trickles meets the deadline."""
    total = 0
    while chunk := answer.raw.read1(CHUNK_BYTES, decode_content=decode):
        total += len(chunk)
        if total > max_bytes:
            detail = f"{shown_url(answer.url)} has more than {max_bytes:,} bytes"
            raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
        deadline.remaining_seconds()
        yield chunk


def _parse_page(name: str, answer: requests.Response, body: bytes) -> ProjectPage:
    kind, _, parameters = answer.headers.get("Content-Type", "text/html").partition(";")
    try:
        if kind.strip() == "application/vnd.pypi.simple.v1+json":
            return ProjectPage.from_json_data(json.loads(body), answer.url)
        if kind.strip() in ("application/vnd.pypi.simple.v1+html", "text/html"):
            charset = parameters.partition("charset=")[2].strip(' "') or None
            return ProjectPage.from_html(name, body, answer.url, charset)
    except (ValueError, LookupError, UnsupportedRepoVersionError) as error:
        detail = f"{shown_url(answer.url)} is no project page ({type(error).__name__})"
        raise CrawlError(Reason.UNREACHABLE, detail) from error
    raise CrawlError(Reason.UNREACHABLE, f"{shown_url(answer.url)} is {kind}, no project page")


def _raise_named(error: Exception, url: str) -> NoReturn:
    passing = (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
        HTTPError,
    )
    detail = _describe(error, url)
    # A certificate that is not trusted now will not be trusted in a minute.
    if isinstance(error, passing) and not isinstance(error, requests.exceptions.SSLError):
        raise PassingError(detail) from error
    raise CrawlError(Reason.UNREACHABLE, detail) from error


def _describe(error: Exception, url: str) -> str:
    """What went wrong, in words that are the same each time: urllib3's hold addresses in memory."""
    cause: Any = error
    while cause.__context__ is not None:
        cause = cause.__context__
    reason = getattr(cause, "strerror", None) or type(cause).__name__
    return f"{shown_url(url)}: {type(error).__name__} ({reason})"
