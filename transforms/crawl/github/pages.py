"""Pages of listings, kept so that nothing is paid for twice.

A page lies under ``github/pages`` of the cache with its entity tag: when it is asked for
again, the server says that it is unchanged, which does not count against the rate limit.
A listing that did not come to its end has a file under ``github/listings``; when it is
done again within a day, the pages that it has are not asked for at all.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.failures import Reason
from transforms.crawl.github.api import Api
from transforms.crawl.github.repositories import Repository, parse_repositories
from transforms.crawl.source import CrawlError
from transforms.stores.files import write_whole

PER_PAGE = 100
MAX_PAGES = 10_000  # of one listing: a million repositories
RESUME_SECONDS = 24 * 3600.0


class Page(BaseModel):
    """A page; ``total`` and ``is_complete`` are what a search says of all its pages."""

    model_config = ConfigDict(frozen=True)

    repositories: tuple[Repository, ...]
    has_next: bool = False
    total: int = 0
    is_complete: bool = True


class _Kept(BaseModel):
    """A page in the cache: from where, for which listing, and under which tag."""

    url: str
    listing: str
    etag: str | None
    page: Page


class Pages:
    """The pages of one listing, which ``key`` identifies."""

    def __init__(self, api: Api, cache: Path, key: str) -> None:
        self._api = api
        self._folder = cache / "github"
        self._journal = self._folder / "listings" / f"{_digest(key)}.json"
        unfinished = _unfinished_listing(self._journal)
        self._listing = unfinished or secrets.token_hex(16)
        if unfinished is None:
            text = json.dumps({"listing": self._listing, "started": time.time()})
            write_whole(self._journal, text.encode())

    def finish(self) -> None:
        """Ends the listing, so that the next one asks for every page."""
        self._journal.unlink(missing_ok=True)

    def one(self, path: str) -> Repository:
        """A single repository; raises `CrawlError`, a `RefusedError` where others may be had."""
        return self._get(path, {}, self._single).repositories[0]

    def all(self, path: str, parameters: Mapping[str, str]) -> Iterator[Repository]:
        """The repositories of all pages of a list; raises like `one`."""
        for number in range(1, MAX_PAGES + 1):
            page = self._get(path, _numbered(parameters, number), self._list)
            yield from page.repositories
            # That a full page is unchanged does not say that none came after it.
            if len(page.repositories) < PER_PAGE and not (page.has_next and page.repositories):
                return
        raise CrawlError(Reason.UNREACHABLE, f"{path} has more than {MAX_PAGES:,} pages")

    def search(self, query: str, number: int) -> Page:
        """A page of what a search finds; raises `CrawlError`."""
        return self._get("/search/repositories", _numbered({"q": query}, number), self._found)

    def _get(
        self, path: str, parameters: Mapping[str, str], parse: Callable[[Any, bool], Page]
    ) -> Page:
        url = json.dumps([self._api.url, path, sorted(parameters.items())])
        file = self._folder / "pages" / f"{_digest(url)}.json"
        kept = _read_kept(file, url)
        if kept is not None and kept.listing == self._listing:
            return kept.page
        answer = self._api.get(path, parameters, kept.etag if kept else None)
        if not answer.is_unchanged:
            new = _Kept(
                url=url,
                listing=self._listing,
                etag=answer.etag,
                page=parse(answer.body, answer.has_next),
            )
        elif kept is not None:
            new = kept.model_copy(update={"listing": self._listing})
        else:
            raise CrawlError(Reason.UNREACHABLE, f"{self._api.url}{path} answers 304 unasked")
        if new.page.is_complete:
            write_whole(file, new.model_dump_json().encode())
        return new.page

    def _single(self, body: Any, has_next: bool) -> Page:
        return Page(repositories=parse_repositories([body], self._api.url))

    def _list(self, body: Any, has_next: bool) -> Page:
        return Page(repositories=parse_repositories(body, self._api.url), has_next=has_next)

    def _found(self, body: Any, has_next: bool) -> Page:
        total = body.get("total_count") if isinstance(body, dict) else None
        if not isinstance(total, int):
            raise CrawlError(Reason.UNREACHABLE, f"{self._api.url} does not say what it found")
        return Page(
            repositories=parse_repositories(body.get("items"), self._api.url),
            has_next=has_next,
            total=total,
            is_complete=body.get("incomplete_results") is not True,
        )


def _numbered(parameters: Mapping[str, str], number: int) -> dict[str, str]:
    return {**parameters, "per_page": str(PER_PAGE), "page": str(number)}


def _unfinished_listing(journal: Path) -> str | None:
    """The name of a listing that did not come to its end, unless that was long ago."""
    try:
        values = json.loads(journal.read_bytes())
        is_recent = 0 <= time.time() - float(values["started"]) < RESUME_SECONDS
        return str(values["listing"]) if is_recent else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read_kept(file: Path, url: str) -> _Kept | None:
    try:
        kept = _Kept.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
    return kept if kept.url == url else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
