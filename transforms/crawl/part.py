"""Crawling the repositories of one part: fetched ahead, read one after another, each alone."""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path

import pyarrow as pa

from schemas import documents, failures, repositories, tables
from schemas.failures import Reason
from transforms.crawl.git.urls import without_credentials
from transforms.crawl.listing import read_requests
from transforms.crawl.registry import source_of
from transforms.crawl.repository import CrawledRepository, crawl_repository, path_filter
from transforms.crawl.rows import (
    STAGE,
    Row,
    as_crawl_error,
    batch_of_rows,
    document_batches,
    empty_collection_row,
    failed_repository_row,
    file_failures,
    opted_out_row,
    repository_failure,
    repository_row,
)
from transforms.crawl.scratch import scratch_folder
from transforms.crawl.source import Collection, CrawlError, Fetched, Limits, Place, Request
from transforms.optout import OptOuts
from transforms.parts import PartWriter, Progress, Receipt, Workspace

# How many repositories are fetched before they are read, for each download at a time:
# so far ahead that one server that hangs does not stop the others.
FETCHED_AHEAD = 4
ROWS_HELD = 10_000


@dataclass(frozen=True)
class CrawlOptions:
    """What becomes of repositories, and what one may cost.

    ``opt_outs`` is the path of the entries that leave some out; empty where there are none.
    """

    parts: int
    languages: tuple[str, ...]
    limits: Limits
    downloads: int
    cache: str
    opt_outs: str = ""


@dataclass(frozen=True)
class CrawlPart:
    """Crawls the repositories of one part in the order of their names."""

    workspace: Workspace
    options: CrawlOptions
    listed: tuple[str, ...]

    def __call__(self, unit: str) -> Receipt:
        """Writes the part that has this name without its suffix."""
        name = f"{unit}.parquet"
        paths = [self.workspace.committed(tables.REQUESTS, file) for file in self.listed]
        wanted = read_requests(paths, tables.part_number(name))
        schemas = {
            tables.DOCUMENTS: documents.SCHEMA,
            tables.REPOSITORIES: repositories.SCHEMA,
            tables.failures_of(STAGE): failures.SCHEMA,
        }
        opt_outs = OptOuts.load(self.options.opt_outs)
        with (
            self.workspace.write_tables(name, schemas) as writers,
            Progress(self.workspace, unit) as progress,
            scratch_folder(self.workspace, unit) as scratch,
        ):
            found = _Findings(
                writers[tables.DOCUMENTS],
                writers[tables.REPOSITORIES],
                writers[tables.failures_of(STAGE)],
                progress,
            )
            for group in self._fetch_groups(wanted, scratch, opt_outs):
                self._read_group(group, found, opt_outs)
                # What was asked for: nobody knows beforehand how many a collection holds.
                found.progress.add(repositories=len(group))
            found.flush()
        return Receipt.of(writers, found.counts)

    def _fetch_groups(
        self, wanted: Sequence[Request], scratch: Path, opt_outs: OptOuts
    ) -> Iterator[list[_Fetch]]:
        """The requests of each repository with what was fetched, some repositories ahead."""
        left_out = opt_outs.matches([request.repository for request in wanted])
        with ThreadPoolExecutor(self.options.downloads) as pool:
            waiting: deque[_Fetch] = deque()
            numbered = iter(enumerate(wanted))

            def submit(count: int) -> None:
                for number, request in islice(numbered, count):
                    place = Place(Path(self.options.cache), scratch / str(number))
                    future = None if left_out[number] else pool.submit(self._fetch, request, place)
                    waiting.append(_Fetch(request, place, future))

            def in_order() -> Iterator[_Fetch]:
                submit(self.options.downloads * FETCHED_AHEAD)
                while waiting:
                    yield waiting.popleft()
                    submit(1)

            try:
                for _, group in groupby(in_order(), key=lambda fetch: fetch.request.repository):
                    yield list(group)
            finally:
                pool.shutdown(cancel_futures=True)

    def _fetch(self, request: Request, place: Place) -> Fetched | Collection:
        place.scratch.mkdir(parents=True)
        return source_of(request.source).fetch(request, place, self.options.limits)

    def _read_group(self, group: list[_Fetch], found: _Findings, opt_outs: OptOuts) -> None:
        """Reads all revisions of one repository in their order."""
        try:
            revisions: set[str] = set()
            for revision, fetch, handle in self._fetched(group, found, opt_outs):
                with found.catching(fetch.request, revision):
                    if revision in revisions:
                        detail = without_credentials(fetch.request.location)
                        raise CrawlError(Reason.DUPLICATE_REPOSITORY, detail)
                    revisions.add(revision)
                    self._read(fetch.request, handle, found)
        finally:
            for fetch in group:
                shutil.rmtree(fetch.place.scratch, ignore_errors=True)

    def _fetched(
        self, group: list[_Fetch], found: _Findings, opt_outs: OptOuts
    ) -> list[tuple[str, _Fetch, Fetched]]:
        """The repositories of a group that are here, by revision; collections are read at once."""
        fetched: list[tuple[str, _Fetch, Fetched]] = []
        for fetch in group:
            if fetch.future is None:
                found.add_repository(opted_out_row(fetch.request))
                continue
            with found.catching(fetch.request, ""):
                handle = fetch.future.result()
                if isinstance(handle, Collection):
                    self._read_collection(fetch.request, handle, found, opt_outs)
                    continue
                # Facts may cost a pass over the archive, which only an order is worth.
                revision = handle.facts.revision if len(group) > 1 else ""
                fetched.append((revision, fetch, handle))
        return sorted(fetched, key=lambda item: item[0])

    def _read_collection(
        self, request: Request, collection: Collection, found: _Findings, opt_outs: OptOuts
    ) -> None:
        wanted = path_filter(self.options.languages)
        count = 0
        for name, handle in collection.repositories(wanted, self.options.limits):
            member = dataclasses.replace(request, repository=name)
            if opt_outs.matches([name])[0]:
                found.add_repository(opted_out_row(member))
            else:
                with found.catching(member, handle.facts.revision):
                    self._read(member, handle, found, collection=request.repository)
            count += 1
        if count == 0:
            found.add_repository(empty_collection_row(request))

    def _read(
        self,
        request: Request,
        handle: Fetched,
        found: _Findings,
        collection: str | None = None,
    ) -> None:
        crawled = crawl_repository(request, handle, self.options.languages, self.options.limits)
        crawled = dataclasses.replace(crawled, collection=collection)
        # Whole before the first row is written, so that a failure leaves none.
        found.accept(crawled, list(document_batches(crawled)))


