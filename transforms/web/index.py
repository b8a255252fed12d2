"""The package index: where it is, how to ask it, and what its answers mean."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass

from packaging.utils import canonicalize_name
from pypi_simple import ACCEPT_ANY, PYPI_SIMPLE_ENDPOINT, ProjectPage
from pypi_simple.errors import UnsupportedRepoVersionError

from schemas.failures import Reason
from transforms.web.client import Answer, Client, shown_url, split_login
from transforms.web.errors import FetchError
from transforms.web.pip_settings import index_address
from transforms.web.reach import Reach
from transforms.web.retries import Deadline, PassingError

MAX_PAGE_BYTES = 128 << 20  # the longest pages list some 100,000 files in 60 MB
MAX_OPEN_TAGS = 100


@dataclass(frozen=True)
class Page:
    """What an index lists of a project, and how near to us the addresses on it may lead."""

    listed: ProjectPage
    nearest: Reach


class Index:
    """A simple repository (PEP 503, PEP 691)."""

    def __init__(self, url: str, requests_per_second: float) -> None:
        bare, login = split_login(url)
        self.url = bare.partition("?")[0].partition("#")[0].rstrip("/") + "/"
        self._client = Client(requests_per_second, login)

    def project_url(self, name: str) -> str:
        """The address of a project's page."""
        return f"{self.url}{canonicalize_name(name)}/"

    def page(self, name: str, deadline: Deadline) -> Page:
        """What the index lists of a project; raises `FetchError` or `PassingError`."""
        headers = {"Accept": ACCEPT_ANY, "Accept-Encoding": "gzip"}
        url = self.project_url(name)
        with self._client.get(
            url, MAX_PAGE_BYTES, deadline, headers=headers, decode=True
        ) as answer:
            listed = _parse_page(name, answer, b"".join(answer.chunks))
            return Page(listed, answer.nearest)

    def download(
        self, url: str, nearest: Reach, max_bytes: int, deadline: Deadline
    ) -> AbstractContextManager[Answer]:
        """A file that a page of this ``nearest`` lists; raises like `page`.

        It raises, too, where the file has too many bytes.
        """
        return self._client.get(url, max_bytes, deadline, nearest=nearest)

    def check(self, name: str, deadline: Deadline) -> str | None:
        """What is wrong with the index, seen from one request for a page; None if nothing."""
        try:
            with self._client.get(self.project_url(name), MAX_PAGE_BYTES, deadline):
                return None
        except PassingError as error:
            return error.detail
        except FetchError as error:
            return None if error.reason is Reason.NOT_FOUND else error.detail


def locate_index(setting: str | None) -> str:
    """The index's address: the setting, else what pip would use."""
    return setting or index_address() or PYPI_SIMPLE_ENDPOINT


def _parse_page(name: str, answer: Answer, body: bytes) -> ProjectPage:
    kind, _, parameters = answer.headers.get("Content-Type", "text/html").partition(";")
    try:
        if kind.strip() == "application/vnd.pypi.simple.v1+json":
            return ProjectPage.from_json_data(json.loads(body), answer.url)
        if kind.strip() in ("application/vnd.pypi.simple.v1+html", "text/html"):
            if body.count(b"<") > body.count(b">") + MAX_OPEN_TAGS:
                raise ValueError("tags without end, over which the parser takes for ever")
            charset = parameters.partition("charset=")[2].strip(' "') or None
            return ProjectPage.from_html(name, body, answer.url, charset)
    except (ValueError, LookupError, RecursionError, UnsupportedRepoVersionError) as error:
        detail = f"{shown_url(answer.url)} is no project page ({type(error).__name__})"
        raise FetchError(Reason.UNREACHABLE, detail) from error
    raise FetchError(Reason.UNREACHABLE, f"{shown_url(answer.url)} is {kind}, no project page")
