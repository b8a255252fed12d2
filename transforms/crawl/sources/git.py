"""Git repositories: one commit of each, fetched shallowly and never checked out.

Fetched are the trees, and the blobs up to the size limit where the server can filter.
Files are streamed from the object store by ``git cat-file --batch``.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from schemas.failures import Reason
from transforms.crawl.git.command import Bounds, GitError, missing_git
from transforms.crawl.git.errors import explain
from transforms.crawl.git.fetching import fetch_commit
from transforms.crawl.git.objects import GitObject, ObjectReader, object_reader
from transforms.crawl.git.trees import ListedFile, TreeWalk
from transforms.crawl.git.urls import check_reference, check_url, repository_name
from transforms.crawl.lists import FilePath, iterate_lines, state_of_lists
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
from transforms.web.retries import Deadline, Retries

_MAX_COMMIT_BYTES = 1 << 20
_MAX_TAGS = 8
_TREE = re.compile(rb"tree ([0-9a-f]{40}(?:[0-9a-f]{24})?)\n")
_TAGGED = re.compile(rb"object ([0-9a-f]{40}(?:[0-9a-f]{24})?)\n")

Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class GitUrl(BaseModel):
    """A git repository at a branch, tag or commit."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    url: Url
    """Anything that git fetches by https, http, git, ssh or file."""
    ref: str | None = None
    """Branch, tag or full commit id; the server's HEAD if not given."""


