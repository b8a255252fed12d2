"""The connection that PyGithub asks through, bounded in bytes, time and where it may lead.

Imports PyGithub, so it is imported only where something is listed.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from github.Auth import Token
from github.Requester import HTTPRequestsConnectionClass, Requester, RequestsResponse

from schemas.failures import Reason
from transforms.crawl.source import CrawlError
from transforms.web.client import CHUNK_BYTES, CONNECT_SECONDS, READ_SECONDS, shown_url
from transforms.web.connections import Adapter, Call
from transforms.web.reach import ANYWHERE
from transforms.web.retries import Deadline, PassingError

MAX_ANSWER_BYTES = 16 << 20  # a page of 100 repositories has 0.7 MB
ANSWER_SECONDS = 60.0
MAX_REDIRECTS = 5


class Connection(HTTPRequestsConnectionClass):
    """Asks one server and nobody else, whatever it answers.

    PyGithub itself follows a moved repository too, but loses the query on the way, and
    with it the number of the page.
    """

    protocol: str

    def __init__(self, api: str) -> None:
        parts = urlsplit(api)
        default = 443 if parts.scheme == "https" else 80
        super().__init__(str(parts.hostname), parts.port or default)
        self.protocol = parts.scheme
        self.session.mount(f"{parts.scheme}://", Adapter())

    def getresponse(self) -> RequestsResponse:
        """The answer as a whole; raises `CrawlError`, or what `requests` raises."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        url = f"{self.protocol}://{host}:{self.port}{self.url}"
        deadline = Deadline.after(ANSWER_SECONDS)
        for _ in range(1 + MAX_REDIRECTS):
            with Call(deadline.remaining_seconds(), ANYWHERE).running(), self._get(url) as answer:
                if answer.status_code == requests.codes.accepted:
                    # PyGithub would ask again for ever.
                    raise PassingError(f"{shown_url(url)} answers 202")
                if not answer.is_redirect:
                    return _Read(answer, _body(answer, deadline))
                url = _target(url, answer.headers["Location"])
        raise CrawlError(Reason.UNREACHABLE, f"{shown_url(url)} redirects too often")

    def _get(self, url: str) -> requests.Response:
        try:
            return self.session.get(
                url,
                headers=self.headers,
                stream=True,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException:
            raise
        except ValueError as error:
            # `requests` looks at where a redirect leads even if it need not follow.
            detail = f"{shown_url(url)} redirects to what is no address"
            raise CrawlError(Reason.REQUEST_REFUSED, detail) from error


class _Read(RequestsResponse):
    """An answer whose body is in memory."""

    def __init__(self, answer: requests.Response, body: bytes) -> None:
        super().__init__(answer)
        self._body = body

    def read(self) -> str:
        return self._body.decode("utf-8", "replace")


def _body(answer: requests.Response, deadline: Deadline) -> bytes:
    chunks: list[bytes] = []
    total = 0
    while chunk := answer.raw.read1(CHUNK_BYTES, decode_content=True):
        chunks.append(chunk)
        total += len(chunk)
        if total > MAX_ANSWER_BYTES:
            detail = f"{shown_url(answer.url)} sends more than {MAX_ANSWER_BYTES:,} bytes"
            raise CrawlError(Reason.UNREACHABLE, detail)
        deadline.remaining_seconds()
    return b"".join(chunks)


def _target(url: str, location: str) -> str:
    """Where a redirect leads, with the query that was asked for where it has none."""
    before = urlsplit(url)
    try:
        after = urlsplit(urljoin(url, location))
        is_own = _origin(before) == _origin(after)
    except ValueError:
        is_own = False
    if not is_own:
        raise CrawlError(
            Reason.REQUEST_REFUSED,
            f"{shown_url(url)} redirects to another server, which is not followed, so that "
            "the token stays here; give the address of its API as `api`",
        )
    return after._replace(query=after.query or before.query).geturl()


def _origin(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


class Client:
    """PyGithub for one server, without retries of its own: those here can be watched."""

    def __init__(self, api: str, token: str | None) -> None:
        self._requester = Requester(
            auth=None if token is None else Token(token),
            base_url=api,
            timeout=int(READ_SECONDS),
            user_agent="repomill",
            per_page=100,
            verify=True,
            retry=None,
            pool_size=None,
        )
        self._connection = Connection(api)

    def get(
        self, path: str, parameters: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any], str]:
        """Status, headers in lower case and body of what is at a path."""
        status, answered, body = self._requester.requestJson(
            "GET", path, parameters, headers, cnx=self._connection
        )
        return status, answered, str(body or "")

    def is_rate_limit(self, message: str) -> bool:
        """Whether a refusal's message says that too much was asked for."""
        return self._requester.isRateLimitError(message)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()
        self._requester.close()
