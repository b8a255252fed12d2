"""What becomes of the files of one repository: accepted or rejected for a named reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set
from dataclasses import dataclass, field, replace
from itertools import chain

from schemas.failures import Reason
from transforms.crawl.contents import examine
from transforms.crawl.licenses.assignment import find_repository_licenses
from transforms.crawl.licenses.findings import LicenseFinding
from transforms.crawl.licenses.paths import is_license_path
from transforms.crawl.licenses.texts import MAX_TEXT_BYTES
from transforms.crawl.paths import (
    collision_key,
    is_archive_name,
    path_order,
    readable_path,
    safe_path,
)
from transforms.crawl.source import (
    Fetched,
    Limits,
    PathFilter,
    RejectedFile,
    RepositoryFacts,
    Request,
    SourceFile,
)
from transforms.languages import HEAD_BYTES, language_of, may_be_script, name_filter

MAX_LICENSE_FILES = 1_000


@dataclass(frozen=True)
class AcceptedFile:
    """A file that becomes a document."""

    path: str
    content: bytes
    encoding: str
    language: str
    license: LicenseFinding | None = None


@dataclass(frozen=True)
class CrawledRepository:
    """A repository that was read to its end; both kinds of files are sorted by path."""

    request: Request
    facts: RepositoryFacts
    license: LicenseFinding | None
    files: tuple[AcceptedFile, ...]
    rejected: tuple[RejectedFile, ...]
    collection: str | None = None


def path_filter(languages: Collection[str]) -> PathFilter:
    """Wants the files that may be in one of the languages, and license files."""
    may_be_wanted = name_filter(languages)

    def wanted(path: str) -> bool:
        return may_be_wanted(path) or is_license_path(path)

    return wanted


def crawl_repository(
    request: Request, fetched: Fetched, languages: Collection[str], limits: Limits
) -> CrawledRepository:
    """Reads and judges the files of the wanted languages.

    Raises `CrawlError` where the repository cannot be read to its end: what was read
    until then does not count.
    """
    wanted = _NotingFilter(path_filter(languages))
    licenses = _LicenseFiles(frozenset(languages))
    read = licenses.keep(chain(fetched.read(wanted, limits), wanted.archives))
    files: list[AcceptedFile] = []
    rejected: list[RejectedFile] = []
    for judged in _judge_files(_in_languages(read, languages, wanted.scripts), limits):
        if isinstance(judged, AcceptedFile):
            files.append(judged)
        else:
            rejected.append(judged)
    facts = fetched.facts
    found = find_repository_licenses(licenses.texts, facts.licenses)
    licensed = (replace(file, license=found.of_file(file.path, file.content)) for file in files)
    return CrawledRepository(
        request=request,
        facts=facts,
        license=found.repository,
        files=tuple(sorted(licensed, key=lambda file: path_order(file.path))),
        rejected=tuple(sorted(rejected, key=lambda file: (path_order(file.path), file.reason))),
    )


class _NotingFilter:
    """A filter that notes, wherever the paths come from, which are archives or maybe scripts."""

    def __init__(self, wanted: PathFilter) -> None:
        self._wanted = wanted
        self.archives: list[RejectedFile] = []
        self.scripts: set[str] = set()

    def __call__(self, path: str) -> bool:
        if self._wanted(path):
            if may_be_script(path):
                self.scripts.add(path)
            return True
        if is_archive_name(path):
            self.archives.append(RejectedFile(path, Reason.NESTED_ARCHIVE))
        return False


@dataclass
class _LicenseFiles:
    """The starts of license files, taken out of what is read; they become no documents."""

    languages: frozenset[str]
    texts: dict[str, bytes] = field(default_factory=dict)

    def keep(
        self, files: Iterable[SourceFile | RejectedFile]
    ) -> Iterator[SourceFile | RejectedFile]:
        """All files but those that were only asked for because of their license."""
        for file in files:
            if not self._is_license(file.path):
                yield file
            elif isinstance(file, SourceFile) and len(self.texts) < MAX_LICENSE_FILES:
                # A path is looked at in the table of licenses only, and written nowhere else.
                self.texts.setdefault(readable_path(file.path), file.content[:MAX_TEXT_BYTES])

    def _is_license(self, path: str) -> bool:
        # A text is a license before it is a document, a program is not.
        language = language_of(path, None)
        is_program = language in self.languages and language != "markdown"
        return not is_program and is_license_path(path)


_Read = tuple[SourceFile | RejectedFile, str | None]
"""A file with its language, None where it was not read."""


def _in_languages(
    files: Iterable[SourceFile | RejectedFile], languages: Collection[str], scripts: Set[str]
) -> Iterator[_Read]:
    """The files that are in one of the languages, and those that were to be and are not here.

    Of what has no extension nobody knows what it was to be.
    """
    for file in files:
        if isinstance(file, RejectedFile):
            if file.path not in scripts:
                yield file, None
        elif (language := language_of(file.path, file.content[:HEAD_BYTES])) in languages:
            yield file, language


class PathJudge:
    """Says of one path of a repository after another what is wrong with it."""

    def __init__(self, max_depth: int) -> None:
        self._max_depth = max_depth
        self._seen: set[str] = set()
        self._firsts: dict[str, str] = {}

    def fault(self, path: str) -> RejectedFile | None:
        """What is wrong with the next path by itself, or beside those before it."""
        # A duplicate keeps its path as it is, so that both show under one name.
        if path in self._seen:
            return RejectedFile(readable_path(path), Reason.DUPLICATE_PATH)
        self._seen.add(path)
        if safe_path(path) is None:
            return RejectedFile(readable_path(path), Reason.UNSAFE_PATH)
        if path.count("/") > self._max_depth:
            detail = f"in more than {self._max_depth:,} folders"
            return RejectedFile(path, Reason.PATH_TOO_DEEP, detail)
        if (first := self._firsts.setdefault(collision_key(path), path)) != path:
            return RejectedFile(path, Reason.COLLIDING_PATH, f"with {first}")
        return None


def _judge_files(files: Iterable[_Read], limits: Limits) -> Iterator[AcceptedFile | RejectedFile]:
    paths = PathJudge(limits.max_depth)
    for file, language in files:
        yield paths.fault(file.path) or _judge(file, language)


def _judge(file: SourceFile | RejectedFile, language: str | None) -> AcceptedFile | RejectedFile:
    if isinstance(file, RejectedFile):
        return file
    encoding = examine(file.content)
    if isinstance(encoding, Reason):
        return RejectedFile(file.path, encoding)
    if language is None:
        raise ValueError(f"{file.path!r} was read although no wanted language has such files")
    return AcceptedFile(file.path, file.content, encoding, language)
