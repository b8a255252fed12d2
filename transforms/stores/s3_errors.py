"""What S3, and what speaks like it, refuses, in one line with the cure."""

from __future__ import annotations

import errno
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
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role"
)
_PERMISSIONS = "s3:ListBucket on it and s3:GetObject, s3:PutObject and s3:DeleteObject below it"

# Codes of https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. Answers to HEAD
# have no body, and so the number of their status for a code.
_MEANINGS = {
    "InvalidAccessKeyId": f"the store does not know the access key; {_CREDENTIALS}",
    "SignatureDoesNotMatch": "the secret key is not that of the access key; correct "
    "AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the credentials have expired; renew them and run the same command again",
    "InvalidToken": "the session token is not valid; renew AWS_SESSION_TOKEN or unset it",
    "AccessDenied": f"no permission; the credentials need, for bucket {{bucket}}, {_PERMISSIONS}",
    "NoSuchBucket": "there is no bucket {bucket}; create it, or correct its name or "
    "AWS_ENDPOINT_URL",
    "AuthorizationHeaderMalformed": "the bucket is in another region; set AWS_DEFAULT_REGION to it",
    "PermanentRedirect": "the bucket is in another region; set AWS_DEFAULT_REGION to it",
    "RequestTimeTooSkewed": "the clock of this machine is wrong; set it",
    "NotImplemented": "the store cannot do this; conditional writes (If-None-Match, If-Match) "
    "are needed for its runs",
    "QuotaExceeded": "the store is full; free some space in it and run the same command again",
}
_MEANINGS |= {
    "401": _MEANINGS["AccessDenied"],
    "403": _MEANINGS["AccessDenied"],
    "AllAccessDisabled": _MEANINGS["AccessDenied"],
    "301": _MEANINGS["PermanentRedirect"],
    "IllegalLocationConstraintException": _MEANINGS["PermanentRedirect"],
    "XMinioStorageFull": _MEANINGS["QuotaExceeded"],
    "InsufficientStorage": _MEANINGS["QuotaExceeded"],
    "507": _MEANINGS["QuotaExceeded"],
}
_MISSING = ("NoSuchKey", "404", "NotFound", "NoSuchUpload")
_CHANGED = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


def no_boto3() -> StoreError:
    """What the absence of the client means."""
    return StoreError(errno.ENOSYS, "s3:// needs boto3: pip install 'repomill[s3]'", "s3://")


@contextmanager
def naming_s3(address: str) -> Iterator[None]:
    """Turns what boto3 says of an address into `StoreError`."""
    # Not at the top: only who uses a store has it.
    try:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
    except ImportError as error:
        raise no_boto3() from error

    try:
        yield
    except ClientError as error:
        raise _refusal(error, address) from error
    except (BotoCoreError, HTTPClientError, Boto3Error) as error:
        cause = error.__cause__ or error.__context__
        if isinstance(cause, ClientError):
            raise _refusal(cause, address) from error
        raise _failure(error, address) from error


def _refusal(error: Any, address: str) -> StoreError:
    """What the answer of a store means."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _MISSING:
        return MissingObjectError(errno.ENOENT, "there is no such object", address)
    if code in _CHANGED:
        return BusyObjectError(errno.EBUSY, "another process has written it meanwhile", address)
    if code in _MEANINGS:
        meaning = _MEANINGS[code].format(bucket=parse_object(address).bucket)
        return StoreError(_number(code), meaning, address)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())[:200]
    if status >= 500:
        cure = "it failed each time; when it is well again, run the same command again"
        told = f"the store answers {status} {code} ({said}); {cure}"
        return PassingError(errno.EIO, told, address)
    return StoreError(errno.EIO, f"the store answers {status} {code} ({said})", address)


def _number(code: str) -> int:
    if _MEANINGS[code] == _MEANINGS["QuotaExceeded"]:
        return errno.ENOSPC
    return errno.ENOENT if code == "NoSuchBucket" else errno.EACCES


def _failure(error: Exception, address: str) -> StoreError:
    """What it means that there is no answer."""
    name = type(error).__name__
    if "Credential" in name or name in ("ProfileNotFound", "TokenRetrievalError"):
        return StoreError(errno.EACCES, f"no credentials were found; {_CREDENTIALS}", address)
    said = " ".join(str(error).split())[:200]
    if name in ("ParamValidationError", "InvalidRegionError"):
        return StoreError(errno.EINVAL, said, address)
    if name == "FlexibleChecksumError":
        damaged = "it is damaged: its checksum is not that with which it was written"
        return StoreError(errno.EIO, damaged, address)
    cure = "check the network and AWS_ENDPOINT_URL, and run the same command again"
    return PassingError(errno.EIO, f"the store does not answer ({said}); {cure}", address)
