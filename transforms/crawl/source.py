"""What a source of repositories is.

A source turns its part of the configuration into requests, one a repository, and a
request into a repository's files. Fetching waits on the network or a disk and is done
for several repositories at once; reading costs CPU and is done for one after another.
Neither ever runs, imports or checks out anything that it fetched.
"""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from schemas.failures import Reason
from transforms.web.errors import FetchError


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
    """What one repository may cost, its server and this machine."""

    max_file_bytes: int = 1_000_000
    max_repository_bytes: int = 1_000_000_000
    max_repository_files: int = 200_000
    max_ratio: int = 200
    """How many times its size an archive may expand to; those of source do 3 to 50 times."""
    max_depth: int = 64
    """Folders that a file may lie in."""
    timeout_seconds: float = 600.0
    attempts: int = 4
    requests_per_second: float = 20.0
    """To one host, from each worker process."""
    first_wait_seconds: float = 0.5
    """Before the second attempt; twice as long before each further one, less a random part."""
    max_wait_seconds: float = 30.0
    max_cache_bytes: int = 20_000_000_000
    """What all downloads that are kept may come to; least recently used go first."""


def _nobody_watches(line: str) -> None:
    pass


@dataclass(frozen=True)
class Place:
    """Where a source may keep things on this machine.

    ``cache`` is kept between runs and holds downloads under their hashes;
    ``scratch`` is an empty folder for this repository alone, removed afterwards.
    ``tell`` shows one line to whoever watches, such as what is waited for, until the next.
    """

    cache: Path
    scratch: Path
    tell: Callable[[str], None] = _nobody_watches


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


CrawlError = FetchError
"""A repository cannot be crawled, for a named reason."""


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


class Collection(ABC):
    """Something that was fetched and holds many repositories, such as a file of rows."""

    @abstractmethod
    def repositories(self, wanted: PathFilter, limits: Limits) -> Iterator[tuple[str, Fetched]]:
        """Names and files of its repositories, in an order that does not change.

        A repository may come several times, with different files each time. Raises
        `CrawlError` where it cannot be read to its end; what came before stays.
        """


@dataclass(frozen=True)
class Held:
    """A repository of a collection, or a part of it, whose wanted files are in memory."""

    facts: RepositoryFacts
    files: Sequence[SourceFile | RejectedFile]

    def read(self, wanted: PathFilter, limits: Limits) -> Iterator[SourceFile | RejectedFile]:
        """Its files."""
        yield from self.files


class Source(BaseModel, ABC):
    """One kind of source; its fields are what a configuration says of it.

    ``kind`` is its name in configurations. Deterministic for equal answers from outside.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    kind: ClassVar[str]
    has_whole_repositories: ClassVar[bool] = True
    """Whether repositories come with all of their files, and not with some as rows of data."""

    @abstractmethod
    def requests(self, place: Place) -> Iterator[Request]:
        """The repositories that are asked for, streamed; raises `CrawlError` with the cure."""

    @classmethod
    @abstractmethod
    def fetch(cls, request: Request, place: Place, limits: Limits) -> Fetched | Collection:
        """Brings a repository onto this machine; raises `CrawlError` where it cannot.

        All that it gets is the request: what else it needs stands in the ``location``.
        """

    def places(self) -> Iterator[tuple[str, str]]:
        """Repositories and the place that each stands for, where another could take its name."""
        yield from ()

    def state(self) -> str:
        """What outside of the configuration decides the requests, such as a file's hash.

        Cheap, because it is asked for often. Raises ValueError with the cure.
        """
        return ""

    def problem(self, cache: Path) -> str | None:
        """Why nothing of this source can be fetched on this machine, and the cure."""
        return None
