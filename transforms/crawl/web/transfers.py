"""Files that are needed here: found on this machine or copied from wherever they lie."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.failures import Reason
from transforms.crawl.addresses import Address
from transforms.crawl.source import CrawlError, Limits
from transforms.crawl.web.objects import OBJECT_SCHEMES, object_chunks
from transforms.web.client import Client
from transforms.web.retries import Deadline


@contextmanager
def remote_chunks(
    address: Address, max_bytes: int, limits: Limits, deadline: Deadline
) -> Iterator[Iterator[bytes]]:
    """The bytes of a file elsewhere; they raise `CrawlError` or `PassingError`, too."""
    if address.scheme in OBJECT_SCHEMES:
        yield object_chunks(address.url, max_bytes, deadline)
        return
    client = Client(limits.requests_per_second)
    with client.get(address.url, max_bytes, deadline) as answer:
        yield answer.chunks


def copy_chunks(chunks: Iterator[bytes], target: Path) -> str:
    """Writes chunks into a file and gives its SHA-256."""
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def check_local(path: Path) -> None:
    """Raises `CrawlError` unless there is a file that can be read."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise named_disk_error(path, error) from error


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file; raises `CrawlError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise named_disk_error(path, error) from error


def check_hash(address: Address, sha256: str) -> None:
    """Raises `CrawlError` where a file does not have the hash that its address promises."""
    if address.sha256 is not None and address.sha256 != sha256:
        detail = f"{address.shown} should have sha256 {address.sha256} and has {sha256}"
        raise CrawlError(Reason.HASH_MISMATCH, detail)


def named_disk_error(path: Path, error: OSError) -> CrawlError:
    """What an error of the disk says about a file: there is none, or it may not be read."""
    denied = error.errno in (errno.EACCES, errno.EPERM)
    reason = Reason.ACCESS_DENIED if denied else Reason.NOT_FOUND
    return CrawlError(reason, f"{path.name}: {error.strerror}")
