"""What the crawl found, as rows of its three tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from schemas import documents, failures, repositories
from schemas.failures import Reason
from schemas.repositories import Status
from transforms.crawl.licenses.findings import LicenseFinding
from transforms.crawl.paths import readable_path
from transforms.crawl.repository import AcceptedFile, CrawledRepository
from transforms.crawl.source import CrawlError, RejectedFile, Request
from transforms.license_expressions import license_class
from transforms.stores.errors import is_disk_full

STAGE = "crawl"

Row = dict[str, Any]
"""A row of a table by column, its types those of the table's schema."""

BATCH_BYTES = 16 << 20


def document_batches(crawled: CrawledRepository) -> Iterator[pa.RecordBatch]:
    """The documents of a repository, in batches of a bounded number of bytes."""
    first = 0
    while first < len(crawled.files):
        last, size = first, 0
        while last < len(crawled.files) and (last == first or size < BATCH_BYTES):
            size += len(crawled.files[last].content)
            last += 1
        yield _document_batch(crawled, crawled.files[first:last])
        first = last


def _document_batch(crawled: CrawledRepository, files: Sequence[AcceptedFile]) -> pa.RecordBatch:
    count = len(files)
    columns = [
        [crawled.request.repository] * count,
        [crawled.facts.revision] * count,
        [file.path for file in files],
        [file.content for file in files],
        [hashlib.sha256(file.content).hexdigest() for file in files],
        [len(file.content) for file in files],
        [file.encoding for file in files],
        [file.language for file in files],
        *columns_of_licenses([file.license for file in files]),
    ]
    arrays = [
        pa.array(values, field.type)
        for values, field in zip(columns, documents.SCHEMA, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=documents.SCHEMA)


def columns_of_licenses(found: Sequence[LicenseFinding | None]) -> list[list[Any]]:
    """The four license columns of files."""
    # Most files have one license in common, whose columns are made once.
    rows = {each: tuple(_license_columns(each).values()) for each in dict.fromkeys(found)}
    return [list(column) for column in zip(*(rows[each] for each in found), strict=True)]


def _license_columns(found: LicenseFinding | None) -> Row:
    return {
        "license": found and found.expression,
        "license_class": license_class(found and found.expression),
        "license_evidence": found and found.evidence,
        "license_confidence": found and found.confidence,
    }


def repository_row(crawled: CrawledRepository) -> Row:
    """The row of a repository that was read to its end."""
    facts = crawled.facts
    return {
        "repository": crawled.request.repository,
        "source": crawled.request.source,
        "revision": facts.revision,
        "status": Status.CRAWLED if crawled.files else Status.EMPTY,
        "reason": None,
        **_license_columns(crawled.license),
        "files": len(crawled.files),
        "bytes": sum(len(file.content) for file in crawled.files),
        "stars": facts.stars,
        "forks": facts.forks,
        "archived": facts.archived,
        "released": facts.released,
        "collection": crawled.collection,
    }


def failed_repository_row(request: Request, revision: str, reason: Reason) -> Row:
    """The row of a repository that could not be crawled."""
    return _bare_row(request) | {
        "revision": revision,
        "status": Status.FAILED,
        "reason": reason,
    }


def empty_collection_row(request: Request) -> Row:
    """The row of a collection in which there is no repository at all."""
    return _bare_row(request) | {"revision": "", "status": Status.EMPTY}


def opted_out_row(request: Request) -> Row:
    """The row of a repository that is left out."""
    return _bare_row(request) | {"revision": "", "status": Status.OPTED_OUT}


def _bare_row(request: Request) -> Row:
    empty = {field.name: None for field in repositories.SCHEMA}
    return empty | {
        "repository": request.repository,
        "source": request.source,
        **_license_columns(None),
        "files": 0,
        "bytes": 0,
    }


def repository_failure(request: Request, error: CrawlError, stage: str = STAGE) -> Row:
    """The failure of a whole repository."""
    return _failure(stage, request.repository, None, error.reason, error.detail)


def as_crawl_error(error: Exception) -> CrawlError:
    """What an error says of one repository; raises it again where it says something of all."""
    if isinstance(error, CrawlError):
        return error
    if isinstance(error, MemoryError) or is_disk_full(error):
        raise error
    return CrawlError(Reason.UNEXPECTED, f"{type(error).__name__}: {error}")


def file_failures(
    request: Request, rejected: Iterable[RejectedFile], stage: str = STAGE
) -> list[Row]:
    """The failures of single files of a repository."""
    return [
        _failure(stage, request.repository, file.path, file.reason, file.detail)
        for file in rejected
    ]


def _failure(stage: str, repository: str, path: str | None, reason: Reason, detail: str) -> Row:
    # A detail may quote anything, such as the name of a folder that is no text.
    values = (stage, repository, path, str(reason), readable_path(detail))
    return dict(zip(failures.SCHEMA.names, values, strict=True))


def batch_of_rows(rows: Sequence[Row], schema: pa.Schema) -> pa.RecordBatch:
    """Rows as one batch of a schema."""
    return pa.RecordBatch.from_pylist(list(rows), schema=schema)