class GitSource(Source):
    """Git repositories."""

    kind: ClassVar[str] = "git"
    retries: ClassVar[Retries] = Retries()

    urls: tuple[Url | GitUrl, ...] = ()
    """Addresses, or mappings of ``url`` and ``ref``."""
    lists: tuple[FilePath, ...] = ()
    """Files of one address a line, each with a branch, tag or commit after it if you like."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> GitSource:
        if not self.urls and not self.lists:
            raise ValueError("give `urls` or `lists`")
        return self

    def requests(self, place: Place) -> Iterator[Request]:
        """A request a URL."""
        for entry in self.urls:
            given = GitUrl(url=entry) if isinstance(entry, str) else entry
            yield _request(given.url, given.ref)
        for path in self.lists:
            for line in iterate_lines(path):
                url, _, reference = line.partition(" ")
                yield _request(url, reference.strip() or None)

    def state(self) -> str:
        """What the lists hold."""
        return state_of_lists(self.lists)

    def problem(self, cache: Path) -> str | None:
        """There may be no git."""
        return missing_git()

    @classmethod
    def fetch(cls, request: Request, place: Place, limits: Limits) -> GitFetched:
        """Fetches one commit into the scratch folder."""
        url, reference = _parse_location(request.location)
        check_url(url)
        check_reference(reference)
        repository = place.scratch / "repository.git"

        def attempt(deadline: Deadline) -> GitFetched:
            name = fetch_commit(repository, url, reference, limits, deadline)
            return GitFetched(repository, name, limits)

        return cls.retries.run(attempt, limits)


def _request(url: str, reference: str | None) -> Request:
    # A line of a list that looks like a location of ours must not be taken for one.
    is_plain = not reference and not url.startswith("{")
    location = url if is_plain else json.dumps({"ref": reference or "HEAD", "url": url})
    return Request(repository_name(url), GitSource.kind, location)


def _parse_location(location: str) -> tuple[str, str]:
    if not location.startswith("{"):
        return location, "HEAD"
    values = json.loads(location)
    return values["url"], values["ref"]


def commit_time(commit: bytes) -> datetime.datetime | None:
    """When a commit object says that it was made; None where it says nothing sensible."""
    for line in commit.partition(b"\n\n")[0].split(b"\n"):
        if line.startswith(b"committer "):
            try:
                return datetime.datetime.fromtimestamp(int(line.split()[-2]), datetime.UTC)
            except (ValueError, IndexError, OverflowError, OSError):
                return None
    return None


@dataclass(frozen=True)
class _Commit:
    facts: RepositoryFacts
    tree: str


@dataclass
class GitFetched:
    """One commit in a bare repository on this machine; ``name`` is that of it or of its tag."""

    repository: Path
    name: str
    limits: Limits
    _facts: RepositoryFacts | None = None

    @property
    def facts(self) -> RepositoryFacts:
        """Its commit and time, which cost nothing once it is read; raises `CrawlError`."""
        if self._facts is None:
            with self._objects(self.limits) as reader:
                self._facts = self._read_commit(reader).facts
        return self._facts

    def read(self, wanted: PathFilter, limits: Limits) -> Iterator[SourceFile | RejectedFile]:
        """The wanted files, and each submodule; folders nearer to the root come first."""
        with self._objects(limits) as reader:
            commit = self._read_commit(reader)
            self._facts = commit.facts
            files: list[ListedFile] = []
            for listed in TreeWalk(reader, wanted, limits).run(commit.tree):
                if isinstance(listed, RejectedFile):
                    yield listed
                else:
                    files.append(listed)
            yield from _read_files(reader, files, limits)

    @contextmanager
    def _objects(self, limits: Limits) -> Iterator[ObjectReader]:
        try:
            with object_reader(self.repository, Bounds(limits.timeout_seconds)) as reader:
                yield reader
        except GitError as error:
            explained = explain(error.stderr)
            is_too_large = getattr(explained, "reason", None) is Reason.REPOSITORY_TOO_LARGE
            reason = Reason.REPOSITORY_TOO_LARGE if is_too_large else Reason.CORRUPT_REPOSITORY
            raise CrawlError(reason, explained.detail) from error
        except EOFError as error:
            raise CrawlError(Reason.CORRUPT_REPOSITORY, str(error)) from error

    def _read_commit(self, reader: ObjectReader) -> _Commit:
        name = self.name
        for _ in range(_MAX_TAGS + 1):
            (found,) = reader.read([name], _MAX_COMMIT_BYTES)
            if found is None or found.content is None:
                detail = f"{name} is {'missing' if found is None else 'too long for a commit'}"
                raise CrawlError(Reason.CORRUPT_REPOSITORY, detail)
            if found.kind == "commit":
                facts = RepositoryFacts(name, released=commit_time(found.content))
                return _Commit(facts, _referred(_TREE, found))
            if found.kind != "tag":
                raise CrawlError(Reason.NO_COMMIT, f"{name} is a {found.kind}, no commit")
            name = _referred(_TAGGED, found)
        raise CrawlError(Reason.NO_COMMIT, f"more than {_MAX_TAGS} tags of tags")


def _referred(pattern: re.Pattern[bytes], found: GitObject) -> str:
    referred = pattern.match(found.content or b"")
    if referred is None:
        detail = f"{found.kind} {found.name} does not begin as it must"
        raise CrawlError(Reason.CORRUPT_REPOSITORY, detail)
    return referred[1].decode("ascii")


def _read_files(
    reader: ObjectReader, files: Sequence[ListedFile], limits: Limits
) -> Iterator[SourceFile | RejectedFile]:
    total = 0
    blobs = reader.read([file.blob for file in files], limits.max_file_bytes)
    for file, blob in zip(files, blobs, strict=True):
        # One that is not there was left out by the server, as it was asked to.
        if blob is None or blob.content is None:
            detail = f"more than {limits.max_file_bytes:,} bytes"
            yield RejectedFile(file.path, Reason.FILE_TOO_LARGE, detail)
            continue
        if blob.kind != "blob":
            raise CrawlError(Reason.CORRUPT_REPOSITORY, f"{file.blob} is a {blob.kind}, no file")
        total += blob.size
        if total > limits.max_repository_bytes:
            detail = f"more than {limits.max_repository_bytes:,} bytes"
            raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
        yield SourceFile(file.path, blob.content)
