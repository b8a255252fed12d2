"""What a source of repositories is, and the registry of those there are.

A source turns its part of the configuration into requests, one a repository, and a
request into a repository's files. Fetching waits on the network or a disk and is done
for several repositories at once; reading costs CPU and is done for one after another.
Neither ever runs, imports or checks out anything that it fetched.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from schemas.failures import Reason


@dataclass(frozen=True, order=True)
class Request:
    """One repository to crawl: a line of a list.

    ``repository`` is its canonical name, known before anything is fetched;
    ``location`` is what the source needs to find it: a requirement, a URL, a folder.
    """

    repository: str
    source: str
    location: str


@dataclass(frozen=True)
class Limits:
    """What one repository may cost."""

    max_file_bytes: int = 1_000_000
    max_repository_bytes: int = 1_000_000_000
    max_repository_files: int = 200_000
    timeout_seconds: float = 600.0
    attempts: int = 4


@dataclass(frozen=True)
class Place:
    """Where a source may keep things on this machine.

    ``cache`` is kept between runs and holds downloads under their hashes;
    ``scratch`` is an empty folder for this repository alone, removed afterwards.
    """

    cache: Path
    scratch: Path


@dataclass(frozen=True)
class RepositoryFacts:
    """What a source knows of a repository besides its files."""

    revision: str
    licenses: tuple[str, ...] = ()
    stars: int | None = None
    forks: int | None = None
    archived: bool | None = None
    released: datetime.datetime | None = None


@dataclass(frozen=True)
class SourceFile:
    """A file as the repository holds it: its path with ``/``, relative to the root."""

    path: str
    content: bytes


@dataclass(frozen=True)
class RejectedFile:
    """A file that is not read, and why. ``path`` may be mangled where it is not text."""

    path: str
    reason: Reason
    detail: str = ""


class CrawlError(Exception):
    """A repository cannot be crawled, for a named reason."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Fetched(Protocol):
    """A repository that is on this machine, its files not read yet."""

    @property
    def facts(self) -> RepositoryFacts:
        """What is known of the repository before its files are read."""

    def read(self, wanted: PathFilter, limits: Limits) -> Iterator[SourceFile | RejectedFile]:
        """The files whose paths are wanted, in any order, each path at most once.

        Contents of unwanted paths are not read and not reported. Raises `CrawlError`
        where the repository cannot be read to its end or exceeds its limits.
        """


class PathFilter(Protocol):
    """Says by its path alone whether a file may become a document."""

    def __call__(self, path: str) -> bool:
        """Whether the file at this path is wanted."""


class Source(Protocol):
    """One kind of source. Stateless, deterministic for equal answers from outside."""

    def requests(self, settings: Mapping[str, Any]) -> Iterator[Request]:
        """The repositories that a configuration asks for; raises ValueError with the cure."""

    def fetch(self, request: Request, place: Place, limits: Limits) -> Fetched:
        """Brings a repository onto this machine; raises `CrawlError` where it cannot."""
