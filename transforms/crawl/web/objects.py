"""Objects of S3 and of Google's Cloud Storage: listed by pattern, read as streams.

Credentials come from the environment, as the stores' own tools have it, and so does
``AWS_ENDPOINT_URL``. A call that gets nothing for half a minute ends; whatever dribbles
faster than a byte a second is bounded by the deadline between reads only.
"""

from __future__ import annotations

import datetime
import fnmatch
import functools
import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn
from urllib.parse import urlsplit

from pyarrow import fs

from schemas.failures import Reason
from transforms.crawl.source import CrawlError
from transforms.web.client import shown_url
from transforms.web.retries import Deadline, PassingError

OBJECT_SCHEMES = ("s3", "gs")
CONNECT_SECONDS = 10.0
REQUEST_SECONDS = 30.0
CHUNK_BYTES = 1 << 20
# Whole downloads are tried again by those who ask for them.
_ATTEMPTS = 2

_CURES = {
    "s3": "credentials are those of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or of a role, "
    "the region that of AWS_DEFAULT_REGION, the server that of AWS_ENDPOINT_URL",
    "gs": "credentials are those of GOOGLE_APPLICATION_CREDENTIALS or of the machine",
}


def expand_objects(pattern: str) -> list[str]:
    """The objects that a pattern matches: ``*`` and ``?`` within a name, ``**`` any folders.

    Raises `CrawlError` where the store does not answer.
    """
    scheme, _, path = pattern.partition("://")
    bucket, *parts = path.split("/")
    store = _store(scheme, _endpoint())
    try:
        found = set(_expand(store, bucket, parts))
    except OSError as error:
        raise CrawlError(_reason(error) or Reason.UNREACHABLE, _detail(error, pattern)) from error
    return sorted(f"{scheme}://{name}" for name in found)


def _expand(store: fs.FileSystem, folder: str, parts: list[str]) -> Iterator[str]:
    """Files below a folder whose further parts match, a listing a wildcard."""
    place = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    folder = "/".join([folder, *parts[:place]])
    if place == len(parts):
        if store.get_file_info(folder).type == fs.FileType.File:
            yield folder
        return
    wanted, rest = parts[place], parts[place + 1 :]
    entries = _entries(store, folder)
    if wanted == "**":
        yield from _expand(store, folder, rest or ["*"])
        for entry in entries:
            if entry.type == fs.FileType.Directory:
                yield from _expand(store, entry.path, parts[place:])
        return
    for entry in entries:
        if _matches(entry.base_name, wanted):
            if rest and entry.type == fs.FileType.Directory:
                yield from _expand(store, entry.path, rest)
            elif not rest and entry.type == fs.FileType.File:
                yield entry.path


def _matches(name: str, wanted: str) -> bool:
    # As in folders, a wildcard stands for no leading dot.
    is_hidden = name.startswith(".") and not wanted.startswith(".")
    return not is_hidden and fnmatch.fnmatchcase(name, wanted)


def _entries(store: fs.FileSystem, folder: str) -> list[fs.FileInfo]:
    found: list[fs.FileInfo] = store.get_file_info(fs.FileSelector(folder, allow_not_found=True))
    return found


def object_chunks(url: str, max_bytes: int, deadline: Deadline) -> Iterator[bytes]:
    """What an object holds; raises `CrawlError` or `PassingError`, and where it is too much."""
    scheme, _, path = url.partition("://")
    with _naming(url):
        store = _store(scheme, _endpoint())
        stream = store.open_input_stream(path)
    with stream:
        total = 0
        while True:
            deadline.remaining_seconds()
            with _naming(url):
                chunk = stream.read(CHUNK_BYTES)
            if not chunk:
                return
            total += len(chunk)
            if total > max_bytes:
                detail = f"{shown_url(url)} has more than {max_bytes:,} bytes"
                raise CrawlError(Reason.REPOSITORY_TOO_LARGE, detail)
            yield chunk


def check_store(url: str) -> str | None:
    """Why the bucket of an object cannot be asked, and the cure; None if it can."""
    scheme, _, path = url.partition("://")
    try:
        found = _store(scheme, _endpoint()).get_file_info(path.partition("/")[0])
    except OSError as error:
        return f"{_detail(error, url)}; {_CURES[scheme]}"
    if found.type == fs.FileType.NotFound:
        return f"there is no bucket {found.path} in {scheme}; {_CURES[scheme]}"
    return None


def _endpoint() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


@functools.cache
def _store(scheme: str, endpoint: str | None) -> fs.FileSystem:
    if scheme == "gs":
        return fs.GcsFileSystem(retry_time_limit=datetime.timedelta(seconds=REQUEST_SECONDS))
    parts = urlsplit(endpoint or "")
    return fs.S3FileSystem(
        endpoint_override=parts.netloc or None,
        scheme=parts.scheme or "https",
        connect_timeout=CONNECT_SECONDS,
        request_timeout=REQUEST_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )


# Arrow's stores have threads and connections that a forked process must not use.
os.register_at_fork(after_in_child=_store.cache_clear)


@contextmanager
def _naming(url: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _raise_named(error, url)


def _raise_named(error: OSError, url: str) -> NoReturn:
    reason = _reason(error)
    if reason is None:
        raise PassingError(_detail(error, url)) from error
    raise CrawlError(reason, _detail(error, url)) from error


def _reason(error: OSError) -> Reason | None:
    """What an error means, None where it may pass. Arrow tells most of them by words alone."""
    text = str(error)
    if isinstance(error, FileNotFoundError) or "NO_SUCH_BUCKET" in text:
        return Reason.NOT_FOUND
    refusals = (
        "ACCESS_DENIED",
        "INVALID_ACCESS_KEY_ID",
        "SIGNATURE_DOES_NOT_MATCH",
        "HTTP status 403",
        "OAuth2 access token",
    )
    if isinstance(error, PermissionError) or any(word in text for word in refusals):
        return Reason.ACCESS_DENIED
    return None


def _detail(error: OSError, url: str) -> str:
    text = " ".join(str(error).split())
    return f"{shown_url(url)}: {text[:300]}"
