"""What sources of files have in common: archives and data files, here or elsewhere."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from schemas.failures import Reason
from transforms.crawl.addresses import Address, FileAddress, named_files, parse_address
from transforms.crawl.lists import digest_of
from transforms.crawl.source import CrawlError, Place, Request, Source
from transforms.crawl.web.objects import OBJECT_SCHEMES, check_store


class FilesSource(Source):
    """Files that are named by path, address or pattern, a request each."""

    paths: Annotated[tuple[FileAddress, ...], Field(min_length=1)]
    """Files: paths and ``s3://``, ``gs://``, ``http://`` or ``https://`` addresses. All but
    HTTP take the wildcards ``*``, ``?`` and ``**``; ``#sha256=HEX`` behind one file's address
    is the hash that it must have. A file that changes under its name is not by
    itself a reason to crawl it again."""
    name: Annotated[str, Field(pattern=r"^[\w.+-]+$")] | None = None
    """What stands before the names of repositories, after the kind of the source. A file
    is called by its path below the folder in which a pattern begins, by its own name
    where there are no wildcards, and by host or bucket and path where it lies elsewhere."""

    @abstractmethod
    def location(self, address: Address) -> str:
        """All that fetching a file needs."""

    @abstractmethod
    def repository(self, name: str) -> str:
        """What a file of this name is called."""

    def requests(self, place: Place) -> Iterator[Request]:
        """A request a file; raises `CrawlError` where an object store does not answer."""
        for text in self.paths:
            yield from self._requests_of(parse_address(text))

    def places(self) -> Iterator[tuple[str, str]]:
        """Names and locations of what is named without asking an object store."""
        for address in self._known_addresses():
            for request in self._requests_of(address):
                yield request.repository, request.location

    def state(self) -> str:
        """The names of the files of this machine that match, where there are wildcards.

        What matches in an object store is asked for when a run is started anew, not here.
        """
        patterns = [address for address in self._known_addresses() if address.is_pattern]
        if not patterns:
            return ""
        found = (each.url for address in patterns for _, each in named_files(address))
        return digest_of(os.fsencode(path) for path in found)

    def problem(self, cache: Path) -> str | None:
        """An object store that does not answer, or refuses."""
        buckets = {
            address.url.split("/", 3)[2]: address.url
            for address in map(parse_address, self.paths)
            if address.scheme in OBJECT_SCHEMES
        }
        problems = (check_store(url) for _, url in sorted(buckets.items()))
        return next((problem for problem in problems if problem), None)

    def _known_addresses(self) -> Iterator[Address]:
        for address in map(parse_address, self.paths):
            if not (address.is_pattern and address.scheme):
                yield address

    def _requests_of(self, address: Address) -> Iterator[Request]:
        for name, found in named_files(address):
            parts = (self.kind, self.name, self.repository(name))
            # A path that is no text goes without one, so that it fails by itself alone.
            is_text = "\ufffd" not in os.fsencode(found.url).decode("utf-8", "replace")
            location = self.location(found) if is_text else ""
            yield Request("/".join(filter(None, parts)), self.kind, location)


def check_location(request: Request) -> None:
    """Raises `CrawlError` where a file has no name that can be written down."""
    if not request.location:
        raise CrawlError(Reason.UNSAFE_PATH, "the file's name is not UTF-8")