@dataclass(frozen=True)
class _Fetch:
    request: Request
    place: Place
    future: Future[Fetched | Collection] | None
    """None for a repository that is left out."""


@dataclass
class _Findings:
    """What became of the repositories of a part so far, counted and written."""

    documents_writer: PartWriter
    repositories_writer: PartWriter
    failures_writer: PartWriter
    progress: Progress
    counts: Counter[str] = field(default_factory=lambda: Counter(documents=0, bytes=0))
    repositories: list[Row] = field(default_factory=list)
    failures: list[Row] = field(default_factory=list)

    def accept(self, crawled: CrawledRepository, batches: Sequence[pa.RecordBatch]) -> None:
        """Writes a repository that was read to its end."""
        row = repository_row(crawled)
        # Facts that no table can hold fail their repository, not those held with it.
        batch_of_rows([row], repositories.SCHEMA)
        self.add_repository(row)
        for failure in file_failures(crawled.request, crawled.rejected):
            self._add_failure(failure, "files")
        for batch in batches:
            self.documents_writer.write(batch)
        self.progress.add(documents=row["files"], bytes=row["bytes"])

    @contextmanager
    def catching(self, request: Request, revision: str) -> Iterator[None]:
        """Turns whatever goes wrong with one repository into rows, and lets others go on."""
        try:
            yield
        except Exception as error:
            self._fail(request, revision, as_crawl_error(error))

    def _fail(self, request: Request, revision: str, error: CrawlError) -> None:
        self.add_repository(failed_repository_row(request, revision, error.reason))
        self._add_failure(repository_failure(request, error), "repositories")
        self.progress.add(failed=1)

    def add_repository(self, row: Row) -> None:
        """Counts and keeps the row of a repository."""
        self.counts.update(
            {f"repositories.{row['status']}": 1, "documents": row["files"], "bytes": row["bytes"]}
        )
        self.repositories.append(row)
        if len(self.repositories) + len(self.failures) >= ROWS_HELD:
            self.flush()

    def _add_failure(self, row: Row, kind: str) -> None:
        self.counts[f"failures.{kind}.{row['reason']}"] += 1
        self.failures.append(row)

    def flush(self) -> None:
        """Writes the rows that are held."""
        self.repositories_writer.write(batch_of_rows(self.repositories, repositories.SCHEMA))
        self.failures_writer.write(batch_of_rows(self.failures, failures.SCHEMA))
        self.repositories.clear()
        self.failures.clear()
