"""What an HTTP server says besides git's messages: where to go instead, and when to come back.

git would follow a redirect wherever it leads, also into the network of the machine that
crawls. So it follows none, and writes down the headers of the answers: we judge them.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from schemas.failures import Reason
from transforms.crawl.git.urls import check_url, without_credentials
from transforms.crawl.source import CrawlError
from transforms.web.reach import Reach, reach_beyond, reach_of
from transforms.web.retries import PassingError, parse_retry_after

_HEADER = re.compile(r"^\S+ \S+ +<= Recv header: (.*)$", re.MULTILINE)
# Where no version of curl says it in these words, the address counts as public.
# Only at the start of its line: a header of the server may hold the same words.
_CONNECTED = re.compile(
    r"^\S+ \S+ +== Info: (?:Connected|Established connection) to \S+ \(([0-9A-Fa-f.:]+)",
    re.MULTILINE,
)
_GIT_ANSWER = re.compile(r"<= Recv header: content-type: *application/x-git-", re.IGNORECASE)
_MAX_TRACE_BYTES = 1 << 20
_REQUESTED = "/info/refs?service=git-upload-pack"


class HttpTrace:
    """The headers that git received; there are none where it spoke no HTTP."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def variables(self) -> Mapping[str, str]:
        """What makes git write them down; it leaves out what is secret."""
        return {"GIT_TRACE_CURL": str(self._path.absolute()), "GIT_TRACE_CURL_NO_DATA": "1"}

    def redirect(self) -> str | None:
        """Where the last answer leads, if it is a redirect."""
        status, headers = self._last_answer()
        return headers.get("location") if status.startswith("3") else None

    def shows_no_git(self) -> bool:
        """Whether a server answered with something that git servers do not."""
        text = self._text()
        first = _HEADER.search(text)
        return first is not None and " 200" in first[1] and not _GIT_ANSWER.search(text)

    def nearest(self) -> Reach:
        """How near to this machine a redirect may lead, by where it came from."""
        reaches = [reach_of(address) for address in _CONNECTED.findall(self._text())]
        return reach_beyond(max(reaches, default=Reach.PUBLIC))

    def retry_after_seconds(self) -> float | None:
        """How long the last answer asks to wait, if it does."""
        return parse_retry_after(self._last_answer()[1].get("retry-after"))

    def _last_answer(self) -> tuple[str, dict[str, str]]:
        status, headers = "", dict[str, str]()
        for line in _HEADER.findall(self._text()):
            if line.startswith("HTTP/"):
                status, headers = line.partition(" ")[2], {}
            else:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
        return status, headers

    def _text(self) -> str:
        try:
            with self._path.open("rb") as file:
                return file.read(_MAX_TRACE_BYTES).decode("utf-8", "replace")
        except FileNotFoundError:
            return ""


@dataclass(frozen=True)
class Destination:
    """Where a repository is asked for: its URL, and the address of its host if it is fixed."""

    url: str
    address: str | None = None

    def settings(self) -> Sequence[str]:
        """The options of git that fix the address, so that a name cannot change it meanwhile."""
        if self.address is None:
            return ()
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return ("-c", f"http.curloptResolve={parts.hostname}:{port}:{self.address}")


def follow_redirect(url: str, target: str, nearest: Reach) -> Destination:
    """Where a server sends us; raises `CrawlError` where it may not.

    It may send us to machines up to a reach, to a repository, and never from https to
    http, where others could change what is fetched.
    """
    shown = f"a redirect from {without_credentials(url)} to {without_credentials(target)}"
    try:
        moved = urljoin(url.rstrip("/") + _REQUESTED, target)
        before, after = urlsplit(url), urlsplit(moved)
        host, port = after.hostname, after.port
    except ValueError:
        host = None
    if host is None or not (after.scheme == "https" or after.scheme == before.scheme == "http"):
        raise CrawlError(Reason.REQUEST_REFUSED, f"{shown} is not followed")
    if not moved.endswith(_REQUESTED):
        raise CrawlError(Reason.NOT_FOUND, f"{shown} leads to no repository")
    addresses = _addresses_of(host, port or (443 if after.scheme == "https" else 80))
    if any(reach_of(address) > nearest for address in addresses):
        detail = f"{shown} comes nearer to this machine than {nearest.name.lower()} addresses"
        raise CrawlError(Reason.REQUEST_REFUSED, detail)
    moved = moved.removesuffix(_REQUESTED)
    check_url(moved)
    return Destination(moved, addresses[0])


def _addresses_of(host: str, port: int) -> Sequence[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise PassingError(f"could not resolve {host}: {error}") from error
    return [str(address[4][0]) for address in found]
