"""Folders of this machine, each a repository as it lies there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.failures import Reason
from transforms.crawl.paths import path_order, readable_path
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


class DirectorySource:
    """A folder, or each of its direct subfolders.

    Settings: ``path``; ``repositories``, which is ``one`` or ``each``; and ``name``, which
    the folder goes by instead of its own name.
    """

    def requests(self, settings: Mapping[str, Any]) -> Iterator[Request]:
        """A request a repository, sorted by name."""
        # Not resolved: a repository is called what the configuration calls it.
        folder = Path(os.path.normpath(Path(settings["path"]).absolute()))
        name = settings.get("name")
        if settings.get("repositories", "one") == "one":
            yield _request(folder, name or folder.name)
            return
        if not folder.is_dir():
            raise ValueError(
                f"directory {settings['path']!r} does not exist; name one with folders"
            )
        for entry in sorted(os.scandir(folder), key=lambda entry: path_order(entry.name)):
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield _request(Path(entry.path), f"{name}/{entry.name}" if name else entry.name)

    def fetch(
        self,
        request: Request,
        place: Place,
        limits: Limits,
    ) -> DirectoryFetched:
        """Nothing is copied; raises `CrawlError` where there is no such folder."""
        if not request.location:
            raise CrawlError(Reason.UNSAFE_PATH, "the folder's name is not UTF-8")
        folder = Path(request.location)
        if not folder.is_dir():
            raise CrawlError(Reason.NOT_FOUND, f"there is no folder {folder.name}")
        return DirectoryFetched(folder)


def _request(folder: Path, name: str) -> Request:
    """A folder whose path is no text goes without one, so that it fails by itself alone."""
    is_text = "\ufffd" not in os.fsencode(folder).decode("utf-8", "replace")
    location = str(folder) if is_text else ""
    return Request(f"directory/{readable_path(name)}", "directory", location)


@dataclass(frozen=True)
class DirectoryFetched:
    """A folder that is read where it lies."""

    folder: Path

    @property
    def facts(self) -> RepositoryFacts:
        """Nothing is known: a folder has no revision."""
        return RepositoryFacts(revision="")

    def read(self, wanted: PathFilter, limits: Limits) -> Iterator[SourceFile | RejectedFile]:
        """The wanted files, sorted by path within each folder; links are not followed."""
        total = 0
        for count, (path, entry) in enumerate(_walk(self.folder, ""), start=1):
            if count > limits.max_repository_files:
                detail = f"more than {limits.max_repository_files:,} files"
                raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
            if wanted(path):
                file = _read(path, entry, limits.max_file_bytes)
                total += len(file.content) if isinstance(file, SourceFile) else 0
                if total > limits.max_repository_bytes:
                    detail = f"more than {limits.max_repository_bytes:,} bytes"
                    raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
                yield file


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Files and links below a folder, without Git's own."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: path_order(entry.name))
    except OSError as error:
        raise _unreadable(prefix or ".", error) from error
    for entry in entries:
        path = prefix + entry.name
        if entry.name == ".git":
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), path + "/")
        elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
            yield path, entry


def _read(path: str, entry: os.DirEntry[str], max_file_bytes: int) -> SourceFile | RejectedFile:
    if entry.is_symlink():
        return RejectedFile(path, Reason.LINK)
    try:
        # The file may have become something else since it was listed.
        descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            content = file.read(max_file_bytes + 1) if is_regular else b""
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(content) > max_file_bytes:
        detail = f"more than {max_file_bytes:,} bytes"
        return RejectedFile(path, Reason.FILE_TOO_LARGE, detail)
    return SourceFile(path, content)


def _unreadable(path: str, error: OSError) -> CrawlError:
    denied = isinstance(error, PermissionError)
    reason = Reason.ACCESS_DENIED if denied else Reason.NOT_FOUND
    return CrawlError(reason, f"{path}: {error.strerror}")
