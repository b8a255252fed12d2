"""What Google Cloud Storage refuses, in one line with the cure."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transforms.stores.address import parse_object
from transforms.stores.errors import (
    BusyObjectError,
    MissingObjectError,
    PassingError,
    StoreError,
)

_CREDENTIALS = (
    "name a key file by GOOGLE_APPLICATION_CREDENTIALS, run `gcloud auth application-default "
    "login`, or give the machine a service account"
)
_PERMISSIONS = (
    "storage.objects.list, storage.objects.get, storage.objects.create and "
    "storage.objects.delete (the role Storage Object Admin has them)"
)
_AGAIN = "run the same command again"

# Reasons of https://cloud.google.com/storage/docs/json_api/v1/status-codes.
_BUSY_REASONS = ("rateLimitExceeded", "userRateLimitExceeded")
_QUOTA_REASONS = ("quotaExceeded", "dailyLimitExceeded")
# Too slow, an upload that the store has forgotten, too many.
_PASSING_STATUSES = (408, 410, 429)


def no_client() -> StoreError:
    """What the absence of the client means."""
    said = "gs:// needs google-cloud-storage: pip install 'repomill[gs]'"
    return StoreError(errno.ENOSYS, said, "gs://")


def no_bucket(address: str) -> StoreError:
    """What it means that even a listing or a new object has no place."""
    bucket = parse_object(address).bucket
    said = f"there is no bucket {bucket}; create it, or correct its name"
    return StoreError(errno.ENOENT, said, address)


@contextmanager
def naming_gcs(address: str) -> Iterator[None]:
    """Turns what Google's client says of an address into `StoreError`."""
    # Not at the top: only who uses a store has it.
    try:
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import GoogleAuthError
        from google.cloud.storage.exceptions import DataCorruption
        from requests import RequestException
        from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
        from urllib3.exceptions import HTTPError
    except ImportError as error:
        raise no_client() from error

    try:
        yield
    except GoogleAPICallError as error:
        raise _refusal(error, address) from error
    except GoogleAuthError as error:
        raise _no_access(error, address) from error
    except DataCorruption as error:
        damaged = "it is damaged: its checksum is not that with which it was written"
        raise StoreError(errno.EIO, damaged, address) from error
    except (MissingSchema, InvalidSchema, InvalidURL) as error:
        said = f"{_said(error)}; correct STORAGE_EMULATOR_HOST"
        raise StoreError(errno.EINVAL, said, address) from error
    except (RequestException, HTTPError, ConnectionError) as error:
        raise _failure(error, address) from error


def _refusal(error: Any, address: str) -> StoreError:
    """What the answer of a store means."""
    status = int(error.code or 0)
    if status == 404:
        return MissingObjectError(errno.ENOENT, "there is no such object", address)
    if status in (409, 412):
        return BusyObjectError(errno.EBUSY, "another process has written it meanwhile", address)
    said = _said(error)
    told = f"the store answers {status} ({said})"
    if _has(said, error, _BUSY_REASONS) or status in _PASSING_STATUSES or status >= 500:
        failed = f"{told}; it failed each time; when it is well again, {_AGAIN}"
        return PassingError(errno.EIO, failed, address)
    if _has(said, error, _QUOTA_REASONS):
        cure = f"raise the quota of the project or free some space, and {_AGAIN}"
        return StoreError(errno.ENOSPC, f"{told}; {cure}", address)
    if status == 401:
        refused = f"the store refuses the credentials; {_CREDENTIALS}"
        return StoreError(errno.EACCES, refused, address)
    if status == 403:
        bucket = parse_object(address).bucket
        needed = f"no permission ({said}); it takes, for bucket {bucket}, {_PERMISSIONS}"
        return StoreError(errno.EACCES, needed, address)
    return StoreError(errno.EIO, told, address)


def _has(said: str, error: Any, reasons: tuple[str, ...]) -> bool:
    given = {str(each.get("reason")) for each in error.errors or ()}
    # Of uploads and downloads the client passes on only the text.
    return any(reason in given or reason in said for reason in reasons)


def _said(error: Exception) -> str:
    # The address of an upload lets anybody go on with it.
    return " ".join(re.sub(r"https?://\S+", "", str(error)).split())[:200]


def _no_access(error: Any, address: str) -> StoreError:
    """What it means that no request could be signed."""
    from google.auth.exceptions import DefaultCredentialsError, TransportError

    if isinstance(error, DefaultCredentialsError):
        said = f"no credentials were found; {_CREDENTIALS}"
        return StoreError(errno.EACCES, said, address)
    if isinstance(error, TransportError) or error.retryable:
        return _failure(error, address)
    said = f"the credentials are refused ({_said(error)}); renew them, or {_CREDENTIALS}"
    return StoreError(errno.EACCES, said, address)


def _failure(error: Exception, address: str) -> StoreError:
    """What it means that there is no answer."""
    cure = f"check the network and STORAGE_EMULATOR_HOST, and {_AGAIN}"
    told = f"the store does not answer ({_said(error)}); {cure}"
    return PassingError(errno.EIO, told, address)
