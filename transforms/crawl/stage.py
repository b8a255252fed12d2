"""Crawl: requests in; ``repositories``, ``documents`` and ``failures/crawl`` out.

Shuffled are requests, which are short lines. A repository is fetched and read by the
worker that writes its part, so that its text crosses no network inside the pipeline.
"""

from __future__ import annotations

import errno
import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection

from schemas import documents, failures, repositories, tables
from schemas.failures import Reason
from transforms.crawl.git.urls import without_credentials
from transforms.crawl.registry import SOURCES
from transforms.crawl.repository import CrawledRepository, crawl_repository
from transforms.crawl.rows import (
    STAGE,
    Row,
    batch_of_rows,
    document_batches,
    failed_repository_row,
    file_failures,
    repository_failure,
    repository_row,
)
from transforms.crawl.source import CrawlError, Fetched, Limits, Place, Request
from transforms.parts import PartWriter, Progress, Receipt, Workspace
from transforms.stage import do_unit

Line = tuple[str, str, str]


@dataclass(frozen=True)
class CrawlOptions:
    """What is crawled, and what it may cost."""

    parts: int
    languages: tuple[str, ...]
    limits: Limits
    downloads: int
    cache: str


@dataclass
class CrawlRepositories(beam.PTransform[Any, Any]):
    """Crawls repositories into the parts of three tables."""

    workspace: Workspace
    requests: Sequence[Request]
    options: CrawlOptions

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Nothing in, names of finished parts out."""
        parts = self.options.parts
        numbers = begin | "Number parts" >> beam.Create(
            [(part, 0) for part in range(parts)]
        ).with_output_types(tuple[int, int])
        lines = (
            begin
            | "List requests" >> beam.Create([_line(request) for request in self.requests])
            | "Assign parts" >> beam.Map(_assign, parts).with_output_types(tuple[int, Line])
        )
        finished: PCollection[str] = (
            {"part": numbers, "lines": lines}
            | "Group by part" >> beam.CoGroupByKey()
            | "Crawl" >> beam.ParDo(CrawlPart(self.workspace, self.options)).with_output_types(str)
        )
        return finished


def _line(request: Request) -> Line:
    return (request.repository, request.source, request.location)


def _assign(line: Line, parts: int) -> tuple[int, Line]:
    return documents.part_of_repository(line[0], parts), line


@dataclass
class CrawlPart(beam.DoFn):
    """Number of a part with its requests in; writes the part, and says that it is done."""

    workspace: Workspace
    options: CrawlOptions

    def process(self, element: tuple[int, Mapping[str, Iterable[Any]]]) -> Iterator[str]:
        """Yields the name of the finished part."""
        part, groups = element
        requests = sorted({Request(*line) for line in groups["lines"]})
        unit = Path(tables.part_name(part)).stem
        do_unit(PartCrawl(self.workspace, self.options, tuple(requests)), unit)
        yield unit


@dataclass(frozen=True)
class PartCrawl:
    """Crawls the repositories of one part, given in the order of their names."""

    workspace: Workspace
    options: CrawlOptions
    requests: tuple[Request, ...]

    def __call__(self, unit: str) -> Receipt:
        """Writes the part that has this name without its suffix."""
        name = f"{unit}.parquet"
        failures_table = tables.failures_of(STAGE)
        writers = {
            tables.DOCUMENTS: self.workspace.write_table(tables.DOCUMENTS, name, documents.SCHEMA),
            tables.REPOSITORIES: self.workspace.write_table(
                tables.REPOSITORIES, name, repositories.SCHEMA
            ),
            failures_table: self.workspace.write_table(failures_table, name, failures.SCHEMA),
        }
        scratch = Path(self.workspace.staging, "scratch", unit)
        with (
            writers[tables.DOCUMENTS] as documents_writer,
            writers[tables.REPOSITORIES] as repositories_writer,
            writers[failures_table] as failures_writer,
            _emptied(scratch),
        ):
            found = _Findings(documents_writer, Progress(self.workspace, unit))
            for fetched in self._fetch_groups(scratch):
                self._read_group(fetched, found)
            for writer, rows, schema in (
                (repositories_writer, found.repositories, repositories.SCHEMA),
                (failures_writer, found.failures, failures.SCHEMA),
            ):
                writer.write(batch_of_rows(rows, schema))
        return Receipt(
            files={table: (writer.entry,) for table, writer in writers.items()},
            statistics=found.statistics(),
        )

    def _fetch_groups(self, scratch: Path) -> Iterator[list[_Fetch]]:
        """The requests of each repository with what was fetched, some repositories ahead."""
        with ThreadPoolExecutor(self.options.downloads) as pool:
            waiting: deque[_Fetch] = deque()
            requests = iter(enumerate(self.requests))

            def submit(count: int) -> None:
                for number, request in islice(requests, count):
                    place = Place(Path(self.options.cache), scratch / str(number))
                    future = pool.submit(self._fetch, request, place)
                    waiting.append(_Fetch(request, place, future))

            def in_order() -> Iterator[_Fetch]:
                submit(self.options.downloads)
                while waiting:
                    yield waiting.popleft()
                    submit(1)

            try:
                for _, group in groupby(in_order(), key=lambda fetch: fetch.request.repository):
                    yield list(group)
            finally:
                pool.shutdown(cancel_futures=True)

    def _fetch(self, request: Request, place: Place) -> Fetched:
        place.scratch.mkdir(parents=True)
        return SOURCES[request.source].fetch(request, place, self.options.limits)

    def _read_group(self, group: list[_Fetch], found: _Findings) -> None:
        """Reads all revisions of one repository in their order."""
        fetched: list[tuple[str, _Fetch, Fetched]] = []
        for fetch in group:
            with found.catching(fetch, ""):
                handle = fetch.future.result()
                # Facts may cost a pass over the archive, which only an order is worth.
                revision = handle.facts.revision if len(group) > 1 else ""
                fetched.append((revision, fetch, handle))
        revisions: set[str] = set()
        for revision, fetch, handle in sorted(fetched, key=lambda item: item[0]):
            written: list[pa.RecordBatch] = []
            with found.catching(fetch, revision):
                if revision in revisions:
                    detail = without_credentials(fetch.request.location)
                    raise CrawlError(Reason.DUPLICATE_REPOSITORY, detail)
                revisions.add(revision)
                crawled = crawl_repository(
                    fetch.request, handle, self.options.languages, self.options.limits
                )
                # Whole before the first row is written, so that a failure leaves none.
                batches = list(document_batches(crawled))
                found.accept(crawled)
                written = batches
            for batch in written:
                found.documents.write(batch)
            shutil.rmtree(fetch.place.scratch, ignore_errors=True)


@dataclass(frozen=True)
class _Fetch:
    request: Request
    place: Place
    future: Future[Fetched]


@dataclass
class _Findings:
    """What became of the repositories of a part so far."""

    documents: PartWriter
    progress: Progress
    repositories: list[Row] = field(default_factory=list)
    failures: list[Row] = field(default_factory=list)

    def accept(self, crawled: CrawledRepository) -> None:
        """Counts a repository whose documents are about to be written."""
        row = repository_row(crawled)
        self.repositories.append(row)
        self.failures.extend(file_failures(crawled))
        self.progress.add(repositories=1, documents=row["files"], bytes=row["bytes"])

    @contextmanager
    def catching(self, fetch: _Fetch, revision: str) -> Iterator[None]:
        """Turns whatever goes wrong with one repository into rows, and lets others go on."""
        try:
            yield
        except CrawlError as error:
            self._fail(fetch, revision, error)
        except Exception as error:
            if isinstance(error, MemoryError) or _is_disk_full(error):
                raise
            detail = f"{type(error).__name__}: {error}"
            self._fail(fetch, revision, CrawlError(Reason.UNEXPECTED, detail))

    def _fail(self, fetch: _Fetch, revision: str, error: CrawlError) -> None:
        self.repositories.append(failed_repository_row(fetch.request, revision, error.reason))
        self.failures.append(repository_failure(fetch.request, error))
        self.progress.add(repositories=1, failed=1)

    def statistics(self) -> dict[str, int]:
        """Counts of documents, of repositories by status, and of failures by reason."""
        counts = {
            "documents": sum(row["files"] for row in self.repositories),
            "bytes": sum(row["bytes"] for row in self.repositories),
        }
        for row in self.repositories:
            key = f"repositories.{row['status']}"
            counts[key] = counts.get(key, 0) + 1
        for row in self.failures:
            kind = "files" if row["path"] is not None else "repositories"
            key = f"failures.{kind}.{row['reason']}"
            counts[key] = counts.get(key, 0) + 1
        return counts


def _is_disk_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    """A folder that is empty at the start and gone at the end."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
