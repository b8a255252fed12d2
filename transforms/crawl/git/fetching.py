"""One commit of a repository, brought by ``git fetch`` into a bare repository of our own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from schemas.failures import Reason
from transforms.crawl.git.command import Bounds, GitError, run_git
from transforms.crawl.git.errors import explain
from transforms.crawl.git.redirects import Destination, HttpTrace, follow_redirect
from transforms.crawl.git.urls import LOCAL_HOST, repository_name
from transforms.crawl.source import CrawlError, Limits
from transforms.web.pace import wait_for_turn
from transforms.web.retries import Deadline, PassingError

# What `git init` would make, less what nobody reads: a process would cost more.
_HEAD = "ref: refs/heads/main\n"
_FOLDERS = ("objects/pack", "refs")
# That it says nothing of a promisor remote keeps git from fetching, one at a time, the
# blobs that the filter left out.
_CONFIGURATIONS = {
    "sha1": "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
    "sha256": "[core]\n\trepositoryformatversion = 1\n\tbare = true\n"
    "[extensions]\n\tobjectformat = sha256\n",
}
_OTHER_HASH = re.compile(r"mismatched algorithms: client sha1; server sha256")
_SHA256_NAME = re.compile(r"[0-9a-f]{64}")
_FETCHED = re.compile(r"([0-9a-f]{40}(?:[0-9a-f]{24})?)\t")
# What git takes for a repository of files without a server of git can be any page.
_SAID_OF_PAGES = (Reason.NO_COMMIT, Reason.UNREACHABLE)
_MAX_REDIRECTS = 5


def fetch_commit(
    repository: Path, url: str, reference: str, limits: Limits, deadline: Deadline
) -> str:
    """Fetches what a reference names, without history; returns the name of that object.

    Trees come whole; blobs over the limit are not sent where the server can filter.

    Raises:
      CrawlError: it cannot be had.
      PassingError: it may be had a little later.
    """
    hash_name = "sha256" if _SHA256_NAME.fullmatch(reference) else "sha1"
    destination = Destination(url)
    trace = HttpTrace(repository / "http-trace")
    for _ in range(_MAX_REDIRECTS + 1):
        _create(repository, hash_name)
        _wait_for_turn(destination.url, limits, deadline)
        try:
            _fetch(repository, destination, reference, limits, deadline, trace)
        except GitError as error:
            target = trace.redirect()
            if target is not None:
                destination = follow_redirect(destination.url, target, trace.nearest())
            elif hash_name == "sha1" and _OTHER_HASH.search(error.stderr):
                hash_name = "sha256"
            else:
                raise _explain(error, trace) from error
        else:
            (repository / "config").write_text(_CONFIGURATIONS[hash_name])
            return _fetched_name(repository)
    raise CrawlError(Reason.UNREACHABLE, f"more than {_MAX_REDIRECTS} redirects")


def _create(repository: Path, hash_name: str) -> None:
    shutil.rmtree(repository, ignore_errors=True)
    for folder in _FOLDERS:
        (repository / folder).mkdir(parents=True)
    (repository / "HEAD").write_text(_HEAD)
    (repository / "config").write_text(_CONFIGURATIONS[hash_name])


def _wait_for_turn(url: str, limits: Limits, deadline: Deadline) -> None:
    host = repository_name(url).partition("/")[0]
    if host != LOCAL_HOST:
        wait_for_turn(host, limits.requests_per_second, deadline)


def _fetch(
    repository: Path,
    destination: Destination,
    reference: str,
    limits: Limits,
    deadline: Deadline,
    trace: HttpTrace,
) -> None:
    # A filter makes git write down the remote's name, and not every URL is allowed as one.
    settings = ["-c", f"remote.origin.url={destination.url}", *destination.settings()]
    options = ["--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules"]
    # Git's limit is exclusive: a blob of exactly so many bytes is left out.
    options.append(f"--filter=blob:limit={limits.max_file_bytes + 1}")
    bounds = Bounds(deadline.remaining_seconds(), limits.max_repository_bytes)
    command = [*settings, "fetch", *options, "--", "origin", reference]
    run_git(repository, command, bounds, trace.variables())


def _fetched_name(repository: Path) -> str:
    found = _FETCHED.match((repository / "FETCH_HEAD").read_text("utf-8", "replace"))
    if found is None:
        raise CrawlError(Reason.NO_COMMIT, "git fetched nothing")
    return found[1]


def _explain(error: GitError, trace: HttpTrace) -> CrawlError | PassingError:
    explained = explain(error.stderr)
    if isinstance(explained, PassingError):
        return PassingError(explained.detail, trace.retry_after_seconds())
    if explained.reason in _SAID_OF_PAGES and trace.shows_no_git():
        return CrawlError(Reason.NOT_FOUND, "the server answers as one of pages, not of git")
    return explained
