"""Repositories as GitHub's API describes them, and as requests say it on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from schemas.failures import Reason
from transforms.crawl.git.urls import repository_name
from transforms.crawl.source import CrawlError

_Count = Annotated[int, Field(ge=0, lt=1 << 53)]


class _License(BaseModel):
    spdx_id: str | None = None


class Repository(BaseModel):
    """What the API says of a repository, as far as it matters here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    clone_url: str
    private: bool
    fork: bool
    archived: bool
    stargazers_count: _Count
    forks_count: _Count
    default_branch: str | None = None
    pushed_at: str | None = None
    license: _License | None = None


# A list only: pydantic would take other iterables for a tuple.
_REPOSITORIES = TypeAdapter(list[Repository])


@dataclass(frozen=True)
class Listed:
    """A repository and what is known of it before it is fetched.

    ``ref`` is the default branch and ``pushed`` the time of the last push, as the API
    gives them; ``license`` is an SPDX identifier.
    """

    url: str
    stars: int
    forks: int
    archived: bool
    ref: str | None = None
    pushed: str | None = None
    license: str | None = None

    @property
    def name(self) -> str:
        """What the repository is called, here as where git is given its URL."""
        return repository_name(self.url)


def parse_repositories(items: Any, api: str) -> tuple[Repository, ...]:
    """The repositories of an answer; raises `CrawlError` where it holds something else."""
    try:
        found = tuple(_REPOSITORIES.validate_python(items))
    except ValidationError:
        raise CrawlError(Reason.UNREACHABLE, f"{api} does not list repositories") from None
    for repository in found:
        _check_clone_url(repository.clone_url, api)
    return found


def listed(repository: Repository) -> Listed:
    """What of a repository goes into its request."""
    return Listed(
        url=repository.clone_url,
        stars=repository.stargazers_count,
        forks=repository.forks_count,
        archived=repository.archived,
        ref=repository.default_branch,
        pushed=repository.pushed_at,
        license=_spdx(repository.license),
    )


def site_of(api: str) -> str:
    """The host whose repositories an API lists, with its port where it has one."""
    return urlsplit(api).netloc.lower().removeprefix("api.")


def location_of(found: Listed | CrawlError) -> str:
    """What a request needs to know: the repository, or why there is none."""
    if isinstance(found, CrawlError):
        return json.dumps({"detail": found.detail, "reason": found.reason}, sort_keys=True)
    return json.dumps(asdict(found), sort_keys=True)


def parse_location(location: str) -> Listed:
    """What `location_of` wrote; raises the `CrawlError` that it was given."""
    values = json.loads(location)
    if "reason" in values:
        raise CrawlError(Reason(values["reason"]), values["detail"])
    return Listed(**values)


def _check_clone_url(url: str, api: str) -> None:
    """Raises `CrawlError` unless the API names a repository of its own site.

    An answer is not believed where it leads git to a local file or to another server.
    """
    try:
        parts = urlsplit(url)
        own = urlsplit(f"//{site_of(api)}").hostname
        is_own = parts.hostname == own and "@" not in parts.netloc
    except ValueError:
        is_own = False
    if not is_own or parts.scheme not in ("https", urlsplit(api).scheme):
        detail = f"{api} names a repository that is not its own: {url[:200]!r}"
        raise CrawlError(Reason.REQUEST_REFUSED, detail)


def _spdx(found: _License | None) -> str | None:
    """The identifier of a license; none for ``NOASSERTION``, which is GitHub's "Other"."""
    if found is None or found.spdx_id is None:
        return None
    try:
        return str(canonicalize_license_expression(found.spdx_id))
    except InvalidLicenseExpression:
        return None
