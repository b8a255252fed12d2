"""Git repositories: one commit of each, fetched shallowly and never checked out.

Fetched are the trees, and the blobs up to the size limit where the server can filter.
Files are streamed from the object store by ``git cat-file --batch``.
"""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from schemas.failures import Reason
from transforms.crawl.git.command import Bounds, GitError, git_output, run_git
from transforms.crawl.git.errors import explain
from transforms.crawl.git.urls import check_reference, check_url, repository_name
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

# A repository of our own making. That it says nothing of a promisor remote keeps git
# from fetching, one at a time, the blobs that the filter left out.
_CONFIGURATION = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
_COMMIT_BYTES = 1 << 16
_LISTING_BYTES = 1 << 18
_MAX_LISTED_PATH_BYTES = 1 << 16

_LINK_MODE = b"120000"
_COMMIT_MODE = b"160000"


@dataclass(frozen=True)
class GitSource:
    """Git repositories by URL.

    Settings: ``urls``, each a URL or a mapping of ``url`` and ``ref``, which is a
    branch, tag or full commit id; without one, the server's HEAD.
    """

    retries: Retries = field(default_factory=Retries)

    def requests(self, settings: Mapping[str, Any]) -> Iterator[Request]:
        """A request a URL."""
        for entry in settings["urls"]:
            url = entry if isinstance(entry, str) else entry["url"]
            reference = None if isinstance(entry, str) else entry.get("ref")
            if not url.strip():
                raise ValueError(f"git URL {url!r} is empty; write https://HOST/OWNER/PROJECT")
            location = json.dumps({"ref": reference, "url": url}) if reference else url
            yield Request(repository_name(url), "git", location)

    def fetch(self, request: Request, place: Place, limits: Limits) -> GitFetched:
        """Fetches one commit into the scratch folder."""
        url, reference = _parse_location(request.location)
        check_url(url)
        check_reference(reference)
        repository = place.scratch / "repository.git"

        def attempt(deadline: Deadline) -> GitFetched:
            shutil.rmtree(repository, ignore_errors=True)
            try:
                return _fetch(repository, url, reference, limits, deadline)
            except GitError as error:
                raise explain(error.stderr) from error

        return self.retries.run(attempt, limits)


def _parse_location(location: str) -> tuple[str, str]:
    if not location.startswith("{"):
        return location, "HEAD"
    values = json.loads(location)
    return values["url"], values["ref"]


def _fetch(
    repository: Path, url: str, reference: str, limits: Limits, deadline: Deadline
) -> GitFetched:
    def bounds() -> Bounds:
        return Bounds(deadline.remaining_seconds(), limits.max_repository_bytes)

    creation = ["init", "--quiet", "--bare", "--template=", "--initial-branch=main"]
    run_git(repository, creation, bounds())
    options = ["--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules"]
    # Git's limit is exclusive: a blob of exactly so many bytes is left out.
    options.append(f"--filter=blob:limit={limits.max_file_bytes + 1}")
    # A filter makes git write down the remote's name, and not every URL is allowed as one.
    remote = ["-c", f"remote.origin.url={url}"]
    run_git(repository, [*remote, "fetch", *options, "--", "origin", reference], bounds())
    (repository / "config").write_text(_CONFIGURATION)
    commit = run_git(repository, ["rev-parse", "--verify", "FETCH_HEAD^{commit}"], bounds())
    revision = commit.decode("ascii").strip()
    text = run_git(repository, ["cat-file", "commit", revision], bounds(), _COMMIT_BYTES)
    return GitFetched(repository, RepositoryFacts(revision, released=commit_time(text)))


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
class _Entry:
    path: str
    blob: str


