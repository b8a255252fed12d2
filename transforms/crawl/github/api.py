"""What GitHub's API answers, how fast it lets itself be asked, and as whom."""

from __future__ import annotations

import datetime
import email.utils
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from schemas.failures import Reason
from transforms.crawl.source import CrawlError, Limits
from transforms.web.client import describe, shown_url
from transforms.web.retries import Deadline, PassingError, Retries, parse_retry_after

if TYPE_CHECKING:
    from transforms.crawl.github.connection import Client

# The limit is counted by the hour, so one wait for its end must fit in.
LIMITS = Limits(timeout_seconds=2 * 3600.0, attempts=6)
UNTOLD_WAIT_SECONDS = 60.0  # what GitHub asks for where it says nothing

PUBLIC_API = "https://api.github.com"
_PUBLIC_VARIABLES = ("GITHUB_TOKEN", "GH_TOKEN")
_ENTERPRISE_VARIABLES = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_MISSING = frozenset({404, 410, 451})
_PASSING = frozenset({408, 425, 500, 502, 503, 504})
_MAX_MESSAGE = 200


class RefusedError(CrawlError):
    """What is at one address cannot be had, which says nothing of other addresses."""


@dataclass(frozen=True)
class Answer:
    """What a path holds; there is no ``body`` where it is the same as under the known tag."""

    body: Any
    etag: str | None
    has_next: bool
    is_unchanged: bool = False


def token_variables(api: str) -> tuple[str, ...]:
    """The variables that may hold a token for a server: none of one server's goes to another."""
    host = urlsplit(api).hostname or ""
    is_public = host in ("api.github.com", "github.com") or host.endswith(".ghe.com")
    return _PUBLIC_VARIABLES if is_public else _ENTERPRISE_VARIABLES


def find_token(api: str) -> str | None:
    """The token for a server, None where none is set; raises ValueError with the cure."""
    for name in token_variables(api):
        token = os.environ.get(name, "").strip()
        if token:
            if not _TOKEN.fullmatch(token):
                raise ValueError(f"{name} holds what cannot be a token; set it anew or unset it")
            return token
    return None


def import_client() -> type[Client]:
    """PyGithub behind a connection of ours; raises ValueError that says what to install."""
    try:
        from transforms.crawl.github.connection import Client
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "github":
            raise
        raise ValueError("listing GitHub needs PyGithub: pip install 'repomill[github]'") from error
    return Client


class Api:
    """Asks one server, one request after the other, and waits as it asks to.

    ``tell`` is told what is waited for.
    """

    def __init__(self, url: str, retries: Retries, tell: Callable[[str], None]) -> None:
        self.url = url
        token = find_token(url)
        self._client = import_client()(url, token)
        self._retries = retries
        self._tell = tell
        self._has_token = token is not None
        self._free_seconds = 0.0
        self._refusals = 0

    def get(self, path: str, parameters: Mapping[str, str], etag: str | None = None) -> Answer:
        """What is at a path.

        Raises:
          RefusedError: it is not there, or not for us.
          CrawlError: the server cannot be asked at all, for now or with this token.
        """

        def attempt(deadline: Deadline) -> Answer:
            wait, self._free_seconds = self._free_seconds, 0.0
            if wait:
                raise self._waiting("the rate limit is used up", wait)
            headers = {"Accept": "application/vnd.github+json"}
            if etag is not None:
                headers["If-None-Match"] = etag
            try:
                status, answered, body = self._client.get(path, dict(parameters), headers)
            except (requests.RequestException, HTTPError) as error:
                detail = describe(error, self.url + path)
                if isinstance(error, requests.exceptions.SSLError):
                    raise CrawlError(Reason.UNREACHABLE, detail) from error
                raise PassingError(detail) from error
            return self._judge(path, status, answered, body)

        return self._retries.run(attempt, LIMITS)

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def _judge(self, path: str, status: int, headers: Mapping[str, str], body: str) -> Answer:
        detail = f"{shown_url(self.url + path)} answers {status}"
        if status in (200, 304):
            answer = _parse(detail, status, headers, body)
            self._refusals = 0
            # Whoever goes on where nothing is left is shut out for longer.
            exhausted = headers.get("x-ratelimit-remaining") == "0"
            self._free_seconds = _seconds_to_reset(headers) or 0.0 if exhausted else 0.0
            self._tell("" if self._has_token else f"GitHub: {self._hint()}")
            return answer
        message = _message(body)
        if message:
            detail += f": {message}"
        if status in (403, 429):
            self._check_rate(status, headers, message, detail)
        if status in _PASSING:
            raise PassingError(detail, parse_retry_after(headers.get("retry-after")))
        raise self._failure(status, detail)

    def _failure(self, status: int, detail: str) -> CrawlError:
        if status == 401:
            cure = f"make a new token for {' or '.join(token_variables(self.url))}, or unset it"
            return CrawlError(Reason.ACCESS_DENIED, f"{detail}; {cure}")
        if status in _MISSING:
            return RefusedError(Reason.NOT_FOUND, detail)
        if status == 403:
            return RefusedError(Reason.ACCESS_DENIED, detail)
        if status == 422:
            return CrawlError(Reason.REQUEST_REFUSED, f"{detail}; mend the query of `search`")
        return CrawlError(Reason.UNREACHABLE, detail)

    def _check_rate(
        self, status: int, headers: Mapping[str, str], message: str, detail: str
    ) -> None:
        """Raises `PassingError` where a refusal is for asking too much."""
        wait = parse_retry_after(headers.get("retry-after"))
        exhausted = headers.get("x-ratelimit-remaining") == "0"
        if wait is None and exhausted:
            wait = _seconds_to_reset(headers)
        limited = exhausted or status == 429 or self._client.is_rate_limit(message)
        if wait is None and not limited:
            return
        if wait is None:
            wait = UNTOLD_WAIT_SECONDS * 2**self._refusals
        self._refusals += 1
        raise self._waiting(detail, wait)

    def _waiting(self, why: str, seconds: float) -> PassingError:
        hint = "" if self._has_token else f" ({self._hint()})"
        self._tell(f"GitHub: waiting {seconds:,.0f} s: {why}{hint}")
        return PassingError(f"{why}{hint}", seconds)

    def _hint(self) -> str:
        return f"without a token in {token_variables(self.url)[0]} it answers seldom"


def _parse(detail: str, status: int, headers: Mapping[str, str], body: str) -> Answer:
    links = requests.utils.parse_header_links(headers.get("link", ""))
    has_next = any(link.get("rel") == "next" for link in links)
    etag = headers.get("etag")
    if status == 304:
        return Answer(None, etag, has_next, is_unchanged=True)
    try:
        return Answer(json.loads(body), etag, has_next)
    except (ValueError, RecursionError) as error:
        raise PassingError(f"{detail} with what is no JSON") from error


def _message(body: str) -> str:
    """What the body of a refusal says, in one line; nothing where it is no refusal of GitHub's."""
    try:
        message = json.loads(body)["message"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    text = " ".join(str(message).split())
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:_MAX_MESSAGE]


def _seconds_to_reset(headers: Mapping[str, str]) -> float | None:
    """Until the limit starts anew, by the server's own clock where it tells the time."""
    reset = headers.get("x-ratelimit-reset", "").strip()
    if not re.fullmatch(r"[0-9]{1,12}", reset):
        return None
    try:
        now = email.utils.parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        now = datetime.datetime.now(datetime.UTC)
    # It is not said when in that second the limit ends.
    return max(0.0, float(reset) - now.timestamp()) + 1.0
