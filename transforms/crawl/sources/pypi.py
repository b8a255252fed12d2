"""Source distributions (or pinned wheels) from a package index."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version
from pypi_simple import DistributionPackage, ProjectPage, UnparsableFilenameError, parse_filename

from schemas.failures import Reason
from transforms.crawl.archives.members import Member, iterate_members, read_member
from transforms.crawl.licenses.metadata import licenses_of_metadata
from transforms.crawl.pypi.index import Index, locate_index, shown_url
from transforms.crawl.pypi.requirements import ProjectLine, parse_project_line
from transforms.crawl.retries import Deadline, Retries
from transforms.crawl.source import (
    CrawlError,
    Limits,
    PathFilter,
    Place,
    RejectedFile,
    RepositoryFacts,
    Request,
    SourceFile,
)
from transforms.crawl.web.downloads import Download, Downloads, is_distribution_name

MAX_METADATA_BYTES = 4 << 20
CHECK_SECONDS = 10.0

# Of several sdists of one release, which old projects have, the most usual kind first.
_SDIST_SUFFIXES = (".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True)
class PypiSource:
    """Projects of a package index, one file each.

    Settings: ``projects``, lines as `parse_project_line` takes them, and ``index``,
    the address of a simple repository or None for the one that pip would ask.
    """

    retries: Retries = field(default_factory=Retries)

    def requests(self, settings: Mapping[str, Any]) -> Iterator[Request]:
        """A request a line."""
        for line in settings["projects"]:
            name = parse_project_line(line).name
            index = settings.get("index")
            location = json.dumps({"index": index, "project": line}) if index else line
            yield Request(f"pypi/{name}", "pypi", location)

    def fetch(self, request: Request, place: Place, limits: Limits) -> PypiFetched:
        """Downloads the file that a request asks for, unless its hash is in the cache."""
        project, address = _parse_location(request.location)
        line = parse_project_line(project)
        downloads = Downloads(place.cache)
        for sha256 in line.hashes:
            download = downloads.find(sha256)
            if download is not None:
                return _fetched(line, download, limits)
        with closing(Index(locate_index(address))) as index:

            def attempt(deadline: Deadline) -> Download:
                return _download(line, index, downloads, limits, deadline)

            return _fetched(line, self.retries.run(attempt, limits), limits)


def _parse_location(location: str) -> tuple[str, str | None]:
    """The line and the address of the index, where the configuration names one."""
    if not location.startswith("{"):
        return location, None
    values = json.loads(location)
    return values["project"], values["index"]


def unreachable_index(settings: Mapping[str, Any], cache: Path) -> str | None:
    """Why the projects of a configuration cannot be fetched, and the cure; None if they can.

    Takes one small request, and none where the cache holds every project by its hash.
    """
    downloads = Downloads(cache)
    lines = [parse_project_line(line) for line in settings["projects"]]
    missing = [line for line in lines if not any(map(downloads.has, line.hashes))]
    if not missing:
        return None
    with closing(Index(locate_index(settings.get("index")))) as index:
        problem = index.check(missing[0].name, CHECK_SECONDS)
    if problem is None:
        return None
    return (
        f"the package index does not answer ({problem}); name one that does by the setting "
        "`index` or by PIP_INDEX_URL, and its certificates by PIP_CERT"
    )


def choose_file(page: ProjectPage, line: ProjectLine) -> DistributionPackage:
    """The file that a line asks for among those that the index lists.

    With hashes, a file that has one of them. Otherwise the source distribution of the
    newest version that is allowed and not yanked.
    """
    files = [file for file in page.packages if file.package_type in ("sdist", "wheel")]
    if line.hashes:
        return _choose_by_hash(files, line)
    releases = [
        (Version(file.version), file)
        for file in files
        if file.version and not file.is_yanked and line.allows(file.version)
    ]
    if not releases:
        detail = f"no release of {line.name} is allowed by {str(line.specifier) or 'any version'!r}"
        raise CrawlError(Reason.NOT_FOUND, f"{detail}; yanked ones and pre-releases do not count")
    newest = max(version for version, _ in releases)
    sdists = [
        file for version, file in releases if version == newest and _sdist_rank(file) is not None
    ]
    if not sdists:
        raise CrawlError(Reason.NO_SOURCE_DISTRIBUTION, f"{line.name} {newest} has none")
    return min(sdists, key=lambda file: (_sdist_rank(file), file.filename))


def _choose_by_hash(files: list[DistributionPackage], line: ProjectLine) -> DistributionPackage:
    matching = [
        file
        for file in files
        if _sha256(file) in line.hashes
        and is_distribution_name(file.filename)
        and line.allows(file.version or "", any_release=True)
    ]
    if not matching:
        detail = f"the index lists no file of {line} with the given hash"
        raise CrawlError(Reason.NOT_FOUND, detail)
    return min(matching, key=lambda file: (file.package_type != "sdist", file.filename))


def _sdist_rank(file: DistributionPackage) -> int | None:
    if file.package_type != "sdist" or not is_distribution_name(file.filename):
        return None
    ranks = [rank for rank, end in enumerate(_SDIST_SUFFIXES) if file.filename.endswith(end)]
    return ranks[0] if ranks else None


def _sha256(file: DistributionPackage) -> str:
    return file.digests.get("sha256", "").lower()


def _download(
    line: ProjectLine, index: Index, downloads: Downloads, limits: Limits, deadline: Deadline
) -> Download:
    file = choose_file(index.page(line.name, deadline), line)
    sha256 = _sha256(file)
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        detail = f"{shown_url(index.url)} promises no sha256 of {file.filename}"
        raise CrawlError(Reason.HASH_MISMATCH, detail)
    known = downloads.find(sha256)
    if known is not None:
        return known
    with index.download(file.url, limits.max_repository_bytes, deadline) as chunks:
        return downloads.store(chunks, sha256, file.filename, _in_utc(file.upload_time))


def _in_utc(moment: datetime.datetime | None) -> datetime.datetime | None:
    if moment is None or moment.tzinfo is None:
        return moment and moment.replace(tzinfo=datetime.UTC)
    return moment.astimezone(datetime.UTC)


def _fetched(line: ProjectLine, download: Download, limits: Limits) -> PypiFetched:
    filename = download.path.name
    try:
        version = parse_filename(filename, line.name)[1]
        revision = str(Version(version))
    except (UnparsableFilenameError, InvalidVersion):
        raise CrawlError(Reason.NOT_FOUND, f"{filename} names no version") from None
    if not line.allows(version, any_release=True):
        raise CrawlError(Reason.NOT_FOUND, f"the given hash is that of {filename}, not of {line}")
    return PypiFetched(download, revision, limits)


class PypiFetched:
    """A distribution in the cache.

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
        if member.is_link:
            return False
        if self._is_wheel:
            return path.endswith(".dist-info/METADATA") and path.count("/") == 1
        return path == "PKG-INFO"
