"""Repositories that GitHub's REST API lists: found by a search, or of an owner.

A listing says what is to be fetched and what is known of it, and git fetches it. Only
public repositories are listed, because git is given no credentials. GitHub renames and
moves what it likes: a repository goes by the name that it has now, and its default
branch is what the server's HEAD is when it is fetched.

All that is found is held in memory until the last page is read, sorted, each repository
once: about half a gigabyte for a million.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from schemas.failures import Reason
from transforms.crawl.git.command import missing_git
from transforms.crawl.github.api import PUBLIC_API, Api, RefusedError, find_token, import_client
from transforms.crawl.github.pages import Pages
from transforms.crawl.github.repositories import (
    Listed,
    Repository,
    listed,
    location_of,
    parse_location,
    site_of,
)
from transforms.crawl.github.search import parse_query, search
from transforms.crawl.source import (
    CrawlError,
    Limits,
    PathFilter,
    Place,
    RejectedFile,
    RepositoryFacts,
    Request,
    Source,
    SourceFile,
)
from transforms.crawl.sources.git import GitFetched, GitSource
from transforms.web.retries import Retries

_FORK = re.compile(r"(?:^|\s)fork:")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _checked_query(query: str) -> str:
    parse_query(query)
    return query


def _checked_api(api: str) -> str:
    """An address of an API, without a slash at its end."""
    parts = urlsplit(api)
    host = parts.hostname
    if not host or parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"give an address such as {PUBLIC_API}, and the token by a variable")
    if parts.scheme != "https" and (parts.scheme != "http" or host not in _LOOPBACK):
        raise ValueError("an API is asked by https, so that nobody on the way reads the token")
    return api.rstrip("/")


Query = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_checked_query)]
_OWNER = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
_NAME = r"\.{0,9}[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}"
Owner = Annotated[str, Field(pattern=f"^{_OWNER}$")]
Name = Annotated[str, Field(pattern=f"^{_OWNER}/{_NAME}$")]


class GithubSource(Source):
    """Public repositories of GitHub, or of a GitHub Enterprise server."""

    kind: ClassVar[str] = "github"
    retries: ClassVar[Retries] = Retries()

    search: tuple[Query, ...] = ()
    """Queries in GitHub's syntax, such as ``language:python stars:>100``; one that finds more
    than the 1,000 that GitHub gives is asked in parts, by the time of creation."""
    organizations: tuple[Owner, ...] = ()
    """Organizations whose repositories are listed."""
    users: tuple[Owner, ...] = ()
    """Users whose repositories are listed."""
    repositories: tuple[Name, ...] = ()
    """Repositories as ``OWNER/NAME``, taken whatever they are."""
    include_forks: bool = False
    """Whether to take forks too."""
    include_archived: bool = True
    """Whether to take archived repositories too."""
    api: Annotated[str, AfterValidator(_checked_api)] = PUBLIC_API
    """Address of the REST API; that of an Enterprise server is ``https://HOST/api/v3``."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> GithubSource:
        if not (self.search or self.organizations or self.users or self.repositories):
            raise ValueError("give `search`, `organizations`, `users` or `repositories`")
        return self

    def requests(self, place: Place) -> Iterator[Request]:
        """A request a repository, and one for each owner or name that cannot be listed."""
        try:
            api = Api(self.api, self.retries, place.tell)
        except ValueError as error:
            raise CrawlError(Reason.ACCESS_DENIED, str(error)) from error
        with closing(api):
            pages = Pages(api, place.cache, self.model_dump_json())
            found: dict[str, str] = {}
            for name, location in self._locations(pages):
                found.setdefault(name, location)
            pages.finish()
        for name in sorted(found):
            yield Request(name, self.kind, found[name])

    def problem(self, cache: Path) -> str | None:
        """There may be no git, no PyGithub, or no token where one is said to be."""
        try:
            find_token(self.api)
            import_client()
        except ValueError as error:
            return str(error)
        return missing_git()

    @classmethod
    def fetch(cls, request: Request, place: Place, limits: Limits) -> GithubFetched:
        """Fetches the default branch as the source ``git`` does."""
        wanted = parse_location(request.location)
        (clone,) = GitSource(urls=(wanted.url,)).requests(place)
        return GithubFetched(GitSource.fetch(clone, place, limits), wanted)

    def _locations(self, pages: Pages) -> Iterator[tuple[str, str]]:
        for name in self.repositories:
            yield from self._explicit(pages, name)
        for owner in self.organizations:
            yield from self._owned(pages, f"/orgs/{owner}/repos", "public", owner)
        for owner in self.users:
            yield from self._owned(pages, f"/users/{owner}/repos", "owner", owner)
        for query in self.search:
            yield from self._wanted(search(pages, self._narrowed(query)))

    def _explicit(self, pages: Pages, name: str) -> Iterator[tuple[str, str]]:
        try:
            repository = pages.one(f"/repos/{name}")
            if repository.private:
                detail = f"{name} is private, and git is given no credentials"
                raise RefusedError(Reason.ACCESS_DENIED, detail)
        except RefusedError as refusal:
            yield f"{site_of(self.api)}/{name}", location_of(refusal)
        else:
            yield _named(repository)

    def _owned(self, pages: Pages, path: str, kind: str, owner: str) -> Iterator[tuple[str, str]]:
        try:
            yield from self._wanted(pages.all(path, {"sort": "full_name", "type": kind}))
        except RefusedError as refusal:
            yield f"{site_of(self.api)}/{owner}", location_of(refusal)

    def _wanted(self, found: Iterator[Repository]) -> Iterator[tuple[str, str]]:
        for repository in found:
            is_wanted = self.include_forks or not repository.fork
            is_wanted = is_wanted and (self.include_archived or not repository.archived)
            if is_wanted and not repository.private:
                yield _named(repository)

    def _narrowed(self, query: str) -> str:
        """A query that leaves out on the server what is not wanted."""
        if self.include_forks and not _FORK.search(query):
            query += " fork:true"
        if not self.include_archived:
            query += " archived:false"
        return f"{query} is:public"


def _named(repository: Repository) -> tuple[str, str]:
    entry = listed(repository)
    return entry.name, location_of(entry)


@dataclass(frozen=True)
class GithubFetched:
    """A repository that git fetched, with what GitHub says of it."""

    fetched: GitFetched
    listed: Listed

    @property
    def facts(self) -> RepositoryFacts:
        """What git knows, with stars, forks and, where nothing better is known, the license."""
        facts = self.fetched.facts
        license_ = () if self.listed.license is None else (self.listed.license,)
        return dataclasses.replace(
            facts,
            licenses=facts.licenses or license_,
            stars=self.listed.stars,
            forks=self.listed.forks,
            archived=self.listed.archived,
        )

    def read(self, wanted: PathFilter, limits: Limits) -> Iterator[SourceFile | RejectedFile]:
        """The wanted files."""
        yield from self.fetched.read(wanted, limits)