@dataclass(frozen=True)
class GitFetched:
    """One commit in a bare repository on this machine."""

    repository: Path
    facts: RepositoryFacts

    def read(self, wanted: PathFilter, limits: Limits) -> Iterator[SourceFile | RejectedFile]:
        """The wanted files in the order of the tree; submodules are passed over."""
        bounds = Bounds(limits.timeout_seconds)
        try:
            entries: list[_Entry] = []
            for listed in self._list(wanted, limits, bounds):
                if isinstance(listed, RejectedFile):
                    yield listed
                else:
                    entries.append(listed)
            yield from self._read_blobs(entries, limits, bounds)
        except GitError as error:
            detail = explain(error.stderr).detail
            raise CrawlError(Reason.CORRUPT_REPOSITORY, detail) from error
        except EOFError as error:
            raise CrawlError(Reason.CORRUPT_REPOSITORY, str(error)) from error

    def _list(
        self, wanted: PathFilter, limits: Limits, bounds: Bounds
    ) -> Iterator[_Entry | RejectedFile]:
        arguments = ["ls-tree", "-r", "-z", "--full-tree", self.facts.revision]
        with git_output(self.repository, arguments, bounds) as output:
            for count, record in enumerate(_records(output), start=1):
                if count > limits.max_repository_files:
                    detail = f"more than {limits.max_repository_files:,} files"
                    raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
                properties, _, raw = record.partition(b"\t")
                mode, _, blob = properties.split(b" ")
                path = raw.decode("utf-8", "surrogateescape")
                if mode == _COMMIT_MODE or not wanted(path):
                    continue
                is_link = mode == _LINK_MODE
                yield RejectedFile(path, Reason.LINK) if is_link else _Entry(path, blob.decode())

    def _read_blobs(
        self, entries: Sequence[_Entry], limits: Limits, bounds: Bounds
    ) -> Iterator[SourceFile | RejectedFile]:
        if not entries:
            return
        small: list[_Entry] = []
        total = 0
        for entry, size in zip(entries, self._sizes(entries, bounds), strict=True):
            if size is None or size > limits.max_file_bytes:
                detail = f"more than {limits.max_file_bytes:,} bytes"
                yield RejectedFile(entry.path, Reason.FILE_TOO_LARGE, detail)
            else:
                small.append(entry)
                total += size
        if total > limits.max_repository_bytes:
            detail = f"more than {limits.max_repository_bytes:,} bytes"
            raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
        if small:
            yield from self._contents(small, bounds)

    def _sizes(self, entries: Sequence[_Entry], bounds: Bounds) -> Iterator[int | None]:
        """The size of each blob, None where the server left it out."""
        arguments = ["cat-file", "--batch-check", "--buffer"]
        blobs = [entry.blob for entry in entries]
        with git_output(self.repository, arguments, bounds, blobs) as output:
            for _ in entries:
                yield _parse_size(output.readline(_LISTING_BYTES))

    def _contents(self, entries: Sequence[_Entry], bounds: Bounds) -> Iterator[SourceFile]:
        arguments = ["cat-file", "--batch", "--buffer"]
        blobs = [entry.blob for entry in entries]
        with git_output(self.repository, arguments, bounds, blobs) as output:
            for entry in entries:
                size = _parse_size(output.readline(_LISTING_BYTES))
                content = b"" if size is None else output.read(size + 1)
                if size is None or len(content) != size + 1:
                    raise EOFError(f"git cannot read {entry.path}")
                yield SourceFile(entry.path, content[:-1])


def _parse_size(line: bytes) -> int | None:
    """The size in a line ``ID blob SIZE``, None for ``ID missing``."""
    words = line.split()
    if len(words) == 2 and words[1] == b"missing":
        return None
    if len(words) != 3 or words[1] != b"blob":
        raise EOFError("git says of a blob: " + line.decode("utf-8", "replace").strip())
    return int(words[2])


def _records(output: IO[bytes]) -> Iterator[bytes]:
    """Records that end with NUL."""
    rest = b""
    while chunk := output.read(_LISTING_BYTES):
        *records, rest = (rest + chunk).split(b"\0")
        yield from records
        if len(rest) > _MAX_LISTED_PATH_BYTES:
            detail = f"a path of more than {_MAX_LISTED_PATH_BYTES:,} bytes"
            raise CrawlError(Reason.CORRUPT_REPOSITORY, detail)
    if rest:
        raise EOFError("the list of files ends too early")
