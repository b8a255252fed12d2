"""Folders of this machine, each a repository as it lies there."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.failures import Reason
from transforms.crawl.gitignore import Ignored
from transforms.crawl.lists import LocalPath, digest_of
from transforms.crawl.paths import MAX_PATH_BYTES, path_order, readable_path
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
from transforms.web.retries import Deadline

MAX_GITIGNORE_BYTES = 1 << 20

_Listed = tuple[str, os.DirEntry[str]]


class DirectorySource(Source):
    """A folder on this machine."""

    kind: ClassVar[str] = "directory"

    path: LocalPath
    """The folder; relative to the working directory."""
    repositories: Literal["one", "each"] = "one"
    """``one``: the folder is a repository; ``each``: each folder in it is one."""
    name: Annotated[str, Field(pattern=r"^[\w.+-]+$")] | None = None
    """What the folder goes by instead of its own name: repositories are called
    ``directory/NAME``, or ``directory/NAME/FOLDER`` with ``each``."""

    gitignore: bool = False
    """Whether files that the ``.gitignore`` files of a folder name are left out."""

    def requests(self, place: Place) -> Iterator[Request]:
        """A request a repository, sorted by name."""
        for name, folder in self.folders():
            yield _request(folder, name, gitignore=self.gitignore)

    def folders(self) -> Iterator[tuple[str, Path]]:
        """The names and folders of repositories, sorted by name."""
        folder = Path(self.path)
        if self.repositories == "one":
            yield self.name or folder.name, folder
            return
        for entry in self._subfolders():
            yield f"{self.name}/{entry.name}" if self.name else entry.name, Path(entry.path)

    def places(self) -> Iterator[tuple[str, str]]:
        """The names of repositories and their folders: two folders may have one name."""
        for name, folder in self.folders():
            yield f"directory/{name}", str(folder)

    def _subfolders(self) -> list[os.DirEntry[str]]:
        if not Path(self.path).is_dir():
            raise ValueError(f"directory {self.path!r} does not exist; name one with folders")
        return [
            entry
            for entry in sorted(os.scandir(self.path), key=lambda entry: path_order(entry.name))
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
        ]

    def state(self) -> str:
        """The names of the subfolders that are repositories."""
        if self.repositories == "one":
            return ""
        return digest_of(os.fsencode(entry.name) for entry in self._subfolders())

    @classmethod
    def fetch(cls, request: Request, place: Place, limits: Limits) -> DirectoryFetched:
        """Nothing is copied; raises `CrawlError` where there is no such folder."""
        location = json.loads(request.location)
        if location["path"] is None:
            raise CrawlError(Reason.UNSAFE_PATH, "the folder's name is not UTF-8")
        folder = Path(location["path"])
        if not folder.is_dir():
            raise CrawlError(Reason.NOT_FOUND, f"there is no folder {folder.name}")
        return DirectoryFetched(folder, respects_gitignore=location["gitignore"])


def _request(folder: Path, name: str, *, gitignore: bool) -> Request:
    """A folder whose path is no text goes without one, so that it fails by itself alone."""
    is_text = "\ufffd" not in os.fsencode(folder).decode("utf-8", "replace")
    location = {"gitignore": gitignore, "path": str(folder) if is_text else None}
    return Request(f"directory/{readable_path(name)}", DirectorySource.kind, json.dumps(location))


@dataclass(frozen=True)
class DirectoryFetched:
    """A folder that is read where it lies."""

    folder: Path
    respects_gitignore: bool = False

    @property
    def facts(self) -> RepositoryFacts:
        """Nothing is known: a folder has no revision."""
        return RepositoryFacts(revision="")

    def _walk(self, limits: Limits) -> Iterator[_Listed]:
        ignored = Ignored() if self.respects_gitignore else None
        return _walk(self.folder, ignored, limits.max_repository_files)

    def read(self, wanted: PathFilter, limits: Limits) -> Iterator[SourceFile | RejectedFile]:
        """The wanted files, sorted by path within each folder; links are not followed."""
        total = 0
        # The patterns of a .gitignore may take long over each name.
        deadline = Deadline.after(limits.timeout_seconds)
        for count, (path, entry) in enumerate(self._walk(limits), start=1):
            deadline.remaining_seconds()
            if count > limits.max_repository_files:
                detail = f"more than {limits.max_repository_files:,} files"
                raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
            if entry.is_dir(follow_symlinks=False):
                yield RejectedFile(path, Reason.UNSAFE_PATH)
            elif wanted(path):
                file = _read(path, entry, limits.max_file_bytes)
                total += len(file.content) if isinstance(file, SourceFile) else 0
                if total > limits.max_repository_bytes:
                    detail = f"more than {limits.max_repository_bytes:,} bytes"
                    raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
                yield file


def _walk(folder: Path, ignored: Ignored | None, max_entries: int) -> Iterator[_Listed]:
    """Files and links below a folder, without Git's own, and folders whose path is over-long."""
    # No recursion, for which folders may lie too deep.
    levels = [_list_folder(folder, "", ignored, max_entries)]
    while levels:
        listed = next(levels[-1], None)
        if listed is None:
            levels.pop()
            continue
        path, entry, ignored = listed
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_folder and len(os.fsencode(path)) <= MAX_PATH_BYTES:
            levels.append(_list_folder(Path(entry.path), path + "/", ignored, max_entries))
        else:
            yield path, entry


def _list_folder(
    folder: Path, prefix: str, ignored: Ignored | None, max_entries: int
) -> Iterator[tuple[str, os.DirEntry[str], Ignored | None]]:
    """What lies in a folder and is not left out, with what holds below it."""
    try:
        with os.scandir(folder) as found:
            entries = list(islice(found, max_entries + 1))
    except OSError as error:
        raise _unreadable(prefix or ".", error) from error
    if len(entries) > max_entries:
        detail = f"a folder of more than {max_entries:,} files and folders"
        raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
    if ignored is not None and any(entry.name == ".gitignore" for entry in entries):
        ignored = ignored.within(prefix, _gitignore(folder))
    for entry in sorted(entries, key=lambda entry: path_order(entry.name)):
        path = prefix + entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name != ".git" and not (ignored and ignored(path, is_folder=is_folder)):
            yield path, entry, ignored


def _gitignore(folder: Path) -> bytes:
    """What a ``.gitignore`` says; nothing where it is a link or no file, as for git."""
    path = folder / ".gitignore"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            return file.read(MAX_GITIGNORE_BYTES) if is_regular else b""
    except OSError:
        return b""


def _read(path: str, entry: os.DirEntry[str], max_file_bytes: int) -> SourceFile | RejectedFile:
    if entry.is_symlink():
        return RejectedFile(path, Reason.LINK)
    if not entry.is_file(follow_symlinks=False):
        return RejectedFile(path, Reason.SPECIAL_FILE)
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
