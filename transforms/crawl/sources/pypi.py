"""Projects of a package index: source distributions, and wheels where there are none."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, model_validator
from pypi_simple import DistributionPackage

from schemas.failures import Reason
from transforms.crawl.archives.members import Member, iterate_members, read_member
from transforms.crawl.licenses.metadata import licenses_of_metadata
from transforms.crawl.lists import FilePath, iterate_lines, state_of_lists
from transforms.crawl.pypi.choice import Allowed, choose_file, sha256_of_file, version_of
from transforms.crawl.pypi.requirements import (
    ProjectLine,
    hashes_of,
    parse_project_line,
    project_name,
)
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
from transforms.web.client import shown_url
from transforms.web.downloads import Download, Downloads
from transforms.web.index import Index, locate_index
from transforms.web.retries import Deadline, Retries

MAX_METADATA_BYTES = 4 << 20
CHECK_SECONDS = 10.0

_SETTINGS = {"index", "pre_releases", "yanked"}


def _checked(line: str) -> str:
    parse_project_line(line)
    return line


class PypiSource(Source):
    """Projects of a Python package index, one file each."""

    kind: ClassVar[str] = "pypi"
    retries: ClassVar[Retries] = Retries()

    projects: tuple[Annotated[str, AfterValidator(_checked)], ...] = ()
    """Requirements such as ``more-itertools``, ``toolz>=0.12`` or
    ``boltons==25.0.0 --hash=sha256:HEX``, which names one exact file."""
    lists: tuple[FilePath, ...] = ()
    """Files of one such requirement a line."""
    index: str | None = None
    """Address of the index's simple API; the one that pip is configured for if not given."""
    pre_releases: bool = False
    """Whether pre-releases count as any release; otherwise only where a line names one or
    the project has nothing else."""
    yanked: bool = False
    """Whether yanked releases count as any release; otherwise only where a line pins one."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> PypiSource:
        if not self.projects and not self.lists:
            raise ValueError("give `projects` or `lists`")
        return self

    def requests(self, place: Place) -> Iterator[Request]:
        """A request a line."""
        for line in chain(self.projects, *map(iterate_lines, self.lists)):
            yield Request(f"pypi/{project_name(line)}", self.kind, self._location(line))

    def _location(self, line: str) -> str:
        """The line alone where nothing else is set, which is what most people see of it."""
        settings = self.model_dump(include=_SETTINGS, exclude_defaults=True)
        # A line of a list that looks like a location of ours must not be taken for one.
        is_plain = not settings and not line.startswith("{")
        return line if is_plain else json.dumps({"project": line, **settings}, sort_keys=True)

    def state(self) -> str:
        """What the lists hold."""
        return state_of_lists(self.lists)

    def problem(self, cache: Path) -> str | None:
        """The index may not answer; no request is made where the cache holds every project."""
        downloads = Downloads(cache, Limits().max_cache_bytes)
        for line in chain(self.projects, *map(iterate_lines, self.lists)):
            if not any(map(downloads.has, hashes_of(line))):
                return _index_problem(self.index, project_name(line))
        return None

    @classmethod
    def fetch(cls, request: Request, place: Place, limits: Limits) -> PypiFetched:
        """Downloads the file that a request asks for, unless its hash is in the cache."""
        line, source = _parse_location(request.location)
        downloads = Downloads(place.cache, limits.max_cache_bytes)
        for sha256 in line.hashes:
            download = downloads.find(sha256, place.scratch, partial(version_of, line.name))
            if download is not None:
                return _fetched(line, download, limits)
        index = Index(locate_index(source.index), limits.requests_per_second)
        allowed = Allowed(source.pre_releases, source.yanked)

        def attempt(deadline: Deadline) -> Download:
            page = index.page(line.name, deadline)
            file = choose_file(page.listed, line, allowed)
            sha256 = _promised_hash(file, index)
            max_bytes, released = limits.max_repository_bytes, _in_utc(file.upload_time)
            known = downloads.find(sha256, place.scratch, partial(version_of, line.name))
            if known is not None:
                # What this index says, not the one that the file came from.
                return replace(known, released=released)
            with index.download(file.url, page.nearest, max_bytes, deadline) as answer:
                chunks = answer.chunks
                return downloads.store(chunks, sha256, file.filename, released, place.scratch)

        return _fetched(line, cls.retries.run(attempt, limits), limits)


def _parse_location(location: str) -> tuple[ProjectLine, PypiSource]:
    """The line, and a source of this line alone with the settings that hold for it."""
    settings = json.loads(location) if location.startswith("{") else {"project": location}
    line = settings.pop("project")
    try:
        return parse_project_line(line), PypiSource(projects=(line,), **settings)
    except ValueError as error:
        raise CrawlError(Reason.REQUEST_REFUSED, str(error)) from error


def _index_problem(address: str | None, name: str) -> str | None:
    index = Index(locate_index(address), Limits().requests_per_second)
    problem = index.check(name, Deadline.after(CHECK_SECONDS))
    if problem is None:
        return None
    return (
        f"the package index does not answer ({problem}); name one that does by the setting "
        "`index` or by PIP_INDEX_URL, and its certificates by PIP_CERT"
    )


def _promised_hash(file: DistributionPackage, index: Index) -> str:
    sha256 = sha256_of_file(file)
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        detail = f"{shown_url(index.url)} promises no sha256 of {file.filename}"
        raise CrawlError(Reason.HASH_MISMATCH, detail)
    return sha256


def _in_utc(moment: datetime.datetime | None) -> datetime.datetime | None:
    if moment is None or moment.tzinfo is None:
        return moment and moment.replace(tzinfo=datetime.UTC)
    try:
        return moment.astimezone(datetime.UTC)
    except OverflowError:
        # Before the year 1 or after 9999 in UTC.
        return None


def _fetched(line: ProjectLine, download: Download, limits: Limits) -> PypiFetched:
    filename = download.path.name
    version = version_of(line.name, filename)
    if version is None:
        raise CrawlError(Reason.NOT_FOUND, f"{filename} names no version of {line.name}")
    if not line.allows(version):
        raise CrawlError(Reason.NOT_FOUND, f"the given hash is that of {filename}, not of {line}")
    return PypiFetched(download, version, limits)


class PypiFetched:
    """A distribution on this machine.

    ``facts`` are the same before and after `read`; before, or where `read` was not
    taken to its end, they cost a pass over the archive up to its metadata.
    """

    def __init__(self, download: Download, revision: str, limits: Limits) -> None:
        self._download = download
        self._revision = revision
        self._limits = limits
        self._metadata: bytes | None = None
        self._is_wheel = download.path.suffix == ".whl"

    @property
    def facts(self) -> RepositoryFacts:
        """Version, upload time and the licenses that the distribution's metadata names."""
        if self._metadata is None:
            self._metadata = self._find_metadata()
        return RepositoryFacts(
            revision=self._revision,
            licenses=licenses_of_metadata(self._metadata or b""),
            released=self._download.released,
        )

    def read(self, wanted: PathFilter, limits: Limits) -> Iterator[SourceFile | RejectedFile]:
        """The wanted files, without the folder that a source distribution wraps them in."""
        for member in self._members(limits):
            if self._metadata is None and self._is_metadata(member):
                self._metadata = member.read(MAX_METADATA_BYTES) or b""
            elif wanted(member.path):
                yield read_member(member, limits.max_file_bytes)
        self._metadata = self._metadata or b""

    def _find_metadata(self) -> bytes:
        for member in self._members(self._limits):
            if self._is_metadata(member):
                return member.read(MAX_METADATA_BYTES) or b""
        return b""

    def _members(self, limits: Limits) -> Iterator[Member]:
        return iterate_members(self._download.path, limits, strip_root=not self._is_wheel)

    def _is_metadata(self, member: Member) -> bool:
        path = member.path
        if member.problem is not None:
            return False
        if self._is_wheel:
            return path.endswith(".dist-info/METADATA") and path.count("/") == 1
        return path == "PKG-INFO"
