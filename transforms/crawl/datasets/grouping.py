"""Rows of a data file as repositories: gathered, grouped and judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from schemas.failures import Reason
from transforms.crawl.datasets.columns import Row, RowError, licenses_of, stars_of, text_of
from transforms.crawl.paths import readable_path
from transforms.crawl.source import (
    CrawlError,
    Held,
    PathFilter,
    RejectedFile,
    RepositoryFacts,
    SourceFile,
)
from transforms.languages import extension_of, may_be_script

GATHERED_BYTES = 32 << 20
GATHERED_ROWS = 50_000
# What a row costs besides its text.
_ROW_BYTES = 500


@dataclass(frozen=True)
class Naming:
    """What rows are called that do not say it themselves.

    ``prefix`` stands before the names of repositories, ``file`` is what the data file is
    called, ``language`` is that of rows without a path.
    """

    prefix: str
    file: str
    language: str

    def repository(self, name: str | None) -> str:
        """The name of a row's repository."""
        return self.prefix + readable_path(name or self.file)

    def path(self, row: Row) -> str:
        """The path of a row, below the root even where the data set begins it with a slash."""
        path = text_of(row.values.get("path"), "path")
        if path is None:
            return f"row-{row.number:08d}.{extension_of(self.language)}"
        return path.removeprefix("./").removeprefix("/")

    def facts(self, row: Row) -> RepositoryFacts:
        """What a row says of its repository."""
        revision = text_of(row.values.get("revision"), "revision")
        return RepositoryFacts(
            revision=readable_path(revision or self.file),
            licenses=licenses_of(row.values.get("license")),
            stars=stars_of(row.values.get("stars")),
        )


_Key = tuple[str, str, tuple[str, ...], int]


@dataclass
class _Gathered:
    """Files by repository and facts, in the order of rows."""

    files: dict[_Key, list[SourceFile | RejectedFile]] = field(default_factory=dict)
    facts: dict[_Key, RepositoryFacts] = field(default_factory=dict)
    rows: int = 0
    bytes: int = 0

    def add(self, repository: str, facts: RepositoryFacts, file: SourceFile | RejectedFile) -> None:
        stars = -1 if facts.stars is None else facts.stars
        key = (repository, facts.revision, facts.licenses, stars)
        self.facts.setdefault(key, facts)
        self.files.setdefault(key, []).append(file)
        self.rows += 1
        self.bytes += _ROW_BYTES + (len(file.content) if isinstance(file, SourceFile) else 0)

    def repositories(self) -> Iterator[tuple[str, Held]]:
        for key in sorted(self.files):
            yield key[0], Held(self.facts[key], self.files[key])


def group_rows(
    rows: Iterable[Row], naming: Naming, wanted: PathFilter
) -> Iterator[tuple[str, Held]]:
    """The repositories of so many rows at a time as memory should hold, sorted by name.

    Where the rows end in a `CrawlError`, those before it come first.
    """
    gathered = _Gathered()
    problem: CrawlError | None = None
    source = iter(rows)
    while problem is None:
        try:
            row = next(source, None)
        except CrawlError as error:
            problem, row = error, None
        if row is None:
            break
        _add(row, naming, wanted, gathered)
        if gathered.bytes > GATHERED_BYTES or gathered.rows > GATHERED_ROWS:
            yield from gathered.repositories()
            gathered = _Gathered()
    yield from gathered.repositories()
    if problem is not None:
        raise problem


def _add(row: Row, naming: Naming, wanted: PathFilter, gathered: _Gathered) -> None:
    try:
        path = naming.path(row)
        if not wanted(path):
            return
        repository = naming.repository(text_of(row.values.get("repository"), "repository"))
        facts = naming.facts(row)
    except RowError as error:
        # What cannot be said of a row is left out, and it belongs to the data file.
        detail = f"row {row.number}: {error}"
        row = Row(row.number, {}, Reason.MALFORMED_ROW, detail)
        path, repository, facts = naming.path(row), naming.repository(None), naming.facts(row)
    file = _file(path, row)
    # Of a row without a text nobody knows whether it was to be a script.
    if isinstance(file, SourceFile) or not may_be_script(path):
        gathered.add(repository, facts, file)


def _file(path: str, row: Row) -> SourceFile | RejectedFile:
    if row.problem is not None:
        return RejectedFile(path, row.problem, row.detail)
    content = row.values.get("content")
    if content is None:
        return RejectedFile(path, Reason.MISSING_CONTENT)
    if isinstance(content, str):
        try:
            content = content.encode()
        except UnicodeEncodeError:
            return RejectedFile(path, Reason.UNDECODABLE, "it has a lone surrogate")
    if not isinstance(content, bytes):
        kind = type(content).__name__
        return RejectedFile(path, Reason.MALFORMED_ROW, f"its content is no text but {kind}")
    return SourceFile(path, content)
