"""Data sets whose rows are files, as public code corpora ship them: Parquet and JSON Lines."""

from __future__ import annotations

import contextlib
import json
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from schemas.failures import Reason
from transforms.crawl.addresses import Address, parse_address
from transforms.crawl.datasets.columns import Columns, Row
from transforms.crawl.datasets.grouping import Naming, group_rows
from transforms.crawl.datasets.jsonlines import iterate_json_lines
from transforms.crawl.datasets.parquet import iterate_parquet
from transforms.crawl.source import Collection, CrawlError, Held, Limits, PathFilter, Place, Request
from transforms.crawl.sources.files import FilesSource, check_location
from transforms.crawl.web.transfers import (
    check_hash,
    check_local,
    copy_chunks,
    remote_chunks,
    sha256_of,
)
from transforms.languages import check_language
from transforms.web.retries import Deadline, Retries


def _known(language: str) -> str:
    check_language(language)
    return language


class RowsSource(FilesSource):
    """Data files whose rows are files of many repositories.

    A row's repository is called ``KIND/REPOSITORY``, or ``KIND/NAME/REPOSITORY``.
    """

    has_whole_repositories: ClassVar[bool] = False
    retries: ClassVar[Retries] = Retries()

    columns: Columns
    """What the columns are called."""
    language: Annotated[str, AfterValidator(_known)] = "python"
    """The language of rows that have no path."""
    max_data_file_bytes: Annotated[int, Field(ge=1)] = 16 << 30
    """A data file of more bytes than this fails."""

    def repository(self, name: str) -> str:
        """A data file is called what it is called."""
        return name

    def location(self, address: Address) -> str:
        """All that fetching a data file needs."""
        values = {
            "address": str(address),
            "name": self.name,
            "columns": self.columns.given(),
            "language": self.language,
            "max_data_file_bytes": self.max_data_file_bytes,
        }
        return json.dumps(values)

    @classmethod
    @abstractmethod
    def rows(cls, path: Path, columns: Columns, limits: Limits) -> Iterator[Row]:
        """The rows of a data file; raises `CrawlError` where it cannot be read to its end."""

    @classmethod
    def fetch(cls, request: Request, place: Place, limits: Limits) -> DataFile:
        """Nothing is copied yet: several data files at once may be more than a disk holds."""
        check_location(request)
        location = json.loads(request.location)
        address = parse_address(location["address"])
        if not address.scheme:
            check_local(Path(address.url))
        prefix = "/".join(filter(None, (cls.kind, location["name"]))) + "/"
        return DataFile(
            source=cls,
            address=address,
            columns=Columns(**location["columns"]),
            naming=Naming(prefix, request.repository.removeprefix(prefix), location["language"]),
            max_bytes=location["max_data_file_bytes"],
            scratch=place.scratch,
        )


class ParquetSource(RowsSource):
    """Parquet files whose rows are files of repositories."""

    kind: ClassVar[str] = "parquet"

    @classmethod
    def rows(cls, path: Path, columns: Columns, limits: Limits) -> Iterator[Row]:
        """The rows of a Parquet file."""
        return iterate_parquet(path, columns, limits)


class JsonLinesSource(RowsSource):
    """Files of JSON Lines, plain or compressed, whose rows are files of repositories."""

    kind: ClassVar[str] = "jsonl"

    @classmethod
    def rows(cls, path: Path, columns: Columns, limits: Limits) -> Iterator[Row]:
        """The rows of a file of JSON Lines."""
        return iterate_json_lines(path, columns, limits)


@dataclass(frozen=True)
class DataFile(Collection):
    """A file of rows, copied to this machine for as long as it is read."""

    source: type[RowsSource]
    address: Address
    columns: Columns
    naming: Naming
    max_bytes: int
    scratch: Path

    def repositories(self, wanted: PathFilter, limits: Limits) -> Iterator[tuple[str, Held]]:
        """The repositories of some tens of MB of rows at a time, sorted by name each time."""
        with self._here(limits) as path:
            if path.stat().st_size > self.max_bytes:
                detail = f"{self.address.shown} has more than {self.max_bytes:,} bytes"
                raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
            rows = self.source.rows(path, self.columns, limits)
            yield from group_rows(rows, self.naming, wanted)

    @contextmanager
    def _here(self, limits: Limits) -> Iterator[Path]:
        if not self.address.scheme:
            path = Path(self.address.url)
            if self.address.sha256:
                check_hash(self.address, sha256_of(path))
            yield path
            return
        path = self.scratch / "data"

        def attempt(deadline: Deadline) -> str:
            with remote_chunks(self.address, self.max_bytes, limits, deadline) as chunks:
                return copy_chunks(chunks, path)

        try:
            check_hash(self.address, self.source.retries.run(attempt, limits))
            yield path
        finally:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
