"""What the trusted side knows of the package index: pages and files, kept between projects.

All projects share one cache: files by their SHA-256 among the downloads of the crawl, and
the last listing of each project, by which a machine without network still serves what it
has. Nothing of it is ever written by what runs in the sandbox.
"""

from __future__ import annotations

import datetime
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from schemas.failures import Reason
from transforms.stores.files import write_whole
from transforms.trace.environments.listings import (
    ListedFile,
    Listing,
    listing_of,
)
from transforms.web.downloads import Downloads
from transforms.web.errors import FetchError
from transforms.web.index import Index, locate_index
from transforms.web.retries import Deadline, Retries

T = TypeVar("T")

MAX_METADATA_BYTES = 4 << 20
_MOST_LISTING_BYTES = 128 << 20


@dataclass(frozen=True)
class MirrorSettings:
    """How the user's own index is asked."""

    index: str | None = None
    """Address of its simple API; the one that pip is configured for if not given."""

    max_cache_bytes: int = 20_000_000_000
    """What all downloads that are kept may come to; least recently used go first."""

    max_file_bytes: int = 500_000_000
    """Of one file."""

    fresh_seconds: float = 3600.0
    """How long a listing is believed before the index is asked again."""

    timeout_seconds: float = 300.0
    """For all attempts of one request."""

    attempts: int = 4
    """Of one request."""

    first_wait_seconds: float = 0.5
    """Before the second attempt; twice as long before each further one."""

    max_wait_seconds: float = 30.0
    """Between two attempts."""

    requests_per_second: float = 50.0
    """To one host, from this process."""


class Mirror:
    """Listings and files of the user's index, for all threads of a process.

    Args:
      cache: a folder that is kept between runs, the one that the crawl has its downloads in.
      settings: how the index is asked.
      retries: how waits are done.
    """

    def __init__(
        self, cache: Path, settings: MirrorSettings | None = None, retries: Retries | None = None
    ) -> None:
        self.settings = settings or MirrorSettings()
        self._index = Index(locate_index(self.settings.index), self.settings.requests_per_second)
        self._downloads = Downloads(cache, self.settings.max_cache_bytes)
        # Another index may list other files under the same name.
        address = hashlib.sha256(self._index.url.encode()).hexdigest()[:16]
        self._pages = cache / "listings" / address
        self._retries = retries or Retries()
        self._locks = _Locks()

    def listing(self, name: str) -> Listing:
        """The files of a project, by its normalized name.

        Where the index does not answer, those of its last listing that the cache holds.
        Raises `FetchError`.
        """
        with self._locks.held(name):
            return self._listing(name)

    def file(self, listed: ListedFile, listing: Listing, scratch: Path) -> Path:
        """A file, its hash compared, in a folder of its own in ``scratch``; raises `FetchError`."""
        with self._locks.held(listed.sha256):
            known = self._downloads.find(listed.sha256, scratch)
            if known is not None:
                return known.path
            most = self.settings.max_file_bytes
            if listed.size is not None and listed.size > most:
                detail = f"{listed.filename} has {listed.size:,} bytes, {most:,} are allowed"
                raise FetchError(Reason.REPOSITORY_TOO_LARGE, detail)

            def attempt(deadline: Deadline) -> Path:
                with self._index.download(listed.url, listing.nearest, most, deadline) as answer:
                    released = _moment(listed.uploaded)
                    name, sha256 = listed.filename, listed.sha256
                    return self._downloads.store(
                        answer.chunks, sha256, name, released, scratch
                    ).path

            return self._retried(attempt)

    def metadata(self, listed: ListedFile, listing: Listing) -> bytes:
        """A file's PEP 658 metadata, its hash compared; raises `FetchError`."""

        def attempt(deadline: Deadline) -> bytes:
            url = f"{listed.url}.metadata"
            with self._index.download(url, listing.nearest, MAX_METADATA_BYTES, deadline) as answer:
                content = b"".join(answer.chunks)
            if hashlib.sha256(content).hexdigest() != listed.metadata:
                detail = f"the metadata of {listed.filename} has another hash than promised"
                raise FetchError(Reason.HASH_MISMATCH, detail)
            return content

        return self._retried(attempt)

    def _listing(self, name: str) -> Listing:
        path = self._pages / f"{name}.json"
        kept = _read_listing(path)
        if kept is not None and _is_fresh(path, self.settings.fresh_seconds):
            return kept
        try:
            page = self._retried(lambda deadline: self._index.page(name, deadline))
        except FetchError as error:
            if kept is None or error.reason is Reason.NOT_FOUND:
                raise
            return kept.only(lambda file: self._downloads.has(file.sha256)).without_metadata()
        listing = listing_of(name, page)
        write_whole(path, listing.to_json().encode(), durable=False)
        return listing

    def _retried(self, action: Callable[[Deadline], T]) -> T:
        return self._retries.run(action, self.settings)


@dataclass
class _Locks:
    """A lock a key, for as long as somebody holds it or waits for it."""

    _guard: threading.Lock = field(default_factory=threading.Lock)
    _held: dict[str, tuple[threading.Lock, int]] = field(default_factory=dict)

    @contextmanager
    def held(self, key: str) -> Iterator[None]:
        """One thread at a time is in here for a key: what it fetched, others find."""
        with self._guard:
            lock, users = self._held.get(key, (threading.Lock(), 0))
            self._held[key] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, users = self._held[key]
                self._held[key] = lock, users - 1
                if users == 1:
                    del self._held[key]


def _read_listing(path: Path) -> Listing | None:
    try:
        if path.stat().st_size > _MOST_LISTING_BYTES:
            return None
        return Listing.from_json(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_fresh(path: Path, seconds: float) -> bool:
    return abs(time.time() - path.stat().st_mtime) < seconds


def _moment(text: str | None) -> datetime.datetime | None:
    return None if text is None else datetime.datetime.fromisoformat(text)
