"""Archives, each a repository: zip, wheels and tar, here or elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from transforms.crawl.addresses import Address, parse_address
from transforms.crawl.archives.members import iterate_members, read_member
from transforms.crawl.source import (
    Limits,
    PathFilter,
    Place,
    RejectedFile,
    RepositoryFacts,
    Request,
    SourceFile,
)
from transforms.crawl.sources.files import FilesSource, check_location
from transforms.crawl.web.transfers import check_hash, copy_chunks, remote_chunks, sha256_of
from transforms.web.downloads import Downloads
from transforms.web.retries import Deadline, Retries

_SUFFIX = re.compile(r"(?i)\.(?:tar(?:\.(?:gz|bz2|xz|zst))?|tgz|tbz2?|txz|tzst|zip|whl)\Z")
# The same archive may have many names and is kept under this one.
_CACHED_NAME = "archive.tar"


class ArchiveSource(FilesSource):
    """Archives, each of which is a repository: zip, wheel, tar, and tar.gz, .bz2, .xz and .zst."""

    kind: ClassVar[str] = "archive"
    retries: ClassVar[Retries] = Retries()

    strip_root: bool = True
    """Whether the folder that wraps the files of an archive is taken off their paths.
    Wheels have none."""

    def location(self, address: Address) -> str:
        """All that fetching an archive needs."""
        return json.dumps({"address": str(address), "strip_root": self.strip_root})

    def repository(self, name: str) -> str:
        """The file's name without its suffix."""
        return _SUFFIX.sub("", name) or name

    @classmethod
    def fetch(cls, request: Request, place: Place, limits: Limits) -> ArchiveFetched:
        """Brings the archive to this machine unless it is there, and compares its hash."""
        check_location(request)
        location = json.loads(request.location)
        address = parse_address(location["address"])
        name = Path(address.url.partition("?")[0]).name
        strip_root = location["strip_root"] and not name.lower().endswith(".whl")
        if not address.scheme:
            path = Path(address.url)
            sha256 = sha256_of(path)
            check_hash(address, sha256)
            return ArchiveFetched(path, sha256, strip_root=strip_root)
        path = place.scratch / re.sub(r"[^A-Za-z0-9._+-]", "_", name)[:200]
        sha256 = cls._bring(address, path, place.cache, limits)
        return ArchiveFetched(path, sha256, strip_root=strip_root)

    @classmethod
    def _bring(cls, address: Address, path: Path, cache: Path, limits: Limits) -> str:
        downloads = Downloads(cache, limits.max_cache_bytes)
        if address.sha256 and (known := downloads.find(address.sha256, path.parent)):
            known.path.replace(path)
            return address.sha256

        def attempt(deadline: Deadline) -> str:
            max_bytes = limits.max_repository_bytes
            with remote_chunks(address, max_bytes, limits, deadline) as chunks:
                if address.sha256 is None:
                    return copy_chunks(chunks, path)
                kept = downloads.store(chunks, address.sha256, _CACHED_NAME, None, path.parent)
                kept.path.replace(path)
                return address.sha256

        return cls.retries.run(attempt, limits)


@dataclass(frozen=True)
class ArchiveFetched:
    """An archive on this machine."""

    path: Path
    sha256: str
    strip_root: bool

    @property
    def facts(self) -> RepositoryFacts:
        """The archive's SHA-256 is its revision."""
        return RepositoryFacts(revision=self.sha256)

    def read(self, wanted: PathFilter, limits: Limits) -> Iterator[SourceFile | RejectedFile]:
        """The wanted files, in the order of the archive."""
        for member in iterate_members(self.path, limits, strip_root=self.strip_root):
            if wanted(member.path):
                yield read_member(member, limits.max_file_bytes)
