"""What becomes of the files of one repository: accepted or rejected for a named reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from schemas.failures import Reason
from transforms.crawl.contents import examine
from transforms.crawl.languages import language_of
from transforms.crawl.paths import path_order, readable_path, safe_path
from transforms.crawl.source import (
    Fetched,
    Limits,
    RejectedFile,
    RepositoryFacts,
    Request,
    SourceFile,
)


@dataclass(frozen=True)
class AcceptedFile:
    """A file that becomes a document."""

    path: str
    content: bytes
    encoding: str
    language: str


@dataclass(frozen=True)
class CrawledRepository:
    """A repository that was read to its end; both kinds of files are sorted by path."""

    request: Request
    facts: RepositoryFacts
    files: tuple[AcceptedFile, ...]
    rejected: tuple[RejectedFile, ...]


def crawl_repository(
    request: Request, fetched: Fetched, languages: Collection[str], limits: Limits
) -> CrawledRepository:
    """Reads and judges the files of the wanted languages.

    Raises `CrawlError` where the repository cannot be read to its end: what was read
    until then does not count.
    """
    wanted_languages = frozenset(languages)

    def wanted(path: str) -> bool:
        return language_of(path) in wanted_languages

    files: list[AcceptedFile] = []
    rejected: list[RejectedFile] = []
    for judged in _judge_files(fetched.read(wanted, limits)):
        if isinstance(judged, AcceptedFile):
            files.append(judged)
        else:
            rejected.append(judged)
    return CrawledRepository(
        request=request,
        facts=fetched.facts,
        files=tuple(sorted(files, key=lambda file: path_order(file.path))),
        rejected=tuple(sorted(rejected, key=lambda file: (path_order(file.path), file.reason))),
    )


def _judge_files(
    files: Iterator[SourceFile | RejectedFile],
) -> Iterator[AcceptedFile | RejectedFile]:
    seen: set[str] = set()
    for file in files:
        # A duplicate keeps its path as it is, so that both show under one name.
        if file.path in seen:
            yield RejectedFile(readable_path(file.path), Reason.DUPLICATE_PATH)
            continue
        seen.add(file.path)
        yield _judge(file)


def _judge(file: SourceFile | RejectedFile) -> AcceptedFile | RejectedFile:
    if safe_path(file.path) is None:
        return RejectedFile(readable_path(file.path), Reason.UNSAFE_PATH)
    if isinstance(file, RejectedFile):
        return file
    encoding = examine(file.content)
    if isinstance(encoding, Reason):
        return RejectedFile(file.path, encoding)
    language = language_of(file.path)
    if language is None:
        raise ValueError(f"{file.path!r} was read although no wanted language has such files")
    return AcceptedFile(file.path, file.content, encoding, language)
